/** Where the hub is, where its files are kept, and who asks: from the usual environment variables. */
import { getHFHubCachePath } from "@huggingface/hub";
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { HubError } from "./hub_error.ts";

/** Settings of the hub; each has a default from the environment, as in Hugging Face's libraries. */
export interface HubOptions {
  /** Address of the hub: HF_ENDPOINT, else https://huggingface.co. */
  readonly endpoint?: string;
  /** Folder of the cache: HF_HUB_CACHE, else hub in HF_HOME, else ~/.cache/huggingface/hub. */
  readonly cache?: string;
  /** Access token: HF_TOKEN, else the file that `hf auth login` writes. "" for none. */
  readonly token?: string;
  /** Take what is in the cache and ask nobody: HF_HUB_OFFLINE. */
  readonly offline?: boolean;
  /** A connection that brings nothing for so long counts as cut; 60 seconds unless given. */
  readonly stallSeconds?: number;
}

/** The settings with their defaults; throws when the endpoint is no address or the token is not one. */
export function hubSettings(options: HubOptions = {}): Required<HubOptions> {
  const env = process.env;
  return {
    endpoint: checkEndpoint(options.endpoint ?? env.HF_ENDPOINT ?? "https://huggingface.co"),
    cache: options.cache ?? getHFHubCachePath(),
    token: checkToken(options.token ?? tokenOfEnvironment()),
    offline: options.offline ?? isTrue(env.HF_HUB_OFFLINE ?? env.TRANSFORMERS_OFFLINE),
    stallSeconds: options.stallSeconds ?? 60,
  };
}

function isTrue(value = ""): boolean {
  return ["1", "ON", "YES", "TRUE"].includes(value.toUpperCase());
}

function checkEndpoint(endpoint: string): string {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  const plain = url && /^https?:$/.test(url.protocol) && !url.username && !url.password;
  if (!plain || url.search || url.hash) {
    throw new HubError("HF_ENDPOINT needs an address such as https://huggingface.co");
  }
  return url.href.replace(/\/+$/, "");
}

/** The message must not say what the token is. */
function checkToken(token: string): string {
  const trimmed = token.trim();
  if (!/^[\x21-\x7e]*$/.test(trimmed)) {
    throw new HubError("The token of HF_TOKEN has a space or a character that no token has");
  }
  return trimmed;
}

function tokenOfEnvironment(): string {
  const { HF_TOKEN, HUGGING_FACE_HUB_TOKEN, HF_TOKEN_PATH, HF_HOME, XDG_CACHE_HOME } = process.env;
  const given = HF_TOKEN || HUGGING_FACE_HUB_TOKEN;
  if (given) return given;
  const home = HF_HOME ?? join(XDG_CACHE_HOME ?? join(homedir(), ".cache"), "huggingface");
  try {
    return readFileSync(HF_TOKEN_PATH ?? join(home, "token"), "utf8");
  } catch {
    return "";
  }
}

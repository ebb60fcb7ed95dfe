/** A checkpoint: configuration, tokenizer and weights, from the hub or from a folder. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { type DownloadProgress, fetchSnapshot, type HubQuery, isModelName } from "./hub.ts";
import { openWeights } from "./sharded.ts";
import { quote, SafetensorsError } from "./strict_json.ts";
import type { Weights } from "./weights.ts";

/** An open checkpoint. The files are there and their headers have been checked. */
export interface Checkpoint extends Disposable {
  /** The name or folder as it was given. */
  readonly model: string;
  /** The revision as it was given; undefined for a folder. */
  readonly revision?: string;
  /** What the revision stands for; undefined for a folder. */
  readonly commit?: string;
  /** Where the files are. */
  readonly folder: string;
  /** What config.json says. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Path of tokenizer.json, when there is one. */
  readonly tokenizer?: string;
  /** Path of tokenizer_config.json, when there is one. */
  readonly tokenizerConfig?: string;
  readonly weights: Weights;
  /** Closes the weights. */
  close(): void;
}

/** Which checkpoint of a model, from which hub. */
export interface CheckpointOptions extends HubQuery {
  /** A branch, tag or commit; "main" unless given. For the hub only. */
  readonly revision?: string;
  readonly progress?: (progress: DownloadProgress) => void;
}

/**
 * Opens a folder with config.json and safetensors, or a model of the hub, whose files are downloaded
 * where the cache lacks them. Throws a HubError or a SafetensorsError that says what to do.
 */
export async function openCheckpoint(
  model: string,
  options: CheckpointOptions = {},
): Promise<Checkpoint> {
  if (statSync(model, { throwIfNoEntry: false })?.isDirectory()) {
    if (options.revision !== undefined) {
      throw new SafetensorsError(
        `The folder ${model} has no revisions: give the folder of ${options.revision} itself`,
      );
    }
    return openFolder(model, { model });
  }
  if (!isModelName(model)) {
    throw new SafetensorsError(`No folder ${quote(model)}, and no model's name on the hub`);
  }
  const { revision = "main", ...rest } = options;
  const { folder, commit } = await fetchSnapshot(model, { revision, ...rest });
  return openFolder(folder, { model, revision, commit });
}

function openFolder(
  folder: string,
  origin: Pick<Checkpoint, "model" | "revision" | "commit">,
): Checkpoint {
  const config = readConfig(join(folder, "config.json"));
  const weights = openWeights(folder);
  const fileOf = (name: string) => existsSync(join(folder, name)) ? join(folder, name) : undefined;
  return {
    ...origin,
    folder,
    config,
    tokenizer: fileOf("tokenizer.json"),
    tokenizerConfig: fileOf("tokenizer_config.json"),
    weights,
    close: () => weights.close(),
    [Symbol.dispose]: () => weights.close(),
  };
}

function readConfig(path: string): Record<string, unknown> {
  let config: unknown;
  try {
    config = JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SafetensorsError(`Cannot read ${path}: ${reason}`, { cause });
  }
  if (typeof config !== "object" || config === null || Array.isArray(config)) {
    throw new SafetensorsError(`Cannot read ${path}: needs a JSON object`);
  }
  return config as Record<string, unknown>;
}

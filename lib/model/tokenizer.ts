/** From text to token ids, as a checkpoint's tokenizer.json says. */
import { Tokenizer as HubTokenizer } from "@huggingface/tokenizers";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** A checkpoint's tokenizer. */
export interface Tokenizer {
  /** SHA-256 of tokenizer.json. */
  readonly sha256: string;
  /** The ids of a text, with no special token put before or after it. */
  encode(text: string): Int32Array;
  /** How many bytes of UTF-8 each token of the vocabulary stands for, by id. */
  readonly bytes: Uint16Array;
}

/** Opens the tokenizer of a checkpoint's folder; undefined when there is no tokenizer.json. Throws when it cannot be read. */
export function openTokenizer(folder: string): Tokenizer | undefined {
  const path = join(folder, "tokenizer.json");
  if (!existsSync(path)) return undefined;
  try {
    const file = readFileSync(path);
    const configPath = join(folder, "tokenizer_config.json");
    const config = existsSync(configPath) ? JSON.parse(readFileSync(configPath, "utf8")) : {};
    const json = JSON.parse(file.toString("utf8"));
    const tokenizer = new HubTokenizer(json, config);
    const byteLevel = isByteLevel(json.decoder) || isByteLevel(json.pre_tokenizer);
    return {
      sha256: createHash("sha256").update(file).digest("hex"),
      encode: (text) => Int32Array.from(tokenizer.encode(text, { add_special_tokens: false }).ids),
      bytes: bytesOfTokens(tokenizer, byteLevel),
    };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`Cannot read the tokenizer ${path}: ${reason}`, { cause: error });
  }
}

/**
 * In a byte-level vocabulary (GPT-2's) each character of a token stands for one byte. In the other kind (SentencePiece's)
 * tokens are text in which U+2581 stands for a space, and <0x41> for a byte.
 */
function bytesOfTokens(tokenizer: HubTokenizer, byteLevel: boolean): Uint16Array {
  const vocabulary = tokenizer.get_vocab(true);
  const added = tokenizer.get_added_tokens_decoder();
  const utf8 = new TextEncoder();
  const bytes = new Uint16Array(Math.max(-1, ...vocabulary.values()) + 1);
  for (const [token, id] of vocabulary) {
    if (added.has(id)) bytes[id] = utf8.encode(added.get(id)!.content).length;
    else if (byteLevel) bytes[id] = [...token].length;
    else if (/^<0x[0-9A-F]{2}>$/.test(token)) bytes[id] = 1;
    else bytes[id] = utf8.encode(token.replaceAll("\u2581", " ")).length;
  }
  return bytes;
}

/** Whether a part of tokenizer.json, or a part of that part, is of the type ByteLevel. */
function isByteLevel(config: unknown): boolean {
  if (typeof config !== "object" || config === null) return false;
  return Object.values(config).some((value) => value === "ByteLevel" || isByteLevel(value));
}

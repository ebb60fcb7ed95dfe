/**
 * JSON from files that nobody vouches for. JSON.parse keeps the last of two equal keys and nests as
 * deep as it is told to; jsonc-parser reports every key and bracket as it comes.
 */
import { visit } from "jsonc-parser";

/** A file that is not what its format asks for; the message names the file and the tensor. */
export class SafetensorsError extends Error {
  override readonly name = "SafetensorsError";
}

/** What is being read, for the messages, and how deep objects and lists may lie in each other. */
export interface StrictJsonOptions {
  readonly what: string;
  readonly deepest: number;
}

/** Parses UTF-8 JSON whose root is an object, no key of which is there twice or `__proto__`. */
export function parseStrictJson(
  bytes: Uint8Array,
  { what, deepest }: StrictJsonOptions,
): Record<string, unknown> {
  const text = decodeText(bytes, what);
  if (!text.startsWith("{")) throw new SafetensorsError(`${what} is not a JSON object`);
  checkKeys(text, { what, deepest });
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new SafetensorsError(`${what} is not JSON: ${(cause as Error).message}`, { cause });
  }
}

function decodeText(bytes: Uint8Array, what: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new SafetensorsError(`${what} is not UTF-8`, { cause });
  }
}

function checkKeys(text: string, { what, deepest }: StrictJsonOptions): void {
  const open: Set<string>[] = [];
  const enter = () => {
    if (open.length === deepest) {
      throw new SafetensorsError(`${what} nests deeper than ${deepest} levels`);
    }
    open.push(new Set());
  };
  const leave = () => void open.pop();
  visit(text, {
    onObjectBegin: enter,
    onArrayBegin: enter,
    onObjectEnd: leave,
    onArrayEnd: leave,
    onObjectProperty(key, _offset, _length, _line, _character, path) {
      const at = () =>
        path().length > 0 ? `${what}, at ${JSON.stringify(path().join("."))},` : what;
      const seen = open.at(-1)!;
      if (seen.has(key)) throw new SafetensorsError(`${at()} has the key ${quote(key)} twice`);
      if (key === "__proto__") throw new SafetensorsError(`${at()} has the key "__proto__"`);
      seen.add(key);
    },
    onError(_code, offset) {
      throw new SafetensorsError(`${what} is not JSON: character ${offset} is out of place`);
    },
  }, { disallowComments: true, allowTrailingComma: false });
}

/** A value for a message: as JSON, cut where it grows long. */
export function quote(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 80 ? `${text.slice(0, 80)}...` : text;
}

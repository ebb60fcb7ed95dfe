/** Weights in a folder: one file, or shards and the index that says which tensor lies in which. */
import { closeSync, existsSync, fstatSync, openSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { largestHeader, type TensorInfo } from "./header.ts";
import { SafetensorsFile } from "./safetensors.ts";
import { parseStrictJson, quote, SafetensorsError } from "./strict_json.ts";
import type { Tensor, Weights } from "./weights.ts";

/** The names that Hugging Face's libraries give to weights in one file, and to the list of many. */
export const singleFile = "model.safetensors";
export const indexFile = "model.safetensors.index.json";

/**
 * Opens the weights in a folder: model.safetensors, or the shards that
 * model.safetensors.index.json lists. Throws a SafetensorsError when they are not whole and valid.
 */
export function openWeights(folder: string): Weights {
  if (!existsSync(folder)) {
    throw new SafetensorsError(`Cannot open the weights: no folder ${folder}`);
  }
  const single = join(folder, singleFile);
  if (existsSync(single)) return new SafetensorsFile(single);
  const index = join(folder, indexFile);
  if (existsSync(index)) return new ShardedWeights(folder, readIndex(index));
  const there = readdirSync(folder).filter((name) => /\.(bin|safetensors|pt|pth)$/.test(name))
    .sort();
  throw new SafetensorsError(
    `Cannot open the weights in ${folder}: needs ${singleFile} or ${indexFile}: ` +
      `got ${there.join(", ") || "no weights"}`,
  );
}

/**
 * The shard of each tensor, from an index file. A shard is a file beside the index: any other path
 * is refused.
 */
export function readIndex(path: string): ReadonlyMap<string, string> {
  try {
    const { weight_map: shards } = parseStrictJson(readBounded(path), {
      what: "the index",
      deepest: 3,
    });
    if (typeof shards !== "object" || shards === null || Array.isArray(shards)) {
      throw new SafetensorsError(`weight_map is no object: got ${quote(shards)}`);
    }
    const entries = Object.entries(shards);
    if (entries.length === 0) throw new SafetensorsError("weight_map is empty");
    for (const [name, shard] of entries) checkShard(name, shard);
    return new Map(entries as [string, string][]);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SafetensorsError(`Cannot read ${path}: ${reason}`, { cause });
  }
}

function readBounded(path: string): Uint8Array {
  const file = openSync(path, "r");
  try {
    const { size } = fstatSync(file);
    if (size > largestHeader) {
      throw new SafetensorsError(`the index is ${size} bytes: at most ${largestHeader}`);
    }
    return readFileSync(file);
  } finally {
    closeSync(file);
  }
}

function checkShard(name: string, shard: unknown): void {
  const plain = typeof shard === "string" && /^[\w-][\w.-]*\.safetensors$/.test(shard);
  if (!plain) {
    throw new SafetensorsError(
      `Tensor ${quote(name)}: needs a file NAME.safetensors beside the index: got ${quote(shard)}`,
    );
  }
}

class ShardedWeights implements Weights {
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  readonly names: readonly string[];
  readonly #shards = new Map<string, SafetensorsFile>();
  readonly #shardOf: ReadonlyMap<string, string>;

  constructor(folder: string, shardOf: ReadonlyMap<string, string>) {
    this.#shardOf = shardOf;
    try {
      for (const shard of new Set([...shardOf.values()].sort())) {
        const path = join(folder, shard);
        if (!existsSync(path)) {
          throw new SafetensorsError(
            `Cannot open the weights in ${folder}: the shard ${shard} of ${indexFile} is missing`,
          );
        }
        this.#shards.set(shard, new SafetensorsFile(path));
      }
      this.names = [...shardOf.keys()].sort();
      this.tensors = new Map(this.names.map((name) => [name, this.#find(name)]));
    } catch (error) {
      this.close();
      throw error;
    }
  }

  tensor(name: string): Tensor {
    return this.#shard(name).tensor(name);
  }

  bytes(name: string): Uint8Array {
    return this.#shard(name).bytes(name);
  }

  chunks(name: string): Iterable<Uint8Array> {
    return this.#shard(name).chunks(name);
  }

  close(): void {
    for (const shard of this.#shards.values()) shard.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #shard(name: string): SafetensorsFile {
    const shard = this.#shards.get(this.#shardOf.get(name) ?? "");
    if (!shard) throw new SafetensorsError(`No tensor "${name}" in ${indexFile}`);
    return shard;
  }

  #find(name: string): TensorInfo {
    const shard = this.#shard(name);
    const info = shard.tensors.get(name);
    if (!info) {
      throw new SafetensorsError(
        `Tensor "${name}": ${indexFile} places it in ${shard.path}: not there`,
      );
    }
    return info;
  }
}

/** Writes safetensors files, whole or not at all. */
import { Buffer } from "node:buffer";
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import process from "node:process";
import { type Dtype, largestHeader, prefixBytes, tensorBytes } from "./header.ts";

/** A tensor to write. */
export interface TensorToWrite {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** Its data, little-endian; a function is called when the tensor's turn comes. */
  readonly bytes: Uint8Array | (() => Uint8Array);
}

const largestWrite = 2 ** 30;

/**
 * Writes a file, tensors in the given order. The file appears under its name only when it is whole:
 * it is written beside it first. Throws when a name is given twice or data does not fit its shape.
 *
 * ```ts
 * import assert from "node:assert/strict";
 * import { bytesOf, SafetensorsFile, writeSafetensors } from "./mod.ts";
 *
 * const path = `${Deno.makeTempDirSync()}/model.safetensors`;
 * const bytes = bytesOf(Float32Array.of(1, 2));
 * writeSafetensors(path, [{ name: "norm.weight", dtype: "F32", shape: [2], bytes }]);
 * using file = new SafetensorsFile(path);
 * assert.deepEqual(file.tensor("norm.weight"), { shape: [2], data: Float32Array.of(1, 2) });
 * ```
 */
export function writeSafetensors(
  path: string,
  tensors: readonly TensorToWrite[],
  metadata: Readonly<Record<string, string>> = {},
): void {
  const header = encodeHeader(tensors, metadata);
  const partial = join(dirname(path), `.${basename(path)}.${process.pid}.partial`);
  const file = openSync(partial, "wx");
  let open = true;
  try {
    writeAll(file, header);
    for (const { name, dtype, shape, bytes: data } of tensors) {
      const bytes = typeof data === "function" ? data() : data;
      const needed = tensorBytes(name, dtype, shape);
      if (bytes.length !== needed) {
        throw new Error(`Tensor "${name}": needs ${needed} bytes: got ${bytes.length}`);
      }
      writeAll(file, bytes);
    }
    fsyncSync(file);
    closeSync(file);
    open = false;
    renameSync(partial, path);
  } catch (error) {
    if (open) closeSync(file);
    rmSync(partial, { force: true });
    throw error;
  }
}

function encodeHeader(
  tensors: readonly TensorToWrite[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  const entries: [string, unknown][] = [];
  if (Object.keys(metadata).length > 0) entries.push(["__metadata__", metadata]);
  const seen = new Set(["__metadata__"]);
  let start = 0;
  for (const { name, dtype, shape } of tensors) {
    if (seen.has(name)) throw new Error(`Cannot write two tensors of the name "${name}"`);
    seen.add(name);
    const end = start + tensorBytes(name, dtype, shape);
    entries.push([name, { dtype, shape, data_offsets: [start, end] }]);
    start = end;
  }
  const json = `{${
    entries.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`)
  }}`;
  const text = Buffer.from(json);
  // Spaces up to a multiple of 8, so that the data of wide types is aligned.
  const length = Math.ceil(text.length / 8) * 8;
  if (length > largestHeader) {
    throw new Error(`Cannot write a header of ${length} bytes: needs at most ${largestHeader}`);
  }
  const bytes = new Uint8Array(prefixBytes + length).fill(0x20);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.set(text, prefixBytes);
  return bytes;
}

function writeAll(file: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;) {
    done += writeSync(file, bytes.subarray(done, done + largestWrite));
  }
}

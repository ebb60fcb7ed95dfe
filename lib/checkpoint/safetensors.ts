/** Safetensors files: tensors by name, read when asked for, and written whole or not at all. */
import { Buffer } from "node:buffer";
import {
  closeSync,
  fstatSync,
  fsyncSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import process from "node:process";
import { aligned, decodeFloats, isFloat } from "./dtype.ts";
import {
  type Dtype,
  type Header,
  headerLength,
  largestHeader,
  parseHeader,
  prefixBytes,
  tensorBytes,
  type TensorInfo,
} from "./header.ts";

/** An open file. The header has been read and checked; data is read when asked for. */
export class SafetensorsFile {
  readonly path: string;
  readonly #file: number;
  readonly #header: Header;

  /** Opens a file; throws when it is not a whole and valid safetensors file. */
  constructor(path: string) {
    this.path = path;
    this.#file = openSync(path, "r");
    try {
      const { size } = fstatSync(this.#file);
      const prefix = this.#read(0, Math.min(prefixBytes, size));
      const header = this.#read(prefixBytes, headerLength(prefix, size));
      this.#header = parseHeader(header, size);
    } catch (error) {
      this.close();
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(`Cannot read ${path}: ${reason}`, { cause: error });
    }
  }

  /** What the header says of each tensor, in the order of their data. */
  get tensors(): ReadonlyMap<string, TensorInfo> {
    return this.#header.tensors;
  }

  /** The file's own notes. */
  get metadata(): Readonly<Record<string, string>> {
    return this.#header.metadata;
  }

  /** A tensor's data as it lies in the file. */
  bytes(name: string): Uint8Array {
    const { start, end } = this.#info(name);
    return this.#read(this.#header.dataStart + start, end - start);
  }

  /** A tensor of F64, F32, F16 or BF16 as float32, row-major. F64 is rounded. */
  floats(name: string): Float32Array {
    const { dtype } = this.#info(name);
    if (!isFloat(dtype)) {
      throw new Error(`Tensor "${name}": needs F64, F32, F16 or BF16: got ${dtype}`);
    }
    return decodeFloats(this.bytes(name), dtype);
  }

  /** A tensor of F64 in full precision. */
  doubles(name: string): Float64Array {
    this.#check(name, "F64");
    return new Float64Array(aligned(this.bytes(name)));
  }

  /** A tensor of whole numbers: I8, U8, I32 or I64. */
  integers(name: string): Int8Array | Uint8Array | Int32Array | BigInt64Array {
    const { dtype } = this.#info(name);
    const bytes = this.bytes(name);
    switch (dtype) {
      case "I8":
        return new Int8Array(aligned(bytes));
      case "U8":
        return bytes;
      case "I32":
        return new Int32Array(aligned(bytes));
      case "I64":
        return new BigInt64Array(aligned(bytes));
      default:
        throw new Error(`Tensor "${name}": needs I8, U8, I32 or I64: got ${dtype}`);
    }
  }

  /** Closes the file. */
  close(): void {
    closeSync(this.#file);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #info(name: string): TensorInfo {
    const info = this.tensors.get(name);
    if (!info) throw new Error(`No tensor "${name}" in ${this.path}`);
    return info;
  }

  #check(name: string, wanted: Dtype): void {
    const { dtype } = this.#info(name);
    if (dtype !== wanted) throw new Error(`Tensor "${name}": needs ${wanted}: got ${dtype}`);
  }

  #read(start: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length;) {
      const part = bytes.subarray(done, done + largestRead);
      const got = readSync(this.#file, part, 0, part.length, start + done);
      if (got === 0) throw new Error(`the file ends at byte ${start + done}: it has been cut`);
      done += got;
    }
    return bytes;
  }
}

/** A tensor to write. */
export interface TensorToWrite {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** Its data, little-endian; a function is called when the tensor's turn comes. */
  readonly bytes: Uint8Array | (() => Uint8Array);
}

const largestRead = 2 ** 30;

/**
 * Writes a file, tensors in the given order. The file appears under its name only when it is whole:
 * it is written beside it first. Throws when a name is given twice or data does not fit its shape.
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
    done += writeSync(file, bytes.subarray(done, done + largestRead));
  }
}

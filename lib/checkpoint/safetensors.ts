/** Safetensors files: tensors by name, read when asked for. */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { aligned, decodeFloats, isFloat } from "./dtype.ts";
import { type Header, headerLength, parseHeader, prefixBytes, type TensorInfo } from "./header.ts";
import { SafetensorsError } from "./strict_json.ts";
import type { Tensor, Weights } from "./weights.ts";

/** Node's limit of one read is 2^31 - 1 bytes. */
const largestRead = 2 ** 30;
const chunkBytes = 2 ** 23;

/**
 * An open file. The header has been read and checked; data is read when asked for, so that no more
 * than the tensor asked for is in memory.
 */
export class SafetensorsFile implements Weights {
  readonly path: string;
  readonly #file: number;
  readonly #header: Header;

  /** Opens a file; throws a SafetensorsError when it is not a whole and valid safetensors file. */
  constructor(path: string) {
    this.path = path;
    this.#file = openSync(path, "r");
    try {
      const stat = fstatSync(this.#file);
      if (!stat.isFile()) throw new SafetensorsError("not a file");
      const prefix = this.#read(0, Math.min(prefixBytes, stat.size));
      const header = this.#read(prefixBytes, headerLength(prefix, stat.size));
      this.#header = parseHeader(header, stat.size);
    } catch (error) {
      this.close();
      throw this.#explain(error);
    }
  }

  /** What the header says of each tensor, in the order of their data. */
  get tensors(): ReadonlyMap<string, TensorInfo> {
    return this.#header.tensors;
  }

  /** The tensors' names, sorted. */
  get names(): readonly string[] {
    return [...this.tensors.keys()].sort();
  }

  /** The file's own notes. */
  get metadata(): Readonly<Record<string, string>> {
    return this.#header.metadata;
  }

  /** A tensor's data as it lies in the file. */
  bytes(name: string): Uint8Array {
    const { start, end } = this.#info(name);
    try {
      return this.#read(this.#header.dataStart + start, end - start);
    } catch (error) {
      throw this.#explain(error, name);
    }
  }

  /** A tensor's data, 8 MiB at a time, in memory that the next piece overwrites. */
  *chunks(name: string): Generator<Uint8Array> {
    const { start, end } = this.#info(name);
    const buffer = new Uint8Array(Math.min(chunkBytes, end - start));
    for (let at = start; at < end; at += buffer.length) {
      const piece = buffer.subarray(0, end - at);
      try {
        this.#fill(piece, this.#header.dataStart + at);
      } catch (error) {
        throw this.#explain(error, name);
      }
      yield piece;
    }
  }

  /** A tensor of F64, F32, F16 or BF16 as float32, row-major. F64 is rounded. */
  tensor(name: string): Tensor {
    return { shape: this.#info(name).shape, data: this.floats(name) };
  }

  /** The values of `tensor`, without the shape. */
  floats(name: string): Float32Array {
    const { dtype } = this.#info(name);
    if (!isFloat(dtype)) throw this.#wrongType(name, "F64, F32, F16 or BF16");
    return decodeFloats(this.bytes(name), dtype);
  }

  /** A tensor of F64 in full precision. */
  doubles(name: string): Float64Array {
    if (this.#info(name).dtype !== "F64") throw this.#wrongType(name, "F64");
    return new Float64Array(aligned(this.bytes(name)));
  }

  /** A tensor of whole numbers: I8, U8, I16, U16, I32, U32, I64, U64, or BOOL as 0 and 1. */
  integers(name: string): Integers {
    const { dtype } = this.#info(name);
    if (!Object.hasOwn(integerArrays, dtype)) {
      throw this.#wrongType(name, Object.keys(integerArrays).join(", "));
    }
    return new integerArrays[dtype as IntegerDtype](aligned(this.bytes(name)));
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
    if (!info) throw new SafetensorsError(`No tensor "${name}" in ${this.path}`);
    return info;
  }

  #wrongType(name: string, wanted: string): SafetensorsError {
    const { dtype } = this.#info(name);
    return new SafetensorsError(
      `Cannot read ${this.path}: Tensor "${name}": needs ${wanted}: got ${dtype}`,
    );
  }

  #explain(error: unknown, name?: string): SafetensorsError {
    const reason = error instanceof Error ? error.message : String(error);
    const tensor = name === undefined ? "" : `Tensor "${name}": `;
    return new SafetensorsError(`Cannot read ${this.path}: ${tensor}${reason}`, { cause: error });
  }

  /** Every caller has checked the length against the file's size. */
  #read(start: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    this.#fill(bytes, start);
    return bytes;
  }

  #fill(bytes: Uint8Array, start: number): void {
    for (let done = 0; done < bytes.length;) {
      const part = bytes.subarray(done, done + largestRead);
      const got = readSync(this.#file, part, 0, part.length, start + done);
      if (got === 0) {
        throw new SafetensorsError(`the file ends at byte ${start + done}: it has been cut`);
      }
      done += got;
    }
  }
}

const integerArrays = {
  I8: Int8Array,
  U8: Uint8Array,
  BOOL: Uint8Array,
  I16: Int16Array,
  U16: Uint16Array,
  I32: Int32Array,
  U32: Uint32Array,
  I64: BigInt64Array,
  U64: BigUint64Array,
};
type IntegerDtype = keyof typeof integerArrays;

/** Whole numbers of a tensor. */
export type Integers = InstanceType<(typeof integerArrays)[IntegerDtype]>;

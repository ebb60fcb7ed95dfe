/**
 * The header of a safetensors file, read as input that nobody vouches for.
 * Source: github.com/safetensors/safetensors, "Format" in its README. (Written by hand: no library
 * on npm reads and checks the format.)
 *
 * A file is 8 bytes of header length (u64, little-endian), the header (JSON, padded with spaces),
 * and the data of all tensors, little-endian and without gaps. Data may start at any byte: writers
 * that do not pad the header exist.
 */
import { parseStrictJson, quote, SafetensorsError } from "./strict_json.ts";

/** Bits of one value of each element type. */
export const bitsOfDtype = {
  F64: 64,
  F32: 32,
  F16: 16,
  BF16: 16,
  I64: 64,
  I32: 32,
  I16: 16,
  I8: 8,
  U64: 64,
  U32: 32,
  U16: 16,
  U8: 8,
  BOOL: 8,
  C64: 64,
  F8_E5M2: 8,
  F8_E4M3: 8,
  F8_E8M0: 8,
  F6_E3M2: 6,
  F6_E2M3: 6,
  F4: 4,
} as const;

/** The type of a tensor's elements, as the format names it. */
export type Dtype = keyof typeof bitsOfDtype;

/** What the header says of one tensor. */
export interface TensorInfo {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** First byte, counted from the end of the header. */
  readonly start: number;
  /** The byte after the last. */
  readonly end: number;
}

/** A header that has been checked. */
export interface Header {
  /** In the order of their data. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  readonly metadata: Readonly<Record<string, string>>;
  /** Where the data starts in the file. */
  readonly dataStart: number;
}

/** Bytes before the header. */
export const prefixBytes = 8;
/** The format's own limit. */
export const largestHeader = 100_000_000;

/** The header's length from the first 8 bytes; throws when it does not fit the file or the format. */
export function headerLength(prefix: Uint8Array, fileBytes: number): number {
  if (prefix.length < prefixBytes) {
    throw new SafetensorsError(
      `Not a safetensors file: needs at least 8 bytes: got ${prefix.length}`,
    );
  }
  const view = new DataView(prefix.buffer, prefix.byteOffset, prefixBytes);
  const length = view.getBigUint64(0, true);
  if (length > BigInt(largestHeader)) {
    throw new SafetensorsError(
      `Not a safetensors file: the header is ${length} bytes: at most ${largestHeader}`,
    );
  }
  const available = fileBytes - prefixBytes;
  if (length < 2n || length > BigInt(available)) {
    throw new SafetensorsError(
      `Not a safetensors file: the header is ${length} bytes: needs 2 to the ${available} that follow`,
    );
  }
  return Number(length);
}

/** Reads and checks a header; fileBytes is the size of the whole file. */
export function parseHeader(bytes: Uint8Array, fileBytes: number): Header {
  const root = parseStrictJson(bytes, { what: "Not a safetensors file: the header", deepest: 3 });
  const tensors: TensorInfo[] = [];
  let metadata: Record<string, string> = {};
  for (const [name, value] of Object.entries(root)) {
    if (name === "__metadata__") metadata = readMetadata(value);
    else tensors.push(readTensor(name, value));
  }
  tensors.sort((a, b) => a.start - b.start || a.end - b.end);
  const dataStart = prefixBytes + bytes.length;
  checkLayout(tensors, fileBytes - dataStart);
  return { tensors: new Map(tensors.map((tensor) => [tensor.name, tensor])), metadata, dataStart };
}

/** Bytes of a tensor's data; throws when they are no whole number or beyond what can be counted. */
export function tensorBytes(name: string, dtype: Dtype, shape: readonly number[]): number {
  let bits: number = bitsOfDtype[dtype];
  for (const size of shape) {
    bits *= size;
    if (!Number.isSafeInteger(bits)) {
      throw new SafetensorsError(
        `Tensor ${quote(name)}: ${dtype} ${quote(shape)} overflows: needs less than 2^53 bits`,
      );
    }
  }
  if (bits % 8 !== 0) {
    throw new SafetensorsError(
      `Tensor ${quote(name)}: ${dtype} ${quote(shape)} ends within a byte: needs a whole number`,
    );
  }
  return bits / 8;
}

function readMetadata(value: unknown): Record<string, string> {
  if (!isObject(value) || !Object.values(value).every((text) => typeof text === "string")) {
    throw new SafetensorsError("Not a safetensors file: __metadata__ is no object of strings");
  }
  return value as Record<string, string>;
}

function readTensor(name: string, value: unknown): TensorInfo {
  const bad = (what: string, given: unknown) =>
    new SafetensorsError(`Tensor ${quote(name)}: needs ${what}: got ${quote(given)}`);
  if (!isObject(value)) throw bad("an object", value);
  const { dtype, shape, data_offsets: offsets, ...rest } = value;
  if (typeof dtype !== "string" || !Object.hasOwn(bitsOfDtype, dtype)) {
    throw bad(`a dtype of ${Object.keys(bitsOfDtype).join(", ")}`, dtype);
  }
  if (!Array.isArray(shape)) throw bad("a list as shape", shape);
  if (!Array.isArray(offsets) || offsets.length !== 2) {
    throw bad("a list of two as data_offsets", offsets);
  }
  checkCounts(`Tensor ${quote(name)}: shape`, shape);
  checkCounts(`Tensor ${quote(name)}: data_offsets`, offsets);
  const unknown = Object.keys(rest)[0];
  if (unknown !== undefined) throw bad("dtype, shape and data_offsets only", unknown);
  const [start, end] = offsets as [number, number];
  const bytes = tensorBytes(name, dtype as Dtype, shape);
  if (end - start !== bytes) {
    throw new SafetensorsError(
      `Tensor ${quote(name)}: needs ${bytes} bytes for ${dtype} ${quote(shape)}: ` +
        `got ${end - start}, from ${start} to ${end}`,
    );
  }
  return { name, dtype: dtype as Dtype, shape, start, end };
}

function checkCounts(what: string, list: readonly unknown[]): void {
  for (const value of list) {
    if (typeof value !== "number") {
      throw new SafetensorsError(`${what} has ${quote(value)}, no number`);
    }
    if (value < 0 || Object.is(value, -0)) {
      throw new SafetensorsError(`${what} is negative: ${value}`);
    }
    if (value > Number.MAX_SAFE_INTEGER) {
      throw new SafetensorsError(`${what} has ${value}: needs numbers below 2^53`);
    }
    if (!Number.isInteger(value)) {
      throw new SafetensorsError(`${what} has ${value}, no whole number`);
    }
  }
}

/** The data of all tensors must fill what follows the header, without gap or overlap. */
function checkLayout(tensors: readonly TensorInfo[], dataBytes: number): void {
  let next = 0;
  for (const { name, start, end } of tensors) {
    if (start !== next) {
      const fault = start > next ? "leaves a gap after" : "overlaps";
      throw new SafetensorsError(
        `Tensor ${quote(name)}: starts at byte ${start} and ${fault} the data that ends at ${next}`,
      );
    }
    if (end > dataBytes) {
      throw new SafetensorsError(
        `Tensor ${quote(name)}: ends at byte ${end}, beyond the ${dataBytes} bytes of data: ` +
          "the file has been cut",
      );
    }
    next = end;
  }
  if (next !== dataBytes) {
    throw new SafetensorsError(
      `Not a safetensors file: ${dataBytes} bytes of data for tensors of ${next} bytes`,
    );
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

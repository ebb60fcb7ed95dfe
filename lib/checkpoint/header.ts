/**
 * The header of a safetensors file, read as input that nobody vouches for.
 * Source: github.com/huggingface/safetensors, "Format" in its README. (Written by hand: no library
 * on npm reads and checks the format.)
 *
 * A file is 8 bytes of header length (u64, little-endian), the header (JSON, padded with spaces),
 * and the data of all tensors, little-endian and without gaps.
 */

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
    throw new Error(`Not a safetensors file: needs at least 8 bytes: got ${prefix.length}`);
  }
  const view = new DataView(prefix.buffer, prefix.byteOffset, prefixBytes);
  const length = view.getBigUint64(0, true);
  if (length > BigInt(largestHeader)) {
    throw new Error(
      `Not a safetensors file: the header is ${length} bytes: at most ${largestHeader}`,
    );
  }
  const available = fileBytes - prefixBytes;
  if (length < 2n || length > BigInt(available)) {
    throw new Error(
      `Not a safetensors file: the header is ${length} bytes: needs 2 to the ${available} that follow`,
    );
  }
  return Number(length);
}

/** Reads and checks a header; fileBytes is the size of the whole file. */
export function parseHeader(bytes: Uint8Array, fileBytes: number): Header {
  const root = readObject(bytes);
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
  const bits = shape.reduce((product, size) => product * size, bitsOfDtype[dtype]);
  // A product beyond 2^53 stays beyond it, unless a later size is 0.
  const safe = shape.includes(0) || Number.isSafeInteger(bits);
  if (!safe || bits % 8 !== 0) {
    throw new Error(`Tensor "${name}": ${dtype} [${shape.join(", ")}] is no whole number of bytes`);
  }
  return bits / 8;
}

function readObject(bytes: Uint8Array): Record<string, unknown> {
  let text: string;
  let root: unknown;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    root = JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`Not a safetensors file: the header is not JSON: ${reason}`, { cause });
  }
  if (!text.startsWith("{") || !isObject(root)) {
    throw new Error("Not a safetensors file: the header is not a JSON object");
  }
  checkKeys(text, root);
  return root;
}

/** JSON.parse keeps the last of two equal keys; the format allows no such pair. */
function checkKeys(text: string, root: Record<string, unknown>): void {
  const written = [0, 0];
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const char = text[i];
    if (char === '"') {
      for (i++; text[i] !== '"'; i++) if (text[i] === "\\") i++;
    } else if (char === "{" || char === "[") depth++;
    else if (char === "}" || char === "]") depth--;
    else if (char === ":" && depth <= 2) written[depth - 1]!++;
  }
  const entries = Object.values(root);
  const inner = entries.reduce<number>(
    (sum, value) => sum + (isObject(value) ? Object.keys(value).length : 0),
    0,
  );
  if (written[0] !== entries.length || written[1] !== inner) {
    throw new Error("Not a safetensors file: the header has the same key twice");
  }
}

function readMetadata(value: unknown): Record<string, string> {
  if (!isObject(value) || !Object.values(value).every((text) => typeof text === "string")) {
    throw new Error("Bad __metadata__: needs an object of strings");
  }
  return value as Record<string, string>;
}

function readTensor(name: string, value: unknown): TensorInfo {
  const bad = (what: string, given: unknown) =>
    new Error(`Tensor "${name}": needs ${what}: got ${shorten(given)}`);
  if (!isObject(value)) throw bad("an object", value);
  const { dtype, shape, data_offsets: offsets, ...rest } = value;
  if (typeof dtype !== "string" || !Object.hasOwn(bitsOfDtype, dtype)) {
    throw bad(`a dtype of ${Object.keys(bitsOfDtype).join(", ")}`, dtype);
  }
  if (!Array.isArray(shape) || !shape.every(isSize)) {
    throw bad("a shape of whole numbers of 0 or more", shape);
  }
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isSize)) {
    throw bad("data_offsets of two whole numbers of 0 or more", offsets);
  }
  const unknown = Object.keys(rest)[0];
  if (unknown !== undefined) throw bad("dtype, shape and data_offsets only", unknown);
  const [start, end] = offsets as [number, number];
  const bytes = tensorBytes(name, dtype as Dtype, shape);
  if (end - start !== bytes) {
    throw bad(`${bytes} bytes for ${dtype} ${shorten(shape)}`, `bytes ${start} to ${end}`);
  }
  return { name, dtype: dtype as Dtype, shape, start, end };
}

/** The data of all tensors must fill what follows the header, without gap or overlap. */
function checkLayout(tensors: readonly TensorInfo[], dataBytes: number): void {
  let next = 0;
  for (const { name, start, end } of tensors) {
    if (start !== next) {
      const fault = start > next ? "leaves a gap after" : "overlaps";
      throw new Error(
        `Tensor "${name}": starts at byte ${start} and ${fault} the data that ends at ${next}`,
      );
    }
    next = end;
  }
  if (next !== dataBytes) {
    throw new Error(
      `Not a whole safetensors file: needs ${next} bytes of data after the header: got ${dataBytes}`,
    );
  }
}

function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function shorten(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value) ?? "nothing";
  return text.length > 80 ? `${text.slice(0, 80)}...` : text;
}

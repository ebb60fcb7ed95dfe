/** WebAssembly memory comes in pages of this many bytes. */
const page = 65536;

/** Arrays start at multiples of a cache line. */
const line = 64;

/** Any array that may lie in the memory. */
export type NumericArray = Float32Array | Float64Array | Uint8Array | Int32Array;

/**
 * A stack of typed arrays in one WebAssembly memory. The memory never grows, because growing would
 * detach every array; the system hands out pages only when they are touched, so a large reservation
 * costs nothing.
 */
export class Arena {
  readonly memory: WebAssembly.Memory;
  readonly #buffer: ArrayBuffer;
  readonly #bytes: Uint8Array;
  #top = 0;
  /** Below this address the memory has been handed out before, and need not hold zeros. */
  #used = 0;

  constructor(bytes: number) {
    const [smallest, largest] = [64 * page, 65535 * page];
    if (!(bytes >= smallest && bytes <= largest)) {
      throw new RangeError(
        `Cannot reserve memory for the kernel: give ${smallest} to ${largest} bytes: got ${bytes}`,
      );
    }
    const pages = Math.ceil(bytes / page);
    this.memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    this.#buffer = this.memory.buffer;
    this.#bytes = new Uint8Array(this.#buffer);
  }

  /** Keeps the first `bytes` for the module itself. */
  reserve(bytes: number): void {
    this.#top = Math.max(this.#top, bytes);
    this.#used = this.#top;
  }

  float32(length: number): Float32Array<ArrayBuffer> {
    return new Float32Array(this.#buffer, this.#take(length, 4), length);
  }

  float64(length: number): Float64Array<ArrayBuffer> {
    return new Float64Array(this.#buffer, this.#take(length, 8), length);
  }

  uint8(length: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#buffer, this.#take(length, 1), length);
  }

  int32(length: number): Int32Array<ArrayBuffer> {
    return new Int32Array(this.#buffer, this.#take(length, 4), length);
  }

  /** Whether an array lies in this memory. */
  holds(array: NumericArray): boolean {
    return array.buffer === this.#buffer;
  }

  /** An array of the same kind and length in this memory, whose values are whatever is there. */
  like<A extends NumericArray>(array: A): A {
    const kind = array.constructor as new (buffer: ArrayBuffer, at: number, length: number) => A;
    const { length, BYTES_PER_ELEMENT: size } = array;
    return new kind(this.#buffer, this.#take(length, size, false), length);
  }

  /** The array itself when it lies in this memory, else a copy that does. */
  bring<A extends NumericArray>(array: A): A {
    if (this.holds(array)) return array;
    const copy = this.like(array);
    copy.set(array);
    return copy;
  }

  /** Copies bytes from one address to another. */
  copy(to: number, from: number, bytes: number): void {
    this.#bytes.copyWithin(to, from, from + bytes);
  }

  scope<Result>(body: () => Result): Result {
    const mark = this.#top;
    try {
      return body();
    } finally {
      this.#top = mark;
    }
  }

  /** The address of `length` elements of `size` bytes, zeros unless `clear` is false. */
  #take(length: number, size: number, clear = true): number {
    if (!(Number.isInteger(length) && length >= 0)) {
      throw new RangeError(
        `Cannot make an array: the length must be a whole number: got ${length}`,
      );
    }
    const start = Math.ceil(this.#top / line) * line;
    const end = start + length * size;
    const all = this.#bytes.length;
    if (end > all) {
      throw new RangeError(
        `Cannot fit ${length * size} bytes into the kernel's memory: ${
          all - start
        } of ${all} are free: ` +
          "load the kernel with a larger `memory`, or free arrays with `scope`",
      );
    }
    if (clear) this.#bytes.fill(0, start, Math.min(end, this.#used));
    this.#top = end;
    this.#used = Math.max(this.#used, end);
    return start;
  }
}

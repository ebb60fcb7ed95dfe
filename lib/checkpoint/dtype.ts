/** Element types of tensors, from bytes to numbers and back. */
import type { Dtype } from "./header.ts";

/** Element types that hold real numbers. */
export type FloatDtype = "F64" | "F32" | "F16" | "BF16";

/** True for the element types that `decodeFloats` reads. */
export function isFloat(dtype: Dtype): dtype is FloatDtype {
  return dtype === "F64" || dtype === "F32" || dtype === "F16" || dtype === "BF16";
}

/**
 * Little-endian bytes to float32; F64 is rounded, the others are exact. F32 may share the memory of
 * the bytes.
 */
export function decodeFloats(bytes: Uint8Array, dtype: FloatDtype): Float32Array {
  const buffer = aligned(bytes);
  switch (dtype) {
    case "F32":
      return new Float32Array(buffer);
    case "F64":
      return new Float32Array(new Float64Array(buffer));
    case "F16":
      return new Float32Array(new Float16Array(buffer));
    case "BF16": {
      // The upper half of a float32.
      const halves = new Uint16Array(buffer);
      const words = new Uint32Array(halves.length);
      for (let i = 0; i < halves.length; i++) words[i] = halves[i]! << 16;
      return new Float32Array(words.buffer);
    }
  }
}

/**
 * float32 to little-endian bytes, rounded to nearest with halves to even. Throws when a finite
 * value is beyond the type's range.
 */
export function encodeFloats(values: Float32Array, dtype: FloatDtype): Uint8Array {
  const encoded = encode(values, dtype);
  const back = dtype === "F32" || dtype === "F64" ? values : decodeFloats(encoded, dtype);
  for (let i = 0; i < values.length; i++) {
    if (Math.abs(back[i]!) === Infinity && Number.isFinite(values[i]!)) {
      throw new Error(`Cannot write ${values[i]} as ${dtype}: it is beyond the type's range`);
    }
  }
  return encoded;
}

function encode(values: Float32Array, dtype: FloatDtype): Uint8Array {
  switch (dtype) {
    case "F32":
      return bytesOf(values.slice());
    case "F64":
      return bytesOf(new Float64Array(values));
    case "F16":
      return bytesOf(new Float16Array(values));
    case "BF16": {
      const words = new Uint32Array(values.slice().buffer);
      const halves = new Uint16Array(words.length);
      for (let i = 0; i < words.length; i++) {
        const word = words[i]!;
        const nan = (word & 0x7fffffff) > 0x7f800000;
        // Half of the last kept place, less one when that place is even, carries upwards.
        halves[i] = nan ? (word >>> 16) | 0x40 : (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
      }
      return bytesOf(halves);
    }
  }
}

/** The bytes of a typed array, without a copy. */
export function bytesOf(values: ArrayBufferView): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/** A buffer that holds these bytes alone: their own where it does, else a copy. */
export function aligned(bytes: Uint8Array): ArrayBuffer {
  const { buffer } = bytes;
  const own = buffer instanceof ArrayBuffer && buffer.byteLength === bytes.byteLength;
  return own ? buffer : bytes.slice().buffer;
}

/**
 * Codes of 1 to 8 bits packed into bytes, so that a size on disk is real.
 *
 * Layout: one little-endian stream of bits. Code i takes the bits from i b to i b + b - 1, lowest
 * bit first, where bit k of the stream is bit k mod 8 of byte floor(k / 8). So 2 bits pack four
 * codes a byte, 4 bits two codes, first code lowest, and 3 bits 32 codes in three 32-bit words.
 * The bits after the last code are 0. (Written by hand: no library packs widths below a byte.)
 */

/** Bytes that `count` codes of `bits` bits take. */
export function packedBytes(count: number, bits: number): number {
  return Math.ceil((count * bits) / 8);
}

/**
 * Packs codes of `bits` bits, 1 to 8.
 *
 * ```ts
 * import { deepStrictEqual } from "node:assert/strict";
 * import { pack, unpack } from "./mod.ts";
 *
 * const packed = pack(Uint8Array.of(1, 2, 3, 0, 3), 2);
 * deepStrictEqual(packed, Uint8Array.of(0b00_11_10_01, 0b11));
 * deepStrictEqual(unpack(packed, { bits: 2, count: 5 }), Uint8Array.of(1, 2, 3, 0, 3));
 * ```
 */
export function pack(codes: Uint8Array, bits: number): Uint8Array {
  checkBits(bits);
  const packed = new Uint8Array(packedBytes(codes.length, bits));
  const top = 2 ** bits - 1;
  let held = 0;
  let heldBits = 0;
  let out = 0;
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i]!;
    if (code > top) {
      throw new Error(`Cannot pack code ${i} in ${bits} bits: needs at most ${top}: got ${code}`);
    }
    held |= code << heldBits;
    heldBits += bits;
    if (heldBits >= 8) {
      packed[out++] = held & 255;
      held >>= 8;
      heldBits -= 8;
    }
  }
  if (heldBits > 0) packed[out] = held;
  return packed;
}

/** What `unpack` needs to know of packed codes. */
export interface Packed {
  /** Bits of one code, 1 to 8. */
  readonly bits: number;
  /** Number of codes. */
  readonly count: number;
}

/** Gives back the codes that `pack` took. Throws when the bytes do not fit the count. */
export function unpack(bytes: Uint8Array, { bits, count }: Packed): Uint8Array {
  checkBits(bits);
  if (!Number.isSafeInteger(count) || count < 0 || bytes.length !== packedBytes(count, bits)) {
    throw new Error(
      `Cannot unpack ${count} codes of ${bits} bits: needs ${packedBytes(count, bits)} bytes: ` +
        `got ${bytes.length}`,
    );
  }
  const codes = new Uint8Array(count);
  const mask = 2 ** bits - 1;
  let held = 0;
  let heldBits = 0;
  let next = 0;
  for (let i = 0; i < count; i++) {
    if (heldBits < bits) {
      held |= bytes[next++]! << heldBits;
      heldBits += 8;
    }
    codes[i] = held & mask;
    held >>= bits;
    heldBits -= bits;
  }
  return codes;
}

function checkBits(bits: number): void {
  if (!Number.isInteger(bits) || bits < 1 || bits > 8) {
    throw new Error(`Cannot pack codes: needs 1 to 8 bits: got ${bits}`);
  }
}

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { pack, packedBytes, unpack } from "../../lib/quantize/mod.ts";

describe("pack", () => {
  it.each([
    [2, [1, 2, 3, 0, 3], [0b00_11_10_01, 0b11]],
    [4, [0x1, 0x2, 0xf], [0x21, 0x0f]],
    [8, [0, 255, 7], [0, 255, 7]],
    [1, [1, 0, 1, 1, 0, 0, 0, 1, 1], [0b10001101, 1]],
    // Codes 0 to 7 as one 24-bit number, first code lowest: octal 76543210.
    [3, [0, 1, 2, 3, 4, 5, 6, 7], [0o76543210 & 255, (0o76543210 >> 8) & 255, 0o76543210 >> 16]],
  ])("lays %i-bit codes out as documented", (bits, codes, bytes) => {
    expect([...pack(Uint8Array.from(codes), bits)]).toEqual(bytes);
  });

  it("keeps 32 3-bit codes in three 32-bit words", () => {
    const codes = Uint8Array.from({ length: 32 }, (_, i) => (i * 5) % 8);
    const number = codes.reduceRight((sum, code) => sum * 8n + BigInt(code), 0n);
    const words = new Uint32Array(pack(codes, 3).buffer);
    expect([...words]).toEqual(
      [0n, 32n, 64n].map((shift) => Number((number >> shift) & 0xffffffffn)),
    );
  });

  it("comes back, in the fewest whole bytes, whatever the width and length", () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 8 }), fc.uint8Array(), (bits, values) => {
      const codes = values.map((value) => value % 2 ** bits);
      const packed = pack(codes, bits);
      expect(packed.length).toBe(Math.ceil(codes.length * bits / 8));
      expect(packed.length).toBe(packedBytes(codes.length, bits));
      expect(unpack(packed, { bits, count: codes.length })).toEqual(codes);
    }));
  });

  it("rejects codes, widths and sizes that do not fit", () => {
    expect(() => pack(Uint8Array.of(1, 8), 3))
      .toThrow("Cannot pack code 1 in 3 bits: needs at most 7: got 8");
    for (const bits of [0, 9, 2.5, NaN]) {
      expect(() => pack(Uint8Array.of(0), bits)).toThrow(`needs 1 to 8 bits: got ${bits}`);
    }
    expect(() => unpack(new Uint8Array(3), { bits: 3, count: 9 })).toThrow("needs 4 bytes: got 3");
    expect(() => unpack(new Uint8Array(5), { bits: 3, count: 9 })).toThrow("needs 4 bytes: got 5");
    expect(() => unpack(new Uint8Array(0), { bits: 3, count: -1 })).toThrow("Cannot unpack -1");
  });
});

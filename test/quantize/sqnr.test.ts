import { describe, expect, it } from "vitest";
import { addErrors, errorSums, mseOf, quantize, sqnr, sqnrOf } from "../../lib/quantize/mod.ts";
import { numbers } from "./reference.ts";

const f32 = (...values: number[]) => Float32Array.from(values);

describe("sqnr", () => {
  it("is ten times the logarithm of signal over noise", () => {
    expect(sqnr([{ before: f32(3, 4), after: f32(3, 4.5) }])).toBeCloseTo(20, 12);
    expect(sqnr([{ before: f32(1), after: f32(1) }])).toBe(Infinity);
    expect(sqnr([{ before: f32(1, 1), after: f32(0, 0) }])).toBe(0);
  });

  it("of a model pools the sums of its layers", () => {
    const layers = [
      { before: f32(3, 4), after: f32(3, 4) },
      { before: f32(5, 0), after: f32(5, 5) },
    ];
    // Signal 50, noise 25.
    expect(sqnr(layers)).toBeCloseTo(10 * Math.log10(2), 12);
    const total = addErrors(layers.map(({ before, after }) => errorSums(before, after)));
    expect(sqnrOf(total)).toBe(sqnr(layers));
    expect(mseOf(total)).toBe(25 / 4);
  });

  it("of uniform weights rises by 6.02 dB a bit", () => {
    const weights = { rows: 64, columns: 1024, data: numbers(3, 65536) };
    const at = (bits: number) => quantize(weights, `rtn:bits=${bits},group=tensor`).error.sqnr;
    for (const bits of [4, 5, 6, 7]) {
      // One more level than the range needs: 2^b - 1 steps, so a little above 6.02 at few bits.
      const expected = 20 * Math.log10((2 ** (bits + 1) - 1) / (2 ** bits - 1));
      expect(at(bits + 1) - at(bits)).toBeCloseTo(expected, 1);
    }
  });

  it("rejects layers of unequal lengths", () => {
    expect(() => errorSums(f32(1, 2), f32(1))).toThrow("needs equal lengths: got 2 and 1");
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { quantize, roundHalfEven } from "../../lib/quantize/mod.ts";
import { numbers } from "./reference.ts";

const row = (...values: number[]) => ({
  rows: 1,
  columns: values.length,
  data: Float32Array.from(values),
});

describe("rtn from its definition", () => {
  it.each<[string, number[], number[], number[], number[]]>([
    // Symmetric 2-bit: step 2 max / 3, levels -2 to 1: -max becomes -4/3 max, max becomes 2/3 max.
    ["bits=2,symmetric=true", [-3, -1.2, 0.4, 3], [0, 1, 2, 3], [-4, -2, 0, 2], [2]],
    // Asymmetric: the range includes 0.
    ["bits=2", [-1, 2, 0.4, 0.6], [0, 3, 1, 2], [-1, 2, 0, 1], [1]],
    ["bits=2", [1, 3, 2, 0.4], [1, 3, 2, 0], [1, 3, 2, 0], [1]],
    ["bits=1", [-2, 1, -0.4, 0], [0, 1, 1, 1], [-3, 0, 0, 0], [3]],
    // Halves go to the even code.
    ["bits=3", [0.5, 1.5, 2.5, 7], [0, 2, 2, 7], [0, 2, 2, 7], [1]],
    ["bits=3", [-3.5, -2.5, 3.5, -0.5], [0, 2, 7, 4], [-4, -2, 3, 0], [1]],
    // Without a negative weight the symmetric range stays 0 to max, zero still in its middle: the
    // reference does so, and cuts off what is above.
    ["bits=2,symmetric=true", [0, 3, 2, 1.5], [2, 3, 3, 3], [0, 1, 1, 1], [1]],
    // A group of zeros takes the range -1 to 1.
    ["bits=1", [0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0], [2]],
    ["bits=1,symmetric=true", [0, 0, 0, 0], [1, 1, 1, 1], [0, 0, 0, 0], [2]],
  ])("%s of %j", (options, values, codes, weights, scales) => {
    const result = quantize(row(...values), `rtn:${options},scales=f32`);
    expect([...result.codes]).toEqual(codes);
    expect([...result.weights].map((value) => value + 0)).toEqual(weights);
    expect([...result.scales]).toEqual(scales);
  });

  it("shares a scale per tensor, row or group", () => {
    const weights = { rows: 2, columns: 4, data: numbers(1, 8) };
    const scales = (group: string | number) =>
      quantize(weights, `rtn:group=${group}`).scales.length;
    expect([scales("tensor"), scales("row"), scales(4), scales(2), scales(1)])
      .toEqual([1, 2, 2, 4, 8]);
    const groups = quantize(weights, "rtn:group=2");
    const rows = { rows: 4, columns: 2, data: weights.data };
    expect(quantize(rows, "rtn").weights).toEqual(groups.weights);
    const flat = { rows: 1, columns: 8, data: weights.data };
    expect(quantize(flat, "rtn").weights).toEqual(quantize(weights, "rtn:group=tensor").weights);
  });

  it("keeps scales in float16 and finds codes with float32 ones", () => {
    const weights = { rows: 4, columns: 16, data: numbers(5, 64) };
    const kept = quantize(weights, "rtn:bits=3,group=8");
    const full = quantize(weights, "rtn:bits=3,group=8,scales=f32");
    expect(kept.codes).toEqual(full.codes);
    expect([...kept.scales]).toEqual(Array.from(full.scales, Math.f16round));
    kept.weights.forEach((value, i) => {
      const group = Math.floor(i / 8);
      const steps = kept.codes[i]! - kept.zeroPoints![group]!;
      expect(value).toBe(Math.fround(kept.scales[group]! * steps));
    });
    expect(() => quantize(row(1e7, -1e7), "rtn:bits=2"))
      .toThrow("Cannot keep a scale in float16: needs at most 65504: got");
    expect(quantize(row(1e7, -1e7), "rtn:bits=2,scales=f32").error.mse).toBeLessThan(1.2e13);
  });

  it("changes nothing at 16 bits", () => {
    const weights = { rows: 2, columns: 3, data: numbers(2, 6) };
    const result = quantize(weights, "rtn:bits=16");
    expect(result.weights).toEqual(weights.data);
    expect(result.weights).not.toBe(weights.data);
    expect(result).toMatchObject({ bitsPerWeight: 16, error: { mse: 0, sqnr: Infinity } });
  });
});

// Without the smallest floats, whose steps are their own size.
const normal = fc.float({ noNaN: true, min: -1000, max: 1000 }).map((x) =>
  Math.abs(x) < 1e-30 ? 0 : x
);
const layer = fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 40 })).chain(
  ([rows, columns]) =>
    fc.array(normal, { minLength: rows * columns, maxLength: rows * columns })
      .map((values) => ({ rows, columns, data: Float32Array.from(values) })),
);
const settings = fc.record({ bits: fc.integer({ min: 1, max: 8 }), symmetric: fc.boolean() });

describe("rtn of any weights", () => {
  it("is within half a step inside the grid, and within one at its ends", () => {
    fc.assert(fc.property(layer, settings, (weights, { bits, symmetric }) => {
      const result = quantize(weights, `rtn:bits=${bits},symmetric=${symmetric},scales=f32`);
      weights.data.forEach((weight, i) => {
        const scale = result.scales[Math.floor(i / weights.columns)]!;
        const code = result.codes[i]!;
        expect(code).toBeLessThan(2 ** bits);
        const inside = code > 0 && code < 2 ** bits - 1;
        const start = i - i % weights.columns;
        const row = weights.data.subarray(start, start + weights.columns);
        if (symmetric && row.every((value) => value >= 0)) return;
        const error = Math.abs(weight - result.weights[i]!) / scale;
        expect(error).toBeLessThanOrEqual((inside ? 0.5 : 1) * 1.0001);
      });
    }));
  });

  it("doubles when the weights double", () => {
    fc.assert(fc.property(layer, settings, (weights, { bits, symmetric }) => {
      const spec = `rtn:bits=${bits},symmetric=${symmetric},scales=f32`;
      const twice = { ...weights, data: weights.data.map((value) => value * 2) };
      const [once, double] = [quantize(weights, spec), quantize(twice, spec)];
      expect(double.codes).toEqual(once.codes);
      expect(double.weights).toEqual(once.weights.map((value) => value * 2));
    }));
  });

  it("leaves weights that lie on the grid as they are", () => {
    for (const bits of [1, 2, 3, 4, 5, 6, 7, 8]) {
      const whole = row(...Array.from({ length: 2 ** bits }, (_, i) => (i - 2 ** (bits - 1)) / 8));
      const { codes, error } = quantize(whole, `rtn:bits=${bits}`);
      expect([...codes]).toEqual(Array.from({ length: 2 ** bits }, (_, i) => i));
      expect(error.mse).toBe(0);
    }
  });
});

describe("roundHalfEven", () => {
  it("sends halves to the even number and all else to the nearest", () => {
    const cases = [-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 2.4999, 2.5001, -7.5, 1e15, -0.2];
    expect(cases.map((x) => roundHalfEven(x) + 0)).toEqual([-2, -2, 0, 0, 2, 2, 2, 3, -8, 1e15, 0]);
  });
});

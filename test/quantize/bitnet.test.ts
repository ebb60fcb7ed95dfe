import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { quantizeActivations, quantizeWeights } from "../../lib/quantize/bitnet.ts";
import { quantize } from "../../lib/quantize/mod.ts";
import { row, same, sha256, vectors, weights } from "./formats.ts";
import { numbers } from "./reference.ts";

describe("against PyTorch (vectors/formats.py)", () => {
  it.each(["b1.58", "b1"] as const)("weights, %s", (variant) => {
    const { values } = quantizeWeights(numbers(5, 128), { variant });
    expect(sha256(values)).toBe(vectors.bitnet[variant]);
  });

  it("activations", () => {
    const activations = { rows: 64, columns: 256, data: numbers(3, 64 * 256) };
    expect(sha256(quantizeActivations(activations).values)).toBe(vectors.bitnet.activations);
  });
});

describe("b1.58", () => {
  it("rounds weights over their mean size to -1, 0 and 1, half to zero", () => {
    // Mean size 2: halves of it are 1.
    const layer = quantize(row(1, -1, 1.25, -1.25, 5.5), "bitnet");
    expect(layer.weights).toEqual(Float32Array.of(0, 0, 2, -2, 2));
    expect(layer.codes).toEqual(Uint8Array.of(1, 1, 2, 0, 2));
    expect(layer.bitsPerWeight).toBe(2 + 32 / 5);
    expect(layer.method).toBe("bitnet");
  });
});

describe("b1", () => {
  it("takes the sign about the mean and the mean size, and counts the mean as negative", () => {
    // Mean 1, mean size 2.
    const layer = quantize(row(1, -1, 3, -1, 4, 0), "bitnet:variant=b1");
    const size = Math.fround(10 / 6);
    expect(layer.weights).toEqual(Float32Array.of(-size, -size, size, -size, size, -size));
    expect(layer.codes).toEqual(Uint8Array.of(0, 0, 1, 0, 1, 0));
    expect(layer.bitsPerWeight).toBe(1 + 32 / 6);
  });
});

describe.each(["b1", "b1.58"] as const)("%s", (variant) => {
  it("doubles with its weights", () => {
    fc.assert(fc.property(weights, (values) => {
      // Below a mean size of 1e-5 the scale of b1.58 is held.
      fc.pre(values.some((x) => Math.abs(x) > 0.01));
      const given = Float32Array.from(values);
      const once = quantizeWeights(given, { variant }).values;
      const twice = quantizeWeights(given.map((x) => 2 * x), { variant }).values;
      expect(same(twice, once.map((x) => 2 * x))).toBe(true);
    }));
  });

  it("gives zeros for zeros", () => {
    const { values } = quantizeWeights(new Float32Array(4), { variant });
    expect(same(values, [0, 0, 0, 0])).toBe(true);
  });
});

it("b1.58 follows signs, and b1 does where no weight is the mean", () => {
  fc.assert(fc.property(weights, (values) => {
    const given = Float32Array.from(values);
    const mean = Math.fround(given.reduce((sum, x) => sum + x, 0) / given.length);
    for (const variant of ["b1", "b1.58"] as const) {
      if (variant === "b1" && given.includes(mean)) continue;
      const once = quantizeWeights(given, { variant }).values;
      const negative = quantizeWeights(given.map((x) => -x), { variant }).values;
      expect(same(negative, once.map((x) => -x))).toBe(true);
    }
  }));
});

describe("activations", () => {
  it("have a scale for each token and 127 steps, half to even", () => {
    const data = Float32Array.of(127, -127, 0.5, 1.5, -1, 0.25, 0.125, 0, 0, 0, 0, 0);
    const { values, scales } = quantizeActivations({ rows: 3, columns: 4, data });
    expect(values.subarray(0, 4)).toEqual(Float32Array.of(127, -127, 0, 2));
    expect(scales[0]).toBe(1);
    expect(scales[1]).toBeCloseTo(1 / 127, 8);
    expect(Array.from(values.subarray(4, 8), (x) => Math.round(x * 127))).toEqual([
      -127,
      32,
      16,
      0,
    ]);
    expect(same(values.subarray(8), [0, 0, 0, 0])).toBe(true);
  });

  it("err by at most half a step", () => {
    fc.assert(fc.property(weights, (values) => {
      const { values: rounded, scales } = quantizeActivations(row(...values));
      rounded.forEach((x, i) => {
        expect(Math.abs(x - values[i]!)).toBeLessThanOrEqual(scales[0]! / 2 * (1 + 1e-4));
      });
    }));
  });
});

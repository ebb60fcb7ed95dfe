import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { outlierColumns } from "../../lib/quantize/int8.ts";
import { quantize } from "../../lib/quantize/mod.ts";
import { row, same, sha256, vectors, weights } from "./formats.ts";
import { numbers } from "./reference.ts";

const layer = { rows: 64, columns: 256, data: numbers(3, 64 * 256) };

it("gives the codes and values of bitsandbytes", () => {
  const { codes, weights } = quantize(layer, "int8");
  expect(sha256(codes)).toBe(vectors.int8.codes);
  expect(sha256(weights)).toBe(vectors.int8.values);
});

it("rounds each row to 127 steps on both sides, half to even", () => {
  const data = Float32Array.of(127, -127, 0.5, 1.5, -2.5, 0, 254, 1, -1, -3, 5, 2);
  const { codes, scales, weights, bitsPerWeight } = quantize({ rows: 2, columns: 6, data }, "int8");
  expect(Array.from(new Int8Array(codes.buffer)))
    .toEqual([127, -127, 0, 2, -2, 0, 127, 0, 0, -2, 2, 1]);
  expect(scales).toEqual(Float32Array.of(127, 254));
  weights.forEach((w, i) => {
    expect(w).toBeCloseTo(new Int8Array(codes.buffer)[i]! * scales[Math.floor(i / 6)]! / 127, 4);
  });
  expect(bitsPerWeight).toBe((12 * 8 + 2 * 32) / 12);
});

describe("properties", () => {
  it("changes no code the second time, follows signs and doubles with its weights", () => {
    fc.assert(fc.property(weights, (values) => {
      const once = quantize(row(...values), "int8");
      expect(quantize(row(...once.weights), "int8").codes).toEqual(once.codes);
      for (const times of [-1, 2]) {
        const { weights } = quantize(row(...values.map((x) => times * x)), "int8");
        expect(same(weights, once.weights.map((x) => times * x))).toBe(true);
      }
    }));
  });

  it("errs by at most half a step", () => {
    fc.assert(fc.property(weights, (values) => {
      const greatest = Math.max(...values.map(Math.abs));
      quantize(row(...values), "int8").weights.forEach((w, i) => {
        expect(Math.abs(w - values[i]!)).toBeLessThanOrEqual(greatest / 254 * (1 + 1e-4));
      });
    }));
  });

  it("gives zeros for rows of zeros, and works at the ends of float32", () => {
    expect(same(quantize(row(0, -0, 0), "int8").weights, [0, 0, 0])).toBe(true);
    for (const size of [2 ** -140, 2 ** 120]) {
      const { codes } = quantize(row(size, -size, 0, size / 4), "int8");
      expect(Array.from(new Int8Array(codes.buffer))).toEqual([127, -127, 0, 32]);
    }
  });
});

describe("outlier columns", () => {
  const weights = {
    rows: 2,
    columns: 4,
    data: Float32Array.of(0.1, 60, -0.5, 1, 0.2, 0.3, 0.25, -2),
  };
  const activations = {
    rows: 3,
    columns: 4,
    data: Float32Array.of(1, 0, 5.99, 0, 0, -6, 0, 0, 2, 7, 0, 0),
  };

  it("are the features that reach the threshold, on either side", () => {
    expect(outlierColumns(activations, 6)).toEqual([1]);
    expect(outlierColumns(activations, 5.5)).toEqual([1, 2]);
    expect(outlierColumns(activations, 8)).toEqual([]);
  });

  it("stay at 16 bits and do not stretch their rows' scales", () => {
    const layer = quantize(weights, "int8", { activations });
    expect(layer.report).toEqual({ outlierColumns: 1 });
    expect(layer.scales).toEqual(Float32Array.of(1, 2));
    expect([layer.weights[1], layer.weights[5]]).toEqual([60, Math.f16round(0.3)]);
    expect(layer.weights[2]).toBeCloseTo(-0.5, 2);
    expect(layer.codes[1]).toBe(0);
    // 6 codes of 8 bits, 2 scales and a column number of 32, 2 weights of 16.
    expect(layer.bitsPerWeight).toBe((6 * 8 + 3 * 32 + 2 * 16) / 8);
    expect(layer.storage.map(({ name, values }) => [name, values.length])).toEqual([
      ["codes", 6],
      ["scales", 2],
      ["outlier_columns", 1],
      ["outlier_weights", 2],
    ]);
  });

  it("are not looked for without activations, or with threshold 0", () => {
    expect(quantize(weights, "int8").report).toEqual({ outlierColumns: 0 });
    expect(quantize(weights, "int8:threshold=0", { activations }).scales)
      .toEqual(Float32Array.of(60, 2));
  });

  it("may be all of them", () => {
    const all = quantize(weights, "int8:threshold=0.5", {
      activations: { rows: 1, columns: 4, data: Float32Array.of(1, 1, 1, 1) },
    });
    expect(all.weights).toEqual(weights.data.map(Math.f16round));
  });

  it("must be in reach of float16", () => {
    const large = { ...weights, data: weights.data.map((x) => x * 1e5) };
    expect(() => quantize(large, "int8", { activations })).toThrow(
      "Cannot keep outlier column 1 in float16: needs at most 65504: got 6000000",
    );
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { quantize } from "../../lib/quantize/mod.ts";
import { makeLayer, numbers } from "./reference.ts";

describe("hqq", () => {
  const { weights } = makeLayer({ rows: 8, columns: 64, tokens: 1, seed: 3 });

  it("stores scales and zero points from which the weights come back", () => {
    for (const scales of ["f16", "f32"]) {
      const result = quantize(weights, `hqq:bits=3,scales=${scales}`);
      result.weights.forEach((value, i) => {
        const row = Math.floor(i / 64);
        const steps = Math.fround(result.codes[i]! - result.zeroPoints![row]!);
        expect(value).toBe(Math.fround(steps * result.scales[row]!));
      });
      expect(result.bitsPerWeight).toBe(3 + (scales === "f16" ? 32 : 64) / 64);
    }
  });

  it("lowers the error of the grid it starts from", () => {
    for (const bits of [2, 3, 4]) {
      // The same grid, from the least to the greatest weight, with a whole zero point.
      const activations = { rows: 1, columns: 64, data: new Float32Array(64).fill(1) };
      const spec = `awq:bits=${bits},group=64,clip=false`;
      const start = quantize(weights, spec, { activations }).error.mse;
      expect(quantize(weights, `hqq:bits=${bits}`).error.mse).toBeLessThan(start);
    }
  });

  it("gives a group of equal weights back", () => {
    for (const value of [0, 0.25, -3]) {
      const data = new Float32Array(8).fill(value);
      const result = quantize({ rows: 1, columns: 8, data }, "hqq:group=8,scales=f32");
      result.weights.forEach((weight) => expect(weight).toBeCloseTo(value, 5));
    }
  });

  it("shifts with the weights, for errors too small to be shrunk", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e6 }), (seed) => {
        const data = numbers(seed, 64);
        const shifted = data.map((value) => value + 4);
        const run = (data: Float32Array) =>
          quantize({ rows: 1, columns: 64, data }, "hqq:bits=3,scales=f32");
        expect(run(shifted).codes).toEqual(run(data).codes);
      }),
      { numRuns: 30 },
    );
  });

  it("changes nothing at 16 bits", () => {
    expect(quantize(weights, "hqq:bits=16").weights).toEqual(weights.data);
  });
});

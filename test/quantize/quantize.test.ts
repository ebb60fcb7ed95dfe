import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { methods, pack, quantize } from "../../lib/quantize/mod.ts";
import { makeLayer, numbers } from "./reference.ts";

const names = Object.keys(methods);

describe("every method of the registry", () => {
  const { weights, activations } = makeLayer({ rows: 6, columns: 128, tokens: 200, seed: 14 });

  it.each(names)("%s returns a whole result", (name) => {
    const before = weights.data.slice();
    const result = quantize(weights, name, { activations });
    expect(weights.data).toEqual(before);
    expect(result.method).toBe(name);
    expect(result.weights.length).toBe(weights.data.length);
    expect(result.weights.every(Number.isFinite)).toBe(true);
    expect(result.codes.length).toBe(weights.data.length);
    expect(result.scales.every((scale) => Number.isFinite(scale))).toBe(true);
    expect(result.error.sqnr).toBeGreaterThan(0);
    expect(result.error.hessian!).toBeGreaterThan(0);
    const mean = weights.data.reduce((sum, w, i) => sum + (w - result.weights[i]!) ** 2, 0) / 768;
    expect(result.error.mse).toBeCloseTo(mean, 10);
    // Bits per weight are those of the bytes that packing makes, but for the last byte of a part.
    const bytes = result.storage.map(({ values, bits }) =>
      bits <= 8 ? pack(values as Uint8Array, bits).length : values.length * bits / 8
    );
    const total = bytes.reduce((sum, size) => sum + size, 0);
    expect(total * 8 / 768 - result.bitsPerWeight).toBeGreaterThanOrEqual(0);
    expect(total - result.bitsPerWeight * 768 / 8).toBeLessThan(result.storage.length);
  });

  it.each(names)("%s gives the same bytes again", (name) => {
    const [a, b] = [1, 2].map(() => quantize(weights, name, { activations }));
    expect(a!.weights).toEqual(b!.weights);
    expect(a!.storage).toEqual(b!.storage);
  });

  it.each(names)("%s takes layers of zeros", (name) => {
    const zeros = { ...weights, data: new Float32Array(768) };
    const result = quantize(zeros, name, { activations });
    expect([...result.weights].every((value) => value === 0)).toBe(true);
    expect(result.error).toMatchObject({ mse: 0, sqnr: Infinity, hessian: 0 });
  });

  it.each(names)("%s takes any finite weights and gives finite ones, or says why not", (name) => {
    const any = fc.float({ noNaN: true, noDefaultInfinity: true });
    fc.assert(
      fc.property(fc.array(any, { minLength: 128, maxLength: 128 }), (values) => {
        const layer = { rows: 1, columns: 128, data: Float32Array.from(values) };
        let result;
        try {
          result = quantize(layer, name, { activations });
        } catch (error) {
          expect((error as Error).message).toMatch(/float16|too large/);
          return;
        }
        expect(result.weights.every(Number.isFinite)).toBe(true);
        expect(result.scales.every(Number.isFinite)).toBe(true);
      }),
      { numRuns: 25 },
    );
  });
});

describe("bits per weight", () => {
  // Sizes of published GPTQ files of Pythia models (huggingface.co/Xu-Ouyang), in GB: group 128,
  // embeddings and head in float16, all four linear layers of each block quantized.
  it.each([
    ["160M", 4, 768, 12, 0.199],
    ["1B", 2, 2048, 16, 0.629],
    ["1.4B", 2, 2048, 24, 0.738],
    ["1.4B", 3, 2048, 24, 0.89],
    ["2.8B", 4, 2560, 32, 1.83],
    ["6.9B", 2, 4096, 32, 2.56],
    ["12B", 2, 5120, 36, 4.08],
  ])("gives the size of Pythia-%s at %i bits", (_, bits, width, blocks, gigabytes) => {
    const weights = { rows: 1, columns: 256, data: numbers(1, 256) };
    const hessian = { rows: 256, columns: 256, data: new Float64Array(65536) };
    const { bitsPerWeight } = quantize(weights, `gptq:paper,bits=${bits}`, { hessian });
    expect(bitsPerWeight).toBe(bits + (16 + bits) / 128);
    const vocabulary = width < 4096 ? 50304 : width < 5120 ? 50432 : 50688;
    const linear = 12 * width ** 2 * blocks * bitsPerWeight / 8;
    const other = (2 * vocabulary * width + 13 * width * blocks) * 2;
    // Beside these a file holds int32 group indices, 4 bytes for each input of a linear layer.
    const indices = 4 * 7 * width * blocks;
    const predicted = (linear + other + indices) / 1e9;
    expect(Math.abs(predicted / gigabytes - 1)).toBeLessThan(0.005);
  });
});

describe("quantize rejects", () => {
  const good = { rows: 2, columns: 3, data: new Float32Array(6).fill(1) };
  const bad = (value: number) => ({ ...good, data: Float32Array.of(0, 1, 2, 3, value, 5) });

  it.each([
    ["too few weights", { ...good, data: new Float32Array(5) }, "[2, 3]: needs 6 values"],
    ["too many weights", { ...good, data: new Float32Array(7) }, "at least 1: got 7"],
    ["no weights", { rows: 0, columns: 3, data: new Float32Array(0) }, "at least 1: got 0"],
    ["no columns", { rows: 2, columns: 0, data: new Float32Array(0) }, "got [2, 0]"],
    ["a broken shape", { ...good, rows: 1.5 }, "needs a shape of whole numbers: got [1.5, 3]"],
    ["NaN", bad(NaN), "Cannot use weights: needs finite values: got NaN at row 1, column 1"],
    ["infinity", bad(-Infinity), "got -Infinity at row 1, column 1"],
    [
      "a range beyond float32",
      { rows: 1, columns: 2, data: Float32Array.of(-3e38, 3e38) },
      "too large for float32",
    ],
  ])("%s", (_, weights, message) => {
    expect(() => quantize(weights, "rtn:scales=f32")).toThrow(message);
  });

  it("activations of another width, or none, or not finite", () => {
    const run = (activations: typeof good) => () => quantize(good, "rtn", { activations });
    expect(run({ rows: 1, columns: 2, data: new Float32Array(2) }))
      .toThrow("Cannot use activations: needs [tokens, 3] with at least 1 token: got [1, 2]");
    expect(run({ rows: 0, columns: 3, data: new Float32Array(0) })).toThrow(
      "Cannot use activations",
    );
    expect(run(bad(Infinity))).toThrow("Cannot use activations: needs finite values: got Infinity");
  });

  it("methods that lack their calibration, and names the layer", () => {
    expect(() => quantize(good, "gptq", { name: "h.1.mlp" })).toThrow(
      "Layer h.1.mlp: Cannot quantize with gptq without calibration: needs a Hessian or activations",
    );
  });
});

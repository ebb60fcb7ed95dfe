import { describe, expect, it } from "vitest";
import {
  factorHessian,
  HessianAccumulator,
  hessianError,
  hessianOf,
  quantize,
} from "../../lib/quantize/mod.ts";
import { invert, makeLayer, numbers } from "./reference.ts";

const square = (...data: number[]) => {
  const size = Math.sqrt(data.length);
  return { rows: size, columns: size, data: Float64Array.from(data) };
};

describe("HessianAccumulator", () => {
  it("is twice the mean over sequences of the sum over tokens of x x^T", () => {
    const hessian = new HessianAccumulator(2);
    hessian.add({ rows: 2, columns: 2, data: Float32Array.of(1, 2, 3, 0) });
    expect([...hessian.data]).toEqual([2 * 10, 2 * 2, 2 * 2, 2 * 4]);
    hessian.add({ rows: 1, columns: 2, data: Float32Array.of(0, 2) });
    expect([...hessian.data]).toEqual([10, 2, 2, 4 + 4]);
    expect(hessian.sequences).toBe(2);
  });

  it("does not depend on how sequences are batched", () => {
    const { activations } = makeLayer({ rows: 1, columns: 12, tokens: 60, seed: 3 });
    const part = (from: number, rows: number) => ({
      rows,
      columns: 12,
      data: activations.data.slice(from * 12, (from + rows) * 12),
    });
    const one = new HessianAccumulator(12);
    one.add(activations, 6);
    const many = new HessianAccumulator(12);
    many.add(part(0, 10));
    many.add(part(10, 30), 3);
    many.add(part(40, 20), 2);
    one.data.forEach((value, i) => expect(many.data[i]).toBeCloseTo(value, 4));
    for (let i = 0; i < 12; i++) {
      for (let j = 0; j < i; j++) expect(one.data[i * 12 + j]).toBe(one.data[j * 12 + i]);
    }
  });

  it("rejects another width", () => {
    const batch = { rows: 1, columns: 3, data: new Float32Array(3) };
    expect(() => new HessianAccumulator(2).add(batch)).toThrow("needs 2 columns: got 3");
  });
});

describe("factorHessian", () => {
  const { activations } = makeLayer({ rows: 1, columns: 20, tokens: 50, seed: 9 });
  const hessian = hessianOf(activations);

  it("gives U with U^T U = (unit (H + damping mean(diag H) I))^-1", () => {
    const { upper, unit, damping, raised } = factorHessian(hessian, { damping: 0.05 });
    expect([damping, raised]).toEqual([0.05, false]);
    const diagonal = Array.from({ length: 20 }, (_, i) => hessian.data[i * 21]!);
    const mean = diagonal.reduce((a, b) => a + b) / 20;
    const damped = Array.from({ length: 20 }, (_, i) =>
      Array.from(
        { length: 20 },
        (_, j) => hessian.data[i * 20 + j]! + (i === j ? 0.05 * mean : 0),
      ));
    const inverse = invert(damped);
    const product = (i: number, j: number) =>
      Array.from({ length: 20 }, (_, k) => upper[k * 20 + i]! * upper[k * 20 + j]!)
        .reduce((a, b) => a + b);
    expect(Math.log2(unit) % 2).toBeCloseTo(0, 15);
    for (let i = 0; i < 20; i++) {
      for (let j = 0; j < 20; j++) {
        expect(product(i, j) * unit).toBeCloseTo(inverse[i]![j]!, 10);
        if (j < i) expect(upper[i * 20 + j]).toBe(0);
      }
    }
  });

  it("raises the damping tenfold from 0.01 until the matrix is positive definite", () => {
    // Eigenvalues 1 + r and 1 - r, so that a damping above r - 1 is needed.
    const tried = (r: number, damping: number) =>
      factorHessian(square(1, r, r, 1), { damping }).damping;
    expect(tried(1.005, 0)).toBe(0.01);
    expect(tried(1.05, 0)).toBe(0.1);
    expect(tried(1.05, 0.04)).toBe(0.4);
    expect(tried(1.05, 0.06)).toBe(0.06);
    expect(tried(9, 0.01)).toBe(10);
    // One token in two columns: singular without damping.
    expect(factorHessian(square(4, 2, 2, 1), { damping: 0 })).toMatchObject({ raised: true });
  });

  it("fails with a damping that is enough", () => {
    const hopeless = square(1, 50, 50, 1);
    expect(() => factorHessian(hopeless, { damping: 0.01 })).toThrow(
      "not positive definite with a damping of 10: try damping=54, or more calibration tokens",
    );
    expect(factorHessian(hopeless, { damping: 54 }).raised).toBe(false);
  });

  it("stays in float32's range for tiny and huge Hessians", () => {
    for (const size of [1e-300, 1e-30, 1e30, 1e290]) {
      const scaled = { ...hessian, data: hessian.data.map((value) => value * size) };
      const { upper } = factorHessian(scaled, { damping: 0.01 });
      const [least, most] = [Math.min(...upper.map(Math.abs)), Math.max(...upper.map(Math.abs))];
      expect(least).toBeGreaterThanOrEqual(0);
      expect(most).toBeLessThan(100);
      for (let i = 0; i < 20; i++) expect(upper[i * 21]).toBeGreaterThan(1e-3);
    }
  });
});

describe("hessianError", () => {
  it("is trace(E H E^T)", () => {
    const before = { rows: 2, columns: 2, data: Float32Array.of(1, 2, 3, 4) };
    const after = Float32Array.of(0, 1, 3, 2);
    // Rows of E: (1, 1) and (0, 2).
    expect(hessianError(before, after, square(2, 1, 1, 3))).toBe(2 + 1 + 1 + 3 + 4 * 3);
  });

  it("is twice the squared error of one sequence's outputs", () => {
    const { weights, activations } = makeLayer({ rows: 5, columns: 16, tokens: 30, seed: 4 });
    const result = quantize(weights, "rtn:bits=3", { activations });
    let squares = 0;
    for (let token = 0; token < 30; token++) {
      for (let row = 0; row < 5; row++) {
        let change = 0;
        for (let i = 0; i < 16; i++) {
          const at = row * 16 + i;
          change += activations.data[token * 16 + i]! * (weights.data[at]! - result.weights[at]!);
        }
        squares += change ** 2;
      }
    }
    expect(result.error.hessian! / (2 * squares)).toBeCloseTo(1, 5);
  });
});

describe("a Hessian that cannot be used", () => {
  const weights = { rows: 1, columns: 2, data: numbers(1, 2) };
  it.each([
    [
      "another shape",
      { rows: 3, columns: 3, data: new Float64Array(9) },
      "needs [2, 2]: got [3, 3]",
    ],
    ["too few values", { rows: 2, columns: 2, data: new Float64Array(3) }, "with 3 values"],
    ["NaN on the diagonal", square(NaN, 0, 0, 1), "needs a diagonal of 0 or more: got NaN at 0"],
    ["a negative diagonal", square(1, 0, 0, -1), "got -1 at 1"],
    ["NaN off the diagonal", square(1, NaN, NaN, 1), "needs a finite symmetric matrix: got NaN"],
    ["infinity", square(Infinity, 0, 0, 1), "needs a finite symmetric matrix: got Infinity"],
    ["asymmetry", square(1, 0.5, 0.1, 1), "got 0.1 at [1, 0] and 0.5 at [0, 1]"],
  ])("%s", (_, hessian, message) => {
    expect(() => quantize(weights, "gptq", { hessian, name: "h.0" })).toThrow(message);
    expect(() => quantize(weights, "gptq", { hessian, name: "h.0" })).toThrow(/^Layer h\.0: /);
  });
});

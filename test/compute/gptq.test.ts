import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type FindGrid, type GptqOptions, type Grid, loadKernel } from "../../lib/compute/mod.ts";
import { normals, plainGptq } from "./reference.ts";

const kernel = loadKernel();

/**
 * H = X^T X / tokens + damping, from inputs whose columns are correlated; then its inverse's
 * factor.
 */
function makeFactor(seed: number, columns: number): Float64Array {
  const tokens = 2 * columns;
  const x = normals(seed, tokens * columns);
  for (let i = 1; i < x.length; i++) x[i] = (x[i] ?? 0) + 0.7 * (x[i - 1] ?? 0);
  const hessian = new Float64Array(columns * columns);
  kernel.hessian({ inputs: x, rows: tokens, columns, hessian, scale: 1 / tokens, beta: 0 });
  for (let i = 0; i < columns; i++) hessian[i * (columns + 1)]! += 0.01;
  expect(kernel.inverseFactor({ a: hessian, n: columns })).toBeUndefined();
  return hessian;
}

const fp4: Grid = {
  levels: Float32Array.of(-6, -4, -3, -2, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2, 3, 4, 6),
  thresholds: Float32Array.of(
    ...[-5, -3.5, -2.5, -1.75, -1.25, -0.75, -0.25, 0.25, 0.75, 1.25, 1.75, 2.5, 3.5, 5],
  ),
};

const layers: [string, Partial<GptqOptions> & Pick<GptqOptions, "rows" | "columns" | "grid">][] = [
  ["one weight", { rows: 1, columns: 1, grid: { maxq: 3 } }],
  ["a row of 7", { rows: 1, columns: 7, grid: { maxq: 7 } }],
  ["ragged strips, tiles and blocks", { rows: 13, columns: 155, grid: { maxq: 15 } }],
  ["groups", { rows: 16, columns: 256, grid: { maxq: 7 }, group: 64 }],
  ["blocks of 32", { rows: 9, columns: 100, grid: { maxq: 3 }, group: 20, block: 32 }],
  ["blocks of 1", { rows: 9, columns: 30, grid: { maxq: 3 }, block: 1 }],
  ["a table of levels", { rows: 10, columns: 140, grid: fp4, group: 35 }],
];

/** A complete layer: normal weights, and scales and zero points that differ from group to group. */
function layer(
  shape: Partial<GptqOptions> & Pick<GptqOptions, "rows" | "columns" | "grid">,
): GptqOptions {
  const { rows, columns, grid, group = columns } = shape;
  const groups = rows * columns / group;
  const codes = "maxq" in grid ? grid.maxq : 12;
  return {
    weights: normals(1, rows * columns),
    factor: makeFactor(2, columns),
    scale: normals(3, groups).map((x) => (1 + 0.2 * Math.abs(x)) * 5 / codes),
    zero: normals(4, groups).map((x) => Math.round(codes / 2 + x)),
    ...shape,
  };
}

describe("gptq", () => {
  it.each(layers)("has every bit of the plain column loop: %s", (_, shape) => {
    const options = layer(shape);
    const expected = plainGptq(options);
    const codes = new Uint8Array(options.rows * options.columns);
    const { loss } = kernel.gptq({ ...options, codes });
    expect(expected.weights.every(Number.isFinite)).toBe(true);
    expect(options.weights).toEqual(expected.weights);
    expect(codes).toEqual(expected.codes);
    expect(loss).toBeCloseTo(expected.loss, 6);
  });

  it("takes the group of each column from groupOf", () => {
    const groupOf = Int32Array.from({ length: 96 }, (_, column) => (column * 7) % 3);
    const options = layer({ rows: 5, columns: 96, group: 32, grid: { maxq: 7 }, groupOf });
    const expected = plainGptq(options);
    kernel.gptq(options);
    expect(options.weights).toEqual(expected.weights);
  });

  it("is round-to-nearest when the inputs are uncorrelated, H = c I", () => {
    const [rows, columns] = [20, 130];
    const factor = new Float64Array(columns * columns);
    for (let i = 0; i < columns; i++) factor[i * (columns + 1)] = 0.37;
    const options = { ...layer({ rows, columns, grid: { maxq: 7 }, group: 26 }), factor };
    const rounded = options.weights.slice();
    kernel.round({ ...options, values: rounded, width: 26, output: rounded });
    kernel.gptq(options);
    expect(options.weights).toEqual(rounded);
  });

  it("finds grids from the weights as the errors so far have left them", () => {
    // The plain loop over 40 columns, stopped at column 20, shows what the second group looks like
    // by then.
    const [rows, columns, group] = [11, 40, 20];
    const options = layer({ rows, columns, grid: { maxq: 7 }, group });
    const given = { scale: options.scale.slice(), zero: options.zero!.slice() };
    const expected = plainGptq(options);
    const stale = options.weights.slice();
    const parts: Float32Array[] = [];
    const find: FindGrid = (values, width, scale, zero) => {
      expect([width, zero[0]]).toEqual([group, 0]);
      const g = parts.push(values.slice()) - 1;
      for (let row = 0; row < rows; row++) {
        scale[row] = given.scale[row * 2 + g]!;
        zero[row] = given.zero[row * 2 + g]!;
      }
    };
    const work = { ...options, find, scale: new Float32Array(22), zero: new Float32Array(22) };
    kernel.gptq({ ...work, block: group });
    expect(options.weights).toEqual(expected.weights);
    expect(work.scale).toEqual(given.scale);
    expect(work.zero).toEqual(given.zero);
    const half = (w: Float32Array, g: number) =>
      w.filter((_, at) => Math.floor(at % columns / group) === g);
    expect(parts[0]).toEqual(half(stale, 0));
    const u = (i: number, j: number) => Math.fround(options.factor[i * columns + j]!);
    const updated = stale.slice();
    for (let row = 0; row < rows; row++) {
      const w = updated.subarray(row * columns, (row + 1) * columns);
      for (let i = 0; i < group; i++) {
        const e = Math.fround(Math.fround(w[i]! - expected.weights[row * columns + i]!) / u(i, i));
        for (let j = i + 1; j < columns; j++) w[j] = w[j]! - Math.fround(e * u(i, j));
      }
    }
    expect(parts[1]).toEqual(half(updated, 1));
    // In one block of all columns, both grids are found before anything has changed.
    parts.length = 0;
    kernel.gptq({ ...work, weights: stale, block: columns });
    expect(parts[1]).not.toEqual(half(updated, 1));
  });

  it("never does worse than round-to-nearest, measured by its own Hessian", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1000 }), fc.constantFrom(3, 7, 15), (seed, maxq) => {
        const [rows, columns] = [8, 60];
        const factor = makeFactor(seed, columns);
        const weights = normals(seed, rows * columns);
        const shared = { rows, columns, factor, grid: { maxq }, scale: new Float32Array(rows) };
        shared.scale.fill(6 / maxq);
        const zero = new Float32Array(rows).fill((maxq + 1) / 2);
        const [ours, rounded] = [weights.slice(), new Float32Array(weights.length)];
        kernel.gptq({ ...shared, weights: ours, zero });
        kernel.round({ ...shared, values: weights, width: columns, zero, output: rounded });
        expect(proxyLoss(weights, ours, factor, columns))
          .toBeLessThanOrEqual(proxyLoss(weights, rounded, factor, columns));
      }),
      { seed: 5, numRuns: 30 },
    );
  });

  it("writes the same inside the kernel's memory and outside", () => {
    kernel.scope(() => {
      const options = layer({ rows: 11, columns: 77, grid: { maxq: 7 } });
      const [inside, codes] = [kernel.float32(11 * 77), kernel.uint8(11 * 77)];
      inside.set(options.weights);
      const others = new Uint8Array(11 * 77);
      const first = kernel.gptq({ ...options, codes: others });
      expect(kernel.gptq({ ...options, weights: inside, codes })).toEqual(first);
      expect(inside).toEqual(options.weights);
      expect(codes).toEqual(others);
    });
  });

  it.each([
    [{ group: 5 }, "the group must divide the 12 columns: got 5"],
    [{ block: 0 }, "block must be a whole number of at least 1: got 0"],
    [{ rows: 3 }, "weights [3, 12] needs 36 values: got 24"],
    [{ factor: new Float64Array(12) }, "factor [12, 12] needs 144 values: got 12"],
    [{ group: 4 }, "scale [2, 3] needs 6 values: got 2"],
    [
      { groupOf: new Int32Array(12).fill(1) },
      "groupOf must hold groups from 0 to 0: got 1 for column 0",
    ],
    [{ groupOf: new Int32Array(12), find: () => {} }, "do not give find too"],
  ])("refuses what does not fit: %j", (change, message) => {
    const options = {
      ...{ weights: new Float32Array(24), rows: 2, columns: 12, grid: { maxq: 3 } },
      ...{ factor: new Float64Array(144), scale: new Float32Array(2) },
    };
    const wrong = () => kernel.gptq({ ...options, ...change });
    expect(wrong).toThrow("Cannot run the column loop of GPTQ: ");
    expect(wrong).toThrow(message);
  });
});

/** tr(E H E^T) with H^-1 = U^T U: the sum of squares of E U^-1, row by row by substitution. */
function proxyLoss(w: Float32Array, q: Float32Array, u: Float64Array, n: number): number {
  let total = 0;
  for (let row = 0; row < w.length; row += n) {
    const y = new Float64Array(n);
    for (let j = 0; j < n; j++) {
      let value = w[row + j]! - q[row + j]!;
      for (let k = 0; k < j; k++) value -= y[k]! * u[k * n + j]!;
      y[j] = value / u[j * n + j]!;
      total += y[j]! ** 2;
    }
  }
  return total;
}

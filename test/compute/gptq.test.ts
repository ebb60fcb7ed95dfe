import { describe, expect, it } from "vitest";
import { type GptqOptions, type Grid, loadKernel } from "../../lib/compute/mod.ts";
import { normals, plainGptq } from "./reference.ts";

const kernel = loadKernel();

/** H = X^T X / tokens + damping, from inputs whose columns are correlated; then its inverse's factor. */
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
});

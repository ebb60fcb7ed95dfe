import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { normals } from "../../lib/random.ts";
import { changeOf, weightChanges } from "../../lib/measure/mod.ts";
import { tinyConfig, tinyModel, writeTiny } from "./tiny.ts";

const scratch = mkdtempSync(join(tmpdir(), "fluctuation-"));
afterAll(() => rmSync(scratch, { recursive: true }));

describe("the change of a matrix", () => {
  it("has the quantiles of a normal distribution when the changes are normal", () => {
    const [rows, columns] = [256, 128];
    const data = normals(rows * columns, { seed: 1 });
    const change = normals(rows * columns, { seed: 2 });
    const before = { rows, columns, data };
    const after = { rows, columns, data: data.map((value, i) => value + 0.01 * change[i]!) };
    const { quantiles, rmsChange, rmsWeight, weights } = changeOf(before, after);
    // Quantiles of the standard normal distribution at 0.75, 0.95 and 0.99.
    const expected = { q75: 0.6745, q95: 1.6449, q99: 2.3263 };
    for (const [name, value] of Object.entries(expected)) {
      expect(Math.abs(100 * quantiles[name as "q75"] / value - 1)).toBeLessThan(0.03);
    }
    expect(quantiles.q25).toBeCloseTo(-quantiles.q75, 3);
    expect(rmsChange).toBeCloseTo(0.01, 3);
    expect(rmsWeight).toBeCloseTo(1, 1);
    expect(weights).toBe(rows * columns);
  });

  it("has the steps of the paper's grid: twice the largest weight of a group over 2^bits - 1", () => {
    const data = Float32Array.from({ length: 64 }, (_, i) => (i % 32 === 5 ? -3 : 0.01 * (i % 7)));
    const matrix = { rows: 2, columns: 32, data };
    expect(changeOf(matrix, matrix).steps).toEqual({
      2: 2,
      3: expect.closeTo(6 / 7),
      4: expect.closeTo(0.4),
    });
  });

  it("needs one shape", () => {
    const of = (rows: number) => ({ rows, columns: 32, data: new Float32Array(32 * rows) });
    expect(() => changeOf(of(1), of(2))).toThrow("needs one shape: got [1, 32] and [2, 32]");
  });
});

describe("the changes between two checkpoints", () => {
  it("are those of the four maps of every layer", () => {
    const [before, after] = [1, 2].map((seed) => writeTiny(join(scratch, `step${seed}`), seed));
    const changes = weightChanges(before!, after!);
    expect(changes).toHaveLength(4 * tinyConfig.layers);
    expect(new Set(changes.map(({ layer }) => layer))).toEqual(new Set([0, 1]));
    const name = "gpt_neox.layers.1.mlp.dense_h_to_4h.weight";
    const [was, is] = [1, 2].map((seed) => tinyModel(seed).model.tensors().get(name)!.data);
    const squares = is!.reduce((sum, value, i) => sum + (value - was![i]!) ** 2, 0);
    const found = changes.find(({ layer, matrix }) =>
      layer === 1 && matrix === "mlp.dense_h_to_4h"
    )!;
    expect(found.rmsChange).toBeCloseTo(Math.sqrt(squares / is!.length), 6);
  });
});

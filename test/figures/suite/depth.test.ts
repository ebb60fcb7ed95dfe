import pl from "nodejs-polars";
import { describe, expect, it } from "vitest";
import {
  depthLaws,
  depthLines,
  type DepthRow,
  depthRows,
  suiteDepth,
} from "../../../lib/figures/suite/depth.ts";
import { textBoxes } from "../text_boxes.ts";

const tokens = 2 ** 24;
const byDepth: Record<number, number> = { 1: 0.4, 2: 0.8, 3: 1, 6: 1.5 };
const exponents: Record<number, number> = { 2: 0.4, 3: 0.6, 4: 0.7 };
const qid = (size: number, depth: number, bits: number) =>
  byDepth[depth]! * 10 ** (2 - bits) * (size / 1e5) ** -exponents[bits]!;
const sizeOf = (width: number, depth: number) => 12 * depth * width ** 2;

function frame(shapes: readonly (readonly [number, number])[], more: Record<string, unknown> = {}) {
  return pl.DataFrame(shapes.flatMap(([width, depth]) =>
    [2, 3, 4].map((bits) => {
      const size = sizeOf(width, depth);
      const columns = { width, depth, size, tokens, bits, schedule: "cosine", decay_to: tokens };
      const model = `w${width}-d${depth}`;
      return { model, ...columns, loss16: 2 - depth / 10, qid: qid(size, depth, bits), ...more };
    })
  ));
}
const study = frame([[64, 1], [64, 2], [64, 6], [160, 1], [128, 2], [96, 3]]);
const schedules = pl.concat([
  frame([[32, 3], [64, 3]]),
  frame([[64, 3]], { qid: 9, decay_to: tokens * 4 }),
  frame([[64, 3]], { qid: 9, schedule: "constant", decay_to: 0 }),
]);
const main = frame([[32, 3], [64, 3], [96, 3], [128, 3]]);

describe("width or depth", () => {
  const rows: DepthRow[] = depthRows(study, schedules);

  it("has the study's models and the depth 3 of its narrow width, at the end of their schedules", () => {
    const shapes = rows.filter(({ bits }) => bits === 3).map(({ width, depth }) =>
      `${width} ${depth}`
    );
    expect(shapes).toEqual(["64 1", "160 1", "64 2", "128 2", "64 3", "96 3", "64 6"]);
    expect(Math.max(...rows.map(({ qid }) => qid))).toBeLessThan(9);
  });

  it("compares with a line of depth 3 that has the main series' exponent", () => {
    for (const { bits, sizeExponent, at } of depthLines(rows, main)) {
      expect(sizeExponent).toBeCloseTo(exponents[bits]!, 6);
      for (const row of rows.filter((row) => row.bits === bits)) {
        expect(row.qid / at(row.size)).toBeCloseTo(byDepth[row.depth]!, 6);
      }
    }
  });

  it("has exponents of size and of depth", () => {
    const power = (row: DepthRow) => ({ ...row, qid: 3 * row.size ** -0.5 * row.depth ** 0.8 });
    for (const law of depthLaws(rows.map(power))) {
      expect(law.sizeExponent).toBeCloseTo(0.5, 6);
      expect(law.depthExponent).toBeCloseTo(0.8, 6);
    }
    expect(() => depthLaws(rows.map((row) => ({ ...row, depth: 3 })))).toThrow(
      /Cannot tell depth from size at 2 bits/,
    );
  });

  it("has no line where the main series has too few sizes", () => {
    expect(depthLines(rows, frame([[32, 3], [64, 3]]))).toEqual([]);
  });

  it("is drawn from what there is", () => {
    const texts = textBoxes(suiteDepth({ rows, main }).svg).map(({ text }) => text);
    for (const text of ["depth 1", "depth 6", "width 64", "Over depth 3 of the same N"]) {
      expect(texts).toContain(text);
    }
  });

  it("is an error without models", () => {
    expect(() => depthRows(study.filter(pl.col("depth").gt(9)), schedules)).toThrow(
      /needs measured models of the series depth .*: got none/,
    );
  });
});

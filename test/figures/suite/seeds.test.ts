import pl from "nodejs-polars";
import { describe, expect, it } from "vitest";
import {
  seedExponents,
  seedRows,
  seedSpreads,
  suiteSeeds,
  typicalSpread,
} from "../../../lib/figures/suite/seeds.ts";
import { textBoxes } from "../text_boxes.ts";

const bytes = [20, 21, 22, 23, 24].map((power) => 2 ** power);
const factors = [1, 2, 4];

/** A run whose QiD is a power of the bytes, times a factor of its seed. */
function run(size: number, seed: number, ends = bytes) {
  return ends.flatMap((tokens) =>
    [2, 3, 4].map((bits) => ({
      ...{ model: `w${size}-s${seed}`, method_name: "gptq", size, tokens, bits },
      ...{ loss16: 2, loss_quantized: 2.1, qid_se: 1e-4 },
      qid: factors[seed]! * 10 ** -bits * (tokens / 1e6) ** (0.5 + seed / 10),
    }))
  );
}
const main = pl.DataFrame([...run(40_000, 0), ...run(90_000, 0)]);
const seeds = pl.DataFrame([...run(40_000, 1), ...run(40_000, 2, bytes.slice(0, 4))]);

describe("runs that differ in their seeds", () => {
  const rows = seedRows(seeds, main);

  it("are compared at the checkpoints that all of them have", () => {
    expect(new Set(rows.map(({ size }) => size))).toEqual(new Set([40_000]));
    expect(Math.max(...rows.map(({ tokens }) => tokens))).toBe(bytes[3]);
    expect(rows).toHaveLength(3 * 4 * 3);
  });

  it("spread as the logarithms of their factors do", () => {
    const three = factors.flatMap((factor, seed) =>
      run(40_000, 0, [1e6]).map((row) => ({
        ...{ ...row, model: `s${seed}`, label: "40k", qid: factor * row.qid },
      }))
    );
    // 1, 2 and 4 times a QiD: a sample deviation of ln 2.
    for (const { deviation, runs } of seedSpreads(three)) {
      expect(runs).toBe(3);
      expect(deviation).toBeCloseTo(Math.log(2), 12);
    }
    const late = seedSpreads(three).map((spread) => ({ ...spread, tokens: 2 ** 22 }));
    expect(typicalSpread(late)).toBeCloseTo(2, 12);
  });

  it("have no spread where a run has no degradation", () => {
    const one = rows.map((row, i) => i === 0 ? { ...row, qid: -1e-4 } : row);
    expect(seedSpreads(one)).toHaveLength(seedSpreads(rows).length - 1);
  });

  it("have an exponent each", () => {
    for (const { each, first } of seedExponents(rows)) {
      [0.5, 0.6, 0.7].forEach((exponent, i) => expect(each[i]).toBeCloseTo(exponent, 6));
      expect(first.value).toBe(each[0]);
    }
  });

  it("are drawn", () => {
    const texts = textBoxes(suiteSeeds({ rows }).svg).map(({ text }) => text);
    for (const text of ["40k, 3 seeds", "40k, one fit", "Between seeds, 2 bits"]) {
      expect(texts).toContain(text);
    }
  });

  it("are an error when there are none", () => {
    expect(() => seedRows(seeds.filter(pl.col("bits").gt(9)), main)).toThrow(
      /needs measured rows of the series seeds: got none/,
    );
  });
});

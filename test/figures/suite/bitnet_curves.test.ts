import pl from "nodejs-polars";
import { describe, expect, it } from "vitest";
import { bitnetContrasts, bitnetRuns, lossGap, suiteFigure14 } from "../../../lib/figures/mod.ts";
import { textBoxes } from "../text_boxes.ts";

const shape = { width: 32, depth: 3, size: 38_176, seed: 0, tokens: 2 ** 24, schedule: "cosine" };
const runs = [
  { ...shape, run: "full", bit_linear: "none", peak_rate: 0.01 },
  { ...shape, run: "full-fast", bit_linear: "none", peak_rate: 0.02 },
  { ...shape, run: "three", bit_linear: "b1.58", peak_rate: 0.01 },
  { ...shape, run: "three-fast", bit_linear: "b1.58", peak_rate: 0.02 },
  { ...shape, run: "two-fast", bit_linear: "b1", peak_rate: 0.02 },
  // Not like any of BitNet's: another length, another schedule, another depth.
  { ...shape, run: "long", bit_linear: "none", peak_rate: 0.01, tokens: 2 ** 26 },
  { ...shape, run: "still", bit_linear: "none", peak_rate: 0.01, schedule: "constant" },
  { ...shape, run: "deep", bit_linear: "none", peak_rate: 0.01, depth: 6 },
];
const above: Record<string, number> = {
  ...{ full: 0, "full-fast": 0.02, three: 0.1, "three-fast": -0.05, "two-fast": 0.3 },
};
const tokens = [2 ** 19, 2 ** 22, 2 ** 24];
const at = (run: string) => tokens.map((tokens) => ({ run, tokens, loss: 2 + (above[run] ?? 9) }));
const names = runs.map(({ run }) => run);
const tables = {
  runs: pl.DataFrame(runs),
  training: pl.DataFrame(names.flatMap(at)),
  bitnet: pl.DataFrame(
    ["three", "three-fast", "two-fast"].flatMap(at).flatMap((row) => [
      { ...row, loss: row.loss + 0.01, test_set: "in_domain" },
      { ...row, loss: 99, test_set: "out_of_domain" },
    ]),
  ),
  fullPrecision: [
    pl.DataFrame(
      ["full", "full-fast", "still"].flatMap(at).flatMap(({ run, tokens, loss }) =>
        [2, 3].map((bits) => ({ model: run, tokens, bits, loss16: loss + 0.01 }))
      ),
    ),
  ],
};

describe("the runs of BitNet's study", () => {
  const study = bitnetRuns(tables);

  it("are BitNet's, and those in full precision that differ from them in nothing else", () => {
    expect(study.map(({ run }) => run)).toEqual([
      ...["full", "full-fast", "three", "three-fast", "two-fast"],
    ]);
  });

  it("have each held-out loss once, on the text of the same kind", () => {
    for (const { heldOut, training } of study) {
      expect(heldOut.map(({ tokens }) => tokens)).toEqual(tokens);
      heldOut.forEach(({ loss }, i) => expect(loss - training[i]!.loss).toBeCloseTo(0.01, 9));
    }
  });

  it("are compared at equal rates and each at its own, as far as they are there", () => {
    const contrasts = bitnetContrasts(study).map(({ heading, full, binary }) => [
      ...[heading, full.run, ...binary.map(({ run }) => run)],
    ]);
    expect(contrasts).toEqual([
      ["equal rates", "full", "three"],
      ["equal rates, BitNet's", "full-fast", "three-fast", "two-fast"],
      ["each at its own rate", "full", "three-fast", "two-fast"],
    ]);
  });

  it("are compared at equal rates alone while no other rate is there, and the caption says so", () => {
    const slow = study.filter(({ peakRate }) => peakRate === 0.01);
    expect(bitnetContrasts(slow).map(({ heading }) => heading)).toEqual(["equal rates"]);
    expect(suiteFigure14({ runs: slow }).caption).toMatch(
      /Not in the tables yet: N.=.38k, equal rates, BitNet's; N.=.38k, each at its own rate\.$/,
    );
  });

  it("have gaps only where both were measured", () => {
    const [full, , three] = study;
    const gap = lossGap(three!.training, full!.training.slice(1));
    expect(gap.map(({ tokens }) => tokens)).toEqual(tokens.slice(1));
    for (const { loss } of gap) expect(loss).toBeCloseTo(0.1, 9);
  });

  it("are drawn, and the caption says by how much they end ahead or behind", () => {
    const { svg, caption } = suiteFigure14({ runs: study });
    const texts = textBoxes(svg).map(({ text }) => text);
    expect(texts).toContain("N = 38k, equal rates");
    expect(texts).toContain("Gap, each at its own rate");
    expect(caption).toMatch(
      /b1\.58 \+0\.100 at N.=.38k with equal rates; b1\.58 −0\.070, b1 \+0\.280 at/,
    );
  });
});

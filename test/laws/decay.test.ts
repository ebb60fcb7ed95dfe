import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { linearRegression } from "simple-statistics";
import { describe, expect, it } from "vitest";
import { type DecayForm, type DecayRow, fitDecay } from "../../lib/laws/mod.ts";

const truth = { tokens: 0.6, decay: 0.35, scales: { small: 3e-4, large: 1e-4 } };
const tokenCounts = [2e6, 4e6, 8e6, 1.6e7, 3.2e7];
const rates = [1, 0.8, 0.4, 0.1];

/** Rows of the law, each off by a relative error of up to `noise`. */
function planted(form: DecayForm, noise = 0, seed = 1): DecayRow[] {
  const random = xoroshiro128plus(seed);
  return Object.entries(truth.scales).flatMap(([curve, scale]) =>
    tokenCounts.flatMap((tokens) =>
      rates.map((rate) => {
        const decay = form === "power" ? rate ** -truth.decay : Math.exp(truth.decay * (1 - rate));
        const off = 1 + noise * (2 * uniformFloat64(random) - 1);
        return { curve, tokens, rate, qid: scale * tokens ** truth.tokens * decay * off };
      })
    )
  );
}

describe("the law of tokens and decay", () => {
  it.each(["exponential", "power"] as const)("gives planted parameters back (%s)", (form) => {
    const rows = planted(form);
    const { exponents, scales, rSquared, predict } = fitDecay(rows, { form });
    expect(exponents.tokens!.value).toBeCloseTo(truth.tokens, 9);
    expect(exponents.decay!.value).toBeCloseTo(truth.decay, 9);
    for (const [curve, scale] of Object.entries(truth.scales)) {
      expect(scales[curve]! / scale).toBeCloseTo(1, 7);
    }
    expect(rSquared).toBeCloseTo(1, 9);
    for (const row of rows) expect(predict(row) / row.qid).toBeCloseTo(1, 9);
  });

  it("holds the truth within three standard errors of noisy rows, nearly always", () => {
    const misses = Array.from({ length: 40 }, (_, seed) => {
      const { exponents } = fitDecay(planted("exponential", 0.2, seed + 2));
      return (["tokens", "decay"] as const).filter((term) => {
        const { value, standardError } = exponents[term]!;
        return Math.abs(value - truth[term]) > 3 * standardError;
      }).length;
    });
    expect(misses.reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(2);
    const { exponents } = fitDecay(planted("exponential", 0.2));
    expect(exponents.decay!.standardError).toBeGreaterThan(0.005);
  });

  it("of tokens alone over one curve is the regression of the logarithms", () => {
    const rows = planted("exponential", 0.3).filter(({ curve }) => curve === "small");
    const line = linearRegression(rows.map(({ tokens, qid }) => [Math.log(tokens), Math.log(qid)]));
    const { exponents, scales } = fitDecay(rows, { terms: ["tokens"] });
    expect(exponents.tokens!.value).toBeCloseTo(line.m, 9);
    expect(Math.log(scales.small!)).toBeCloseTo(line.b, 7);
    expect(exponents.decay).toBeUndefined();
  });

  it("tells decay from tokens where each D is a curve of its own", () => {
    const rows = planted("exponential").map((row) => ({
      ...row,
      curve: `${row.curve} ${row.tokens}`,
    }));
    expect(fitDecay(rows, { terms: ["decay"] }).exponents.decay!.value).toBeCloseTo(truth.decay, 9);
  });

  it("explains no less with both terms than with one", () => {
    const rows = planted("exponential", 0.3);
    const both = fitDecay(rows).rSquared;
    for (const term of ["tokens", "decay"] as const) {
      const { rSquared } = fitDecay(rows, { terms: [term] });
      expect(rSquared).toBeGreaterThan(0);
      expect(rSquared).toBeLessThan(both);
    }
  });
});

describe("the law of tokens and decay refuses", () => {
  const rows = planted("exponential");
  it("values that have no logarithm, and names the row", () => {
    const wrong = rows.map((row, i) => i === 2 ? { ...row, qid: -0.1 } : row);
    expect(() => fitDecay(wrong)).toThrow(/must be above 0: got .*-0\.1 in row 3/);
    expect(() => fitDecay([{ ...rows[0]!, rate: 0 }])).toThrow(/must be above 0/);
  });

  it("fewer rows than it has parameters", () => {
    expect(() => fitDecay(rows.slice(0, 3))).toThrow(/needs more than 3 rows: got 3/);
  });

  it("rows of one schedule, which cannot tell the terms apart", () => {
    expect(() => fitDecay(rows.filter(({ rate }) => rate === 1))).toThrow(
      /do not determine it .*equal tokens at different rates/,
    );
  });

  it("to predict for a curve that it never saw", () => {
    const { predict } = fitDecay(rows);
    expect(() => predict({ curve: "huge", tokens: 1e6, rate: 1 })).toThrow(
      "Cannot predict for the curve huge: fitted were small, large",
    );
  });
});

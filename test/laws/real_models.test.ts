import { describe, expect, it } from "vitest";
import {
  agreement,
  metaAnalysis,
  predict,
  publicFrame,
  type PublicPoint,
  publicPoints,
  published,
  tokenPairs,
  transfer,
} from "../../lib/laws/mod.ts";
import { loadPublic } from "../../lib/public.ts";

const law = { scale: 0.02, tokenExponent: 0.4, sizeExponent: 0.3, bitExponent: 5 };
const families = [["A", 2e11], ["B", 1e12], ["C", 2e12], ["D", 1.5e13]] as const;

/** Rows of four families on a law, times a factor. */
function planted(factor: (family: string, index: number) => number): PublicPoint[] {
  return families.flatMap(([family, tokens]) =>
    [1e9, 7e9, 7e10].flatMap((size) =>
      [2, 3, 4].map((bits, i) => ({
        ...{ family, model: `${family}-${size / 1e9}B`, training: "base", size_known: "computed" },
        ...{ size, tokens, bits, method: "gptq", setting: "none", group_size: 0 },
        ...{ effective_bits: bits, test: "wikitext2", confirmed: "confirmed", tables: family },
        qid: predict("unified", law, { size, tokens, bits }) * factor(family, i),
      }))
    )
  );
}

describe("agreement", () => {
  it("of a law with rows on it is 1, with full rank correlation", () => {
    const [all] = agreement("unified", law, planted(() => 1));
    expect(all!.ratio).toBeCloseTo(1, 10);
    expect(all!.rankCorrelation).toBeCloseTo(1, 10);
    expect(all!.rows).toBe(36);
  });

  it("keeps groups apart, in their order", () => {
    const points = planted((family) => family === "B" ? 0.5 : 1);
    const found = agreement("unified", law, points, ({ family }) => family);
    expect(found.map(({ group, ratio }) => [group, Number(ratio.toFixed(6))])).toEqual(
      [["A", 1], ["B", 2], ["C", 1], ["D", 1]],
    );
  });
});

describe("transfer", () => {
  it("carries a law from each family to each other at the right token exponent", () => {
    const found = transfer(planted(() => 1), { tokenExponent: 0.4 });
    expect(found).toHaveLength(12);
    for (const { ratio, error } of found) {
      expect(ratio).toBeCloseTo(1, 6);
      expect(error).toBeLessThan(1e-6);
    }
  });

  it("misses by the ratio of tokens to the power of what is left out", () => {
    const found = transfer(planted(() => 1), { tokenExponent: 0 });
    const one = found.find(({ trained, tested }) => trained === "A" && tested === "D")!;
    expect(one.ratio).toBeCloseTo((2e11 / 1.5e13) ** 0.4, 6);
  });
});

describe("meta-analysis", () => {
  it("finds planted exponents behind family effects and noise without correlation", () => {
    const effect: Record<string, number> = { A: 1.02, B: 0.98, C: 0.98, D: 1.02 };
    const points = planted((family, i) => effect[family]! * [1.01, 0.98, 1.01][i]!);
    const { exponents, intervals, failed, families } = metaAnalysis(points, { resamples: 200 });
    expect(exponents.sizeExponent).toBeCloseTo(0.3, 6);
    expect(exponents.bitExponent).toBeCloseTo(5, 1);
    expect(exponents.tokenExponent).toBeCloseTo(0.4, 1);
    expect(intervals.tokenExponent[0]).toBeLessThan(0.4);
    expect(intervals.tokenExponent[1]).toBeGreaterThan(0.4);
    expect(failed).toBeLessThan(20);
    expect(families).toEqual(["A", "B", "C", "D"]);
  });

  it("gives the same from the same seed", () => {
    const points = planted((_, i) => 1 + i / 10);
    const once = () => metaAnalysis(points, { resamples: 50, seed: 3 }).intervals;
    expect(once()).toEqual(once());
  });
});

describe("pairs of models", () => {
  it("give back the token exponent at equal size", () => {
    const pairs = tokenPairs(planted(() => 1), ["B-7B", "D-7B"], {
      law: "unified",
      parameters: law,
    });
    expect(pairs.map(({ bits }) => bits)).toEqual([2, 3, 4]);
    for (const { tokenExponent, ratio, lawRatio } of pairs) {
      expect(tokenExponent).toBeCloseTo(0.4, 10);
      expect(ratio).toBeCloseTo(lawRatio, 10);
    }
  });
});

describe("public points", () => {
  const frame = loadPublic();

  it("are one a model and setting, the mean over tables in the logarithm", () => {
    const points = publicPoints(frame, { methods: ["gptq"], groupSize: 0 });
    const names = points.map(({ model, bits }) => `${model} ${bits}`);
    expect(new Set(names).size).toBe(names.length);
    const one = points.find(({ model, bits }) => model === "LLaMA-7B" && bits === 4)!;
    expect(one.tables).toBe("ist-gptq omniquant");
    const expected = Math.sqrt(Math.log(6.09 / 5.68) * Math.log(6.13 / 5.68));
    expect(one.qid).toBeCloseTo(expected, 5);
  });

  it("leave out what is suspect, collapsed, below the printed digits or of unknown tokens", () => {
    const points = publicPoints(frame, { bits: [2, 3, 4, 8] });
    const models = new Set(points.map(({ model }) => model));
    for (const model of ["Mistral-7B", "GPT2", "Qwen3-8B"]) expect(models.has(model)).toBe(false);
    for (const { qid, tokens } of points) {
      expect(qid).toBeGreaterThan(0);
      expect(qid).toBeLessThanOrEqual(3);
      expect(tokens).toBeGreaterThan(0);
    }
  });

  it("make a frame with numbers and words", () => {
    const points = publicPoints(frame, { methods: ["gptq"] });
    expect(publicFrame(points).height).toBe(points.length);
    expect(() => publicFrame([])).toThrow("needs at least 1: got 0");
  });

  it("the published law ranks GPTQ rows and foretells 1.5 times too much, 4.3 times in groups", () => {
    const found = [0, 128].map((groupSize) =>
      agreement(
        "unified",
        published.unified,
        publicPoints(frame, { methods: ["gptq"], groupSize }),
      )[0]!
    );
    expect(found.map(({ ratio }) => Number(ratio.toFixed(1)))).toEqual([1.5, 4.3]);
    for (const { rankCorrelation } of found) expect(rankCorrelation).toBeGreaterThan(0.8);
  });
});

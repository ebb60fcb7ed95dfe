import { describe, expect, it } from "vitest";
import { tokensReaching } from "../../../lib/figures/suite/crossing.ts";

const law = (tokens: number) => 1e-4 * tokens ** 0.7;
const curve = [1e5, 1e6, 1e7].map((tokens) => ({ tokens, qid: law(tokens) }));

describe("where a curve reaches a QiD", () => {
  it("is exact on a power law", () => {
    for (const tokens of [2e5, 1e6, 7e6]) {
      expect(tokensReaching(curve, law(tokens))! / tokens).toBeCloseTo(1, 9);
    }
  });

  it("is nowhere when the curve never gets there or starts above", () => {
    expect(tokensReaching(curve, 10)).toBeUndefined();
    expect(tokensReaching(curve, 1e-9)).toBeUndefined();
  });

  it("is where the curve rises for the last time, and at a checkpoint after one without a logarithm", () => {
    const bumpy = [[1, 0.1], [2, 0.3], [3, 0.1], [4, 0.4]].map(([tokens, qid]) => ({
      tokens: tokens!,
      qid: qid!,
    }));
    const at = tokensReaching(bumpy, 0.2)!;
    expect(at > 3 && at < 4).toBe(true);
    expect(tokensReaching([{ tokens: 1, qid: -0.1 }, { tokens: 2, qid: 0.2 }], 0.1)).toBe(2);
  });
});

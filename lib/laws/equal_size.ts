/** Two models of nearly equal size and different training tokens, measured alike. */
import { median } from "simple-statistics";
import { type Law, LawError } from "./law.ts";
import { predict } from "./predict.ts";
import type { PublicPoint } from "./real_models.ts";

/** One comparison: the same method, bits, groups and test on both models. */
export interface TokenPair {
  readonly fewer: string;
  readonly more: string;
  /** Method, with its setting where it has one. */
  readonly method: string;
  readonly bits: number;
  readonly group_size: number;
  readonly qidFewer: number;
  readonly qidMore: number;
  /** QiD of the model that saw more / QiD of the other. */
  readonly ratio: number;
  /** What a law says of that ratio, for the sizes and tokens of both; NaN where the law has no such bits. */
  readonly lawRatio: number;
  /** ln(ratio) / ln(ratio of tokens): the exponent that this one comparison would give; NaN at equal tokens. */
  readonly tokenExponent: number;
}

/** All settings that two models share, in the order of bits and methods; `law` with its parameters foretells. */
export function tokenPairs(
  points: readonly PublicPoint[],
  [fewer, more]: readonly [string, string],
  { law, parameters }: { law: Law | string; parameters: Record<string, number> },
): TokenPair[] {
  const keyOf = ({ method, setting, bits, group_size }: PublicPoint) =>
    JSON.stringify([method, setting, bits, group_size]);
  const others = new Map(
    points.filter(({ model }) => model === more).map((point) => [keyOf(point), point]),
  );
  return points.filter(({ model }) => model === fewer).flatMap((a) => {
    const b = others.get(keyOf(a));
    if (b === undefined) return [];
    const at = ({ size, tokens, bits }: PublicPoint) =>
      predict(law, parameters, { size, tokens, bits });
    const ratio = b.qid / a.qid;
    return [{
      fewer,
      more,
      method: a.setting === "none" ? a.method : a.setting,
      bits: a.bits,
      group_size: a.group_size,
      qidFewer: a.qid,
      qidMore: b.qid,
      ratio,
      lawRatio: at(b) / at(a),
      tokenExponent: b.tokens === a.tokens ? NaN : Math.log(ratio) / Math.log(b.tokens / a.tokens),
    }];
  }).sort((a, b) =>
    a.bits - b.bits || a.method.localeCompare(b.method) || a.group_size - b.group_size
  );
}

/** All settings of two models in one row. */
export type PairSummary = {
  readonly pair: string;
  readonly settings: number;
  /** Settings in which the model that saw more loses more. */
  readonly larger: number;
  /** Median, least and largest QiD of that model / QiD of the other, and what the law says. */
  readonly ratio: number;
  readonly low: number;
  readonly high: number;
  readonly lawRatio: number;
  /** Median of the exponents of the single comparisons. */
  readonly tokenExponent: number;
};

/** The settings that two models share, summed up; an error where they share none. */
export function summarizePairs(pairs: readonly TokenPair[]): PairSummary {
  if (pairs.length === 0) {
    throw new LawError("Cannot compare two models: needs at least 1 setting of both: got 0");
  }
  const ratios = pairs.map(({ ratio }) => ratio);
  return {
    pair: `${pairs[0]!.fewer} → ${pairs[0]!.more}`,
    settings: pairs.length,
    larger: ratios.filter((ratio) => ratio > 1).length,
    ratio: median(ratios),
    low: Math.min(...ratios),
    high: Math.max(...ratios),
    lawRatio: pairs[0]!.lawRatio,
    tokenExponent: median(pairs.map(({ tokenExponent }) => tokenExponent)),
  };
}

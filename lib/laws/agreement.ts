/** A law as it stands against measured rows. */
import { max, median, min, sampleRankCorrelation } from "simple-statistics";
import type { Law } from "./law.ts";
import { predict } from "./predict.ts";

/** A measured row, as a law reads it. */
export interface MeasuredPoint {
  readonly size: number;
  readonly tokens: number;
  readonly bits: number;
  /** Nats per token. */
  readonly qid: number;
}

/** How a law agrees with the rows of one group. */
export type Agreement = {
  readonly group: string;
  readonly rows: number;
  /** Median of predicted / measured, and its extremes. */
  readonly ratio: number;
  readonly low: number;
  readonly high: number;
  /** Spearman's rank correlation of prediction and measurement; NaN below 3 rows or where all are equal. */
  readonly rankCorrelation: number;
};

/** Predicted / measured QiD of one row. */
export function predictedRatio(
  law: Law | string,
  parameters: Record<string, number>,
  { size, tokens, bits, qid }: MeasuredPoint,
): number {
  return predict(law, parameters, { size, tokens, bits }) / qid;
}

/**
 * Compares a law's predictions with measured rows, group by group, in the order in which groups appear;
 * `groupOf` names the group of a row. Nothing is fitted.
 */
export function agreement<P extends MeasuredPoint>(
  law: Law | string,
  parameters: Record<string, number>,
  points: readonly P[],
  groupOf: (point: P) => string = () => "all",
): Agreement[] {
  const groups = new Map<string, P[]>();
  for (const point of points) {
    groups.set(groupOf(point), [...groups.get(groupOf(point)) ?? [], point]);
  }
  return [...groups].map(([group, rows]) => {
    const predicted = rows.map(({ size, tokens, bits }) =>
      predict(law, parameters, { size, tokens, bits })
    );
    const measured = rows.map(({ qid }) => qid);
    const ratios = predicted.map((value, i) => value / measured[i]!);
    const ranked = rows.length >= 3 && [predicted, measured].every((one) => new Set(one).size > 1);
    return {
      group,
      rows: rows.length,
      ratio: median(ratios),
      low: min(ratios),
      high: max(ratios),
      rankCorrelation: ranked ? sampleRankCorrelation(predicted, measured) : NaN,
    };
  });
}

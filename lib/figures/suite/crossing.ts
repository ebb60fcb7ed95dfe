/** Where a measured curve of QiD reaches a value. */

/** A point of the curve. */
export interface CurvePoint {
  readonly tokens: number;
  readonly qid: number;
}

/**
 * The training tokens at which a curve, sorted by tokens, last rises to `qid`: on the straight line between the two
 * checkpoints around it, in the logarithms of both. Undefined when it never gets there, or starts above.
 */
export function tokensReaching(curve: readonly CurvePoint[], qid: number): number | undefined {
  const above = curve.findLastIndex((point) => !(point.qid >= qid)) + 1;
  const [before, after] = [curve[above - 1], curve[above]];
  if (before === undefined || after === undefined) return undefined;
  if (!(before.qid > 0)) return after.tokens;
  const share = Math.log(qid / before.qid) / Math.log(after.qid / before.qid);
  return before.tokens * (after.tokens / before.tokens) ** share;
}

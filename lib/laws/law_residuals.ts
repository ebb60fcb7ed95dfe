/** The residuals of a law as a least-squares problem takes them, evaluated once for values and derivatives. */
import type { Columns, Law } from "./law.ts";
import type { LeastSquaresOptions } from "./least_squares.ts";

/** How residuals are taken. */
export interface LawResidualsOptions {
  /** Take the logarithm of prediction and observation. Default: false. */
  readonly logSpace?: boolean;
  /** For each parameter, whether the solver works in its natural logarithm. Default: none. */
  readonly logarithmic?: readonly boolean[];
}

/** The rows that residuals are of. */
export interface Sample {
  columns: Columns;
  /** The observed response of each row: nats per token, or their logarithms in log space. */
  observed: Float64Array;
}

/**
 * Prediction minus observation of every row, and its derivatives. The sample may be replaced by one of no more
 * rows, for the next fit.
 */
export function lawResiduals(
  law: Law,
  sample: Sample,
  { logSpace = false, logarithmic = [] }: LawResidualsOptions = {},
): Required<Pick<LeastSquaresOptions, "residuals" | "jacobian">> {
  const width = law.parameters.length;
  const natural = new Float64Array(width);
  const values = new Float64Array(sample.columns.rows);
  const slopes = new Float64Array(sample.columns.rows * width);
  const last = new Float64Array(width);
  let seen: Columns | undefined;

  function evaluate(theta: Float64Array): void {
    if (seen === sample.columns && theta.every((value, j) => value === last[j])) return;
    seen = sample.columns;
    last.set(theta);
    for (let j = 0; j < width; j++) natural[j] = logarithmic[j] ? Math.exp(theta[j]!) : theta[j]!;
    law.evaluate(natural, seen, values, slopes);
  }

  function residuals(theta: Float64Array, out: Float64Array): void {
    evaluate(theta);
    for (let i = 0; i < out.length; i++) {
      out[i] = (logSpace ? Math.log(values[i]!) : values[i]!) - sample.observed[i]!;
    }
  }

  function jacobian(theta: Float64Array, out: Float64Array): void {
    evaluate(theta);
    out.set(slopes.subarray(0, out.length));
    for (let j = 0; j < width; j++) {
      if (!logSpace && !logarithmic[j]) continue;
      const factor = logarithmic[j] ? natural[j]! : 1;
      for (let i = 0; i < sample.columns.rows; i++) {
        out[i * width + j] = out[i * width + j]! * factor / (logSpace ? values[i]! : 1);
      }
    }
  }

  return { residuals, jacobian };
}

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

/**
 * Prediction minus observation of every row, and its derivatives. `observed` holds nats per token, or their
 * logarithms in log space.
 */
export function lawResiduals(
  law: Law,
  { columns, observed }: { readonly columns: Columns; readonly observed: Float64Array },
  { logSpace = false, logarithmic = [] }: LawResidualsOptions = {},
): Required<Pick<LeastSquaresOptions, "rows" | "residuals" | "jacobian">> {
  const { rows } = columns;
  const width = law.parameters.length;
  const last = new Float64Array(width).fill(NaN);
  const natural = new Float64Array(width);
  const values = new Float64Array(rows);
  const slopes = new Float64Array(rows * width);

  function evaluate(theta: Float64Array): void {
    if (theta.every((value, j) => value === last[j])) return;
    last.set(theta);
    for (let j = 0; j < width; j++) natural[j] = logarithmic[j] ? Math.exp(theta[j]!) : theta[j]!;
    law.evaluate(natural, columns, values, slopes);
  }

  function residuals(theta: Float64Array, out: Float64Array): void {
    evaluate(theta);
    for (let i = 0; i < rows; i++) {
      out[i] = (logSpace ? Math.log(values[i]!) : values[i]!) - observed[i]!;
    }
  }

  function jacobian(theta: Float64Array, out: Float64Array): void {
    evaluate(theta);
    out.set(slopes);
    for (let j = 0; j < width; j++) {
      if (!logSpace && !logarithmic[j]) continue;
      const factor = logarithmic[j] ? natural[j]! : 1;
      for (let i = 0; i < rows; i++) {
        out[i * width + j] = out[i * width + j]! * factor / (logSpace ? values[i]! : 1);
      }
    }
  }

  return { rows, residuals, jacobian };
}

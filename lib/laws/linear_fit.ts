/**
 * Linear regression by the solver of the laws: simple-statistics has one regressor, and ml-regression-multivariate-linear
 * gives an answer where the rows do not determine one.
 */
import { leastSquares, type LeastSquaresResult } from "./least_squares.ts";

/**
 * Least squares of `observed` on the regressors of each row (columns of a design matrix, a constant among them if
 * it is wanted). `usable` is false when the rows do not determine the coefficients.
 *
 * ```ts
 * import { strict as assert } from "node:assert";
 * import { linearFit } from "./mod.ts";
 * const { theta } = linearFit([[1, 0], [1, 1], [1, 2], [1, 3]], [1, 3, 5, 7]); // 1 + 2 x
 * assert.ok(Math.abs(theta[0]! - 1) < 1e-9 && Math.abs(theta[1]! - 2) < 1e-9);
 * ```
 */
export function linearFit(
  design: readonly (readonly number[])[],
  observed: readonly number[],
): LeastSquaresResult {
  const width = design[0]!.length;
  return leastSquares({
    rows: design.length,
    start: new Float64Array(width),
    linear: Array.from({ length: width }, (_, j) => j),
    residuals(theta, out) {
      design.forEach((row, i) => out[i] = dot(row, theta) - observed[i]!);
    },
    jacobian(_, out) {
      design.forEach((row, i) => out.set(row, i * width));
    },
  });
}

/** The sum of the products of a row's regressors and the coefficients. */
export function dot(row: readonly number[], theta: Float64Array): number {
  return row.reduce((sum, value, j) => sum + value * theta[j]!, 0);
}

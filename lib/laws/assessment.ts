/** What the end of a descent is worth: which parameters it determines, and which a bound holds back. */
import { type Uncertainty, uncertainty } from "./covariance.ts";
import type { LeastSquaresStatus } from "./least_squares.ts";
import { cholesky, householder, type Triangle } from "./linear_algebra.ts";
import type { ResidualSystem } from "./residual_system.ts";
import type { Descent } from "./trust_region.ts";

/** The status of an end, and why. */
export interface Assessment {
  readonly status: LeastSquaresStatus;
  /** Indices of the parameters that a bound holds back. */
  readonly atBound: number[];
  /** Indices of the parameters that the rows do not determine. */
  readonly undetermined: number[];
  readonly found: Uncertainty;
}

/** A column that weighs less than this part of the heaviest one has vanished: nothing can be said of its parameter. */
const vanished = 1e-12;

/**
 * Assesses an end by the derivatives as they are, those of `squares`: a Huber fit holds them scaled.
 *
 * @param start gives the typical sizes of parameters that ended at 0
 */
export function assess(end: Descent, squares: ResidualSystem, start: Float64Array): Assessment {
  const { theta } = end;
  const { triangle, lengths } = end.robust ? unscaled(end, squares) : end;
  const found = uncertainty(triangle, lengths);
  const weights = theta.map((x, j) => Math.max(Math.abs(x), Math.abs(start[j]!)) * lengths[j]!);
  const heaviest = Math.max(...weights);
  const indices = Array.from(theta.keys());
  const undetermined = indices.filter((j) =>
    found.undetermined.has(j) || lengths[j] === 0 || weights[j]! < vanished * heaviest
  );
  const atBound = indices.filter((j) =>
    lengths[j] !== 0 && !triangle.order.includes(j) &&
    (theta[j] === squares.lower[j] || theta[j] === squares.upper[j])
  );
  let status: LeastSquaresStatus = "converged";
  if (end.end !== "optimum") status = end.end;
  else if (undetermined.length > 0) status = "undetermined";
  else if (atBound.length > 0) status = "at bound";
  return { status, atBound, undetermined, found };
}

/** The triangle of the derivatives that the loss has not scaled, over the same parameters. */
function unscaled(
  end: Descent,
  squares: ResidualSystem,
): { triangle: Triangle; lengths: Float64Array } {
  squares.refined = true;
  const options = { columns: end.triangle.order };
  const triangle = cholesky(squares.gram(end), options) ?? householder(squares.tall(end), options);
  return { triangle, lengths: squares.lengths.slice() };
}

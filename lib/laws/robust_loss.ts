/**
 * The losses of a fit: squares, and Huber's loss scaled as SciPy scales it (twice SciPy's cost):
 * r^2 for |r| <= delta, 2 delta |r| - delta^2 beyond. P. J. Huber 1964, "Robust estimation of a location parameter".
 */

/** A loss rho(r), and how its local quadratic model weighs a residual and its derivatives. */
export interface Loss {
  /** rho(r), in squared units of the residual. */
  value(residual: number): number;
  /** Weight of the row in J'J, so that it approximates half the Hessian of rho: 1 for squares. */
  curvature(residual: number): number;
  /** rho'(r) / (2 r), the weight of the residual in the gradient: 1 for squares. */
  weight(residual: number): number;
}

/**
 * How much of its weight a residual beyond delta keeps in the Hessian. Huber's loss is straight there, so the
 * exact answer is 0; a small part keeps the model convex with few rows inside delta (Triggs et al. 2000, 5.3).
 */
const keptCurvature = 0.01;

/** Huber's loss, turning from square to linear at `delta`. */
export function huber(delta: number): Loss {
  return {
    value(residual) {
      const size = Math.abs(residual);
      return size <= delta ? size * size : delta * (2 * size - delta);
    },
    curvature(residual) {
      const size = Math.abs(residual);
      return size <= delta ? 1 : keptCurvature * delta / size;
    },
    weight(residual) {
      const size = Math.abs(residual);
      return size <= delta ? 1 : delta / size;
    },
  };
}

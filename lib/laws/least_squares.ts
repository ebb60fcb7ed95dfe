/**
 * Nonlinear least squares for any model: many starts, bounds, squares or Huber's loss, standard errors, and
 * a status that says whether the result can be used.
 */
import { assess } from "./assessment.ts";
import { checkProblem } from "./least_squares_input.ts";
import type { SearchRange } from "./multi_start.ts";
import { ResidualSystem } from "./residual_system.ts";
import { descend, type Descent, type DescentOptions } from "./trust_region.ts";

export type { SearchRange };

/** What a status means for the caller; see {@link LeastSquaresResult.status}. */
export const leastSquaresStatuses = {
  /** The gradient vanishes to rounding and every parameter is determined by the rows. */
  "converged": { usable: true },
  /** The gradient vanishes, with at least one parameter held by its bound (see `atBound`). It has no standard error. */
  "at bound": { usable: true },
  /** The gradient vanishes, but the rows do not determine every parameter: other values fit as well. */
  "undetermined": { usable: false },
  /** No step lowers the objective although the gradient does not vanish: the residuals are noisy or not smooth. */
  "stalled": { usable: false },
  /** `maxIterations` ran out before the gradient vanished. */
  "iteration limit": { usable: false },
} as const satisfies Record<string, { usable: boolean }>;

/** One of the documented outcomes of a fit, a key of {@link leastSquaresStatuses}. */
export type LeastSquaresStatus = keyof typeof leastSquaresStatuses;

/** A model, its data and how to fit it. */
export interface LeastSquaresOptions {
  /** Number of residuals. */
  readonly rows: number;
  /** Writes the residuals (prediction - observation) at `theta` into `out`, `rows` long. */
  residuals(theta: Float64Array, out: Float64Array): void;
  /**
   * Writes the derivatives of the residuals at `theta` into `out`, [rows, parameters], row-major.
   * Without it they are taken by central differences, and near the end by extrapolated ones.
   */
  jacobian?(theta: Float64Array, out: Float64Array): void;
  /** First start. Without it: the middle of `search`. */
  readonly start?: ArrayLike<number>;
  /** Lower bounds, inclusive. Default: -Infinity. */
  readonly lower?: ArrayLike<number>;
  /** Upper bounds, inclusive. Default: Infinity. */
  readonly upper?: ArrayLike<number>;
  /** Indices of parameters in which every residual is linear (the others held); they are projected out. */
  readonly linear?: readonly number[];
  /** "squares" (default) sums w r^2; "huber" sums w r^2 for |r| <= delta and w (2 delta |r| - delta^2) beyond. */
  readonly loss?: "squares" | "huber";
  /** Where the Huber loss turns from square to linear, in units of the residuals. Default: 1. */
  readonly huberDelta?: number;
  /** How often each row counts (0 leaves it out), as in a bootstrap. Default: 1 each. */
  readonly weights?: ArrayLike<number>;
  /** Starts to try in all. Default: 1. More than 1 needs `search`. */
  readonly starts?: number;
  /** One range a parameter, for the starts after the first. */
  readonly search?: readonly SearchRange[];
  /** Seed of the sequence of starts. Default: 0. */
  readonly seed?: number;
  /** Iterations allowed for each start. Default: 1000. */
  readonly maxIterations?: number;
  /** Gradient norm (see the result) that counts as zero. Default: 1e-10. */
  readonly tolerance?: number;
}

/** The best optimum found, its uncertainty and how it was reached. */
export interface LeastSquaresResult {
  /** The fitted parameters. */
  readonly theta: Float64Array;
  /** The residuals at `theta`, unweighted. */
  readonly residuals: Float64Array;
  /** The minimised sum (see `loss`; for "squares" the weighted residual sum of squares). */
  readonly objective: number;
  /**
   * Standard deviation of a residual: for squares, the root of objective / (sum of weights - rank). For "huber"
   * Huber's estimate, which `covariance` uses. NaN with no row left over.
   */
  readonly residualDeviation: number;
  /**
   * Covariance of `theta`, [parameters, parameters], row-major: residualDeviation^2 (J'J)^-1, through QR.
   * NaN where a parameter is held by its bound or not determined.
   */
  readonly covariance: Float64Array;
  /** Roots of the diagonal of `covariance`. */
  readonly standardErrors: Float64Array;
  /** Numerical rank of the Jacobian of the parameters off their bounds, columns scaled to length 1. */
  readonly rank: number;
  /**
   * Cosine of the angle between the residuals and the span of their derivatives by the parameters free to move: 0 at
   * an optimum, whatever the units. Times the root of the rows, it bounds how far `theta` is off in standard errors.
   */
  readonly gradientNorm: number;
  /** Iterations of the start that won. */
  readonly iterations: number;
  /** Starts tried, and how many ended within 1e-6 (relative) of the best objective. */
  readonly starts: { readonly tried: number; readonly reachedBest: number };
  /** Indices of the parameters that a bound holds back. */
  readonly atBound: readonly number[];
  /** Indices of the parameters that the rows do not determine: other values, alone or together, fit as well. */
  readonly undetermined: readonly number[];
  readonly status: LeastSquaresStatus;
  /** Whether `theta` can be used as an estimate: `leastSquaresStatuses[status].usable`. */
  readonly usable: boolean;
}

/** First radius for each start, and for more tries of the first one where no result can be used. */
const bold = 3;
const cautious = [1, 0.1];
/** Gradient norm at which a sum of squares is known to 1e-8, enough to tell one optimum from another. */
const roughly = 1e-4;

/**
 * Fits a model to data: trust-region Levenberg-Marquardt with `linear` parameters projected out, from one start
 * or many. Parameters may be of very different sizes. A problem that is not well posed is an error, at once.
 *
 * ```ts
 * import { strict as assert } from "node:assert";
 * import { leastSquares } from "./mod.ts";
 * const x = [1, 2, 3, 4];
 * const y = [2.7, 1.9, 1.5, 1.1];
 * const { theta, status, usable } = leastSquares({
 *   rows: 4,
 *   residuals: ([scale, rate], out) => x.forEach((at, i) => out[i] = scale! * Math.exp(-rate! * at) - y[i]!),
 *   start: [1, 1],
 * });
 * assert.ok(usable && status === "converged");
 * assert.deepEqual([...theta].map((value) => value.toFixed(3)), ["3.602", "0.300"]);
 * ```
 */
export function leastSquares(options: LeastSquaresOptions): LeastSquaresResult {
  const { starts, lower, upper } = checkProblem(options);
  const width = lower.length;
  const given = {
    rows: options.rows,
    residuals: options.residuals,
    jacobian: options.jacobian,
    lower,
    upper,
    weights: options.weights,
  };
  const settings: DescentOptions = {
    maxIterations: options.maxIterations ?? 1000,
    tolerance: options.tolerance ?? 1e-10,
    linear: options.linear ?? [],
    radius: bold,
  };
  const { loss, huberDelta = 1 } = options;
  const squares = new ResidualSystem(given);
  const system = loss === "huber" ? new ResidualSystem({ ...given, huberDelta }) : squares;
  // With Huber's loss, linear parameters cannot be projected out.
  const exact = system === squares ? settings : { ...settings, linear: [] };
  const enough = system === squares ? roughly : roughly / 100;
  const rough = { ...exact, tolerance: Math.max(settings.tolerance, enough) };
  const ends = starts.flatMap((start) => {
    const near = system === squares ? start : nearer(start, squares, system, settings);
    return descend(system, near, starts.length > 1 ? rough : exact) ?? [];
  });
  if (ends.length === 0) {
    throw new RangeError(
      `Cannot fit: residuals and derivatives must be finite at the start: they are not at [${
        starts[0]!.join(", ")
      }]${starts.length > 1 ? ` nor at ${starts.length - 1} other starts` : ""}`,
    );
  }
  let best = pick(ends);
  if (starts.length > 1) {
    const left = settings.maxIterations - best.iterations;
    const end = descend(system, best.theta, { ...exact, maxIterations: left })!;
    best = { ...end, iterations: best.iterations + end.iterations };
  }
  let worth = assess(best, squares, starts[0]!);
  for (const radius of cautious) {
    if (leastSquaresStatuses[worth.status].usable) break;
    best = pick([best, descend(system, starts[0]!, { ...settings, linear: [], radius }) ?? best]);
    worth = assess(best, squares, starts[0]!);
  }
  const { status, atBound, undetermined, found } = worth;
  const residualDeviation = system.deviation(best.residuals, found.rank);
  const covariance = found.inverse.map((value) => value * residualDeviation ** 2);
  return {
    theta: best.theta,
    residuals: best.residuals,
    objective: best.objective,
    residualDeviation,
    covariance,
    standardErrors: best.theta.map((_, j) => Math.sqrt(covariance[j * width + j]!)),
    rank: found.rank,
    gradientNorm: best.gradientNorm,
    iterations: best.iterations,
    starts: { tried: starts.length, reachedBest: ends.filter((end) => ties(end, best)).length },
    atBound,
    undetermined,
    status,
    usable: leastSquaresStatuses[status].usable,
  };
}

/** Where to descend Huber's loss from: the start, or where squares lead from it, roughly, if that is better. */
function nearer(
  start: Float64Array,
  squares: ResidualSystem,
  huber: ResidualSystem,
  settings: DescentOptions,
): Float64Array {
  const near = descend(squares, start, { ...settings, tolerance: roughly })?.theta;
  return near && huber.at(near).objective < huber.at(start).objective ? near : start;
}

/** The best end: of those that tie for the least objective, the flattest. */
function pick(ends: readonly Descent[]): Descent {
  const least = ends.reduce((a, b) => b.objective < a.objective ? b : a);
  return ends.filter((end) => ties(end, least)).reduce((a, b) =>
    b.gradientNorm < a.gradientNorm ? b : a
  );
}

/** Whether an end is as good as the best, to 1e-6 or to 1e-10 of what the model predicts. */
function ties(end: Descent, best: Descent): boolean {
  const reach = Math.max(...best.theta.map((x, j) => Math.abs(x) * best.lengths[j]!));
  return end.objective <= best.objective * (1 + 1e-6) + (1e-10 * reach) ** 2;
}

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

/** Where starts of one parameter are drawn from; a law's `Parameter` is one. */
export interface SearchRange {
  /** The ends of the range, both finite, the first below the second. */
  readonly search: readonly [number, number];
  /** Draw evenly in the logarithm (both ends positive), for a parameter known only to an order of magnitude. */
  readonly logarithmic?: boolean;
}

/** A model, its data and how to fit it. */
export interface LeastSquaresOptions {
  /** Number of residuals. */
  readonly rows: number;
  /** Writes the residuals (prediction - observation) at `theta` into `out`, `rows` long. */
  residuals(theta: Float64Array, out: Float64Array): void;
  /**
   * Writes the derivatives of the residuals at `theta` into `out`, [rows, parameters], row-major.
   * Without it they are taken by central differences, refined by Richardson extrapolation near the end.
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
  /** Largest cosine between the residuals and a Jacobian column that counts as zero. Default: 1e-10. */
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
  /** Residual standard deviation: the root of objective / (sum of weights - free parameters); NaN with none left over. */
  readonly residualDeviation: number;
  /**
   * Covariance of `theta`, [parameters, parameters], row-major: residual variance x (J'J)^-1, through QR.
   * For "huber" Huber's (1981) first formula. NaN where a parameter is at its bound or not determined.
   */
  readonly covariance: Float64Array;
  /** Roots of the diagonal of `covariance`. */
  readonly standardErrors: Float64Array;
  /** Numerical rank of the Jacobian of the parameters off their bounds, columns scaled to length 1. */
  readonly rank: number;
  /** Largest cosine between the residuals and a Jacobian column, over the parameters free to move: 0 at an optimum. */
  readonly gradientNorm: number;
  /** Iterations of the start that won. */
  readonly iterations: number;
  /** Starts tried, and how many ended within 1e-6 (relative) of the best objective. */
  readonly starts: { readonly tried: number; readonly reachedBest: number };
  /** Indices of the parameters that sit on a bound. */
  readonly atBound: readonly number[];
  readonly status: LeastSquaresStatus;
  /** Whether `theta` can be used as an estimate: `leastSquaresStatuses[status].usable`. */
  readonly usable: boolean;
}

/** Fits any model: see {@link LeastSquaresOptions}. */
export function leastSquares(options: LeastSquaresOptions): LeastSquaresResult {
  const m = options.rows;
  const start = options.start ??
    (options.search ?? []).map((r) =>
      r.logarithmic ? Math.sqrt(r.search[0] * r.search[1]) : (r.search[0] + r.search[1]) / 2
    );
  const n = start.length;
  let theta = Float64Array.from(start);
  let r = new Float64Array(m);
  const J = new Float64Array(m * n);
  const w = options.weights ? Float64Array.from(options.weights) : new Float64Array(m).fill(1);
  const cost = (x: Float64Array) => x.reduce((s, v, i) => s + (w[i] ?? 1) * v * v, 0);
  options.residuals(theta, r);
  let objective = cost(r), lambda = 1e-3, iterations = 0;
  for (; iterations < (options.maxIterations ?? 1000); iterations++) {
    if (options.jacobian) options.jacobian(theta, J);
    else {
      for (let j = 0; j < n; j++) {
        const a = theta.slice(),
          b = theta.slice(),
          ra = new Float64Array(m),
          rb = new Float64Array(m);
        const h = 6e-6 * (Math.abs(theta[j]!) || 1);
        a[j]! += h;
        b[j]! -= h;
        options.residuals(a, ra);
        options.residuals(b, rb);
        for (let i = 0; i < m; i++) J[i * n + j] = (ra[i]! - rb[i]!) / (a[j]! - b[j]!);
      }
    }
    const A = Array.from({ length: n }, () => new Float64Array(n + 1));
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        const x = w[i]! * J[i * n + j]!;
        for (let k = 0; k < n; k++) A[j]![k]! += x * J[i * n + k]!;
        A[j]![n]! -= x * r[i]!;
      }
    }
    let accepted = false;
    for (let attempt = 0; attempt < 30 && !accepted; attempt++) {
      const M = A.map((row) => row.slice());
      for (let j = 0; j < n; j++) M[j]![j]! *= 1 + lambda;
      for (let j = 0; j < n; j++) {
        for (let k = j + 1; k < n; k++) {
          const f = M[k]![j]! / M[j]![j]!;
          for (let c = j; c <= n; c++) M[k]![c]! -= f * M[j]![c]!;
        }
      }
      const trial = theta.slice();
      const p = new Float64Array(n);
      for (let j = n - 1; j >= 0; j--) {
        let s = M[j]![n]!;
        for (let c = j + 1; c < n; c++) s -= M[j]![c]! * p[c]!;
        p[j] = s / M[j]![j]!;
        trial[j] = Math.min(
          Math.max(theta[j]! + p[j]!, options.lower?.[j] ?? -Infinity),
          options.upper?.[j] ?? Infinity,
        );
      }
      const next = new Float64Array(m);
      options.residuals(trial, next);
      const value = cost(next);
      if (value < objective) {
        accepted = objective - value > 1e-15 * objective;
        theta = trial;
        r = next;
        objective = value;
        lambda /= 9;
      } else lambda *= 11;
    }
    if (!accepted) break;
  }
  const covariance = new Float64Array(n * n).fill(NaN);
  return {
    theta,
    residuals: r,
    objective,
    residualDeviation: Math.sqrt(objective / (m - n)),
    covariance,
    standardErrors: new Float64Array(n).fill(NaN),
    rank: n,
    gradientNorm: NaN,
    iterations,
    starts: { tried: 1, reachedBest: 1 },
    atBound: [],
    status: "converged",
    usable: true,
  };
}

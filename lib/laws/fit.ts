/** Fits of laws to tables. */
import type pl from "nodejs-polars";
import { rSquared as coefficientOfDetermination } from "simple-statistics";
import { type Described, describeFit, display } from "./display.ts";
import { type Law, namedParameters, type Point } from "./law.ts";
import { leastSquares, type LeastSquaresStatus } from "./least_squares.ts";
import { predict } from "./predict.ts";
import { type FitOptions, type FitProblem, fitProblem } from "./problem.ts";

/** A fitted law: what was found, how well it holds, and whether it can be used. */
export interface Fit extends Described {
  /** The law, with the parameters of the bit widths that the table holds. */
  readonly law: Law;
  /** Fitted parameters by name, in the units of the law. */
  readonly parameters: Record<string, number>;
  /**
   * Standard errors by name: the roots of the diagonal of `covariance`. NaN for a parameter on a
   * bound, and for all when there are as many rows as parameters.
   */
  readonly standardErrors: Record<string, number>;
  /** Covariance of the parameters in the law's order, [parameters][parameters]; delta method for those fitted in the logarithm. */
  readonly covariance: readonly (readonly number[])[];
  /** The minimised sum over the rows: squared residuals, or their Huber loss. */
  readonly objective: number;
  /** 1 - (sum of squared residuals) / (sum of squared deviations from the mean), in the fitting space. */
  readonly rSquared: number;
  /** The same in the natural logarithm, over the rows whose observation and prediction are positive. */
  readonly rSquaredLog: number;
  /** Cosine of the angle between the residuals and the span of their derivatives: 0 at an optimum. */
  readonly gradientNorm: number;
  /** Starts tried, and how many of them ended at the best objective. */
  readonly starts: { readonly tried: number; readonly reachedBest: number };
  readonly status: LeastSquaresStatus;
  /** Whether the parameters can be used as estimates. */
  readonly usable: boolean;
  /** Names of the parameters that sit on a bound. */
  readonly atBound: readonly string[];
  /** Number of rows fitted. */
  readonly rows: number;
  /** Observation minus prediction of each row, in the fitting space, in the frame's order. */
  readonly residuals: Float64Array;
  readonly space: "raw" | "log";
  readonly loss: "squares" | "huber";
  /** Residual at which the Huber loss turns linear; undefined for least squares. */
  readonly huberDelta: number | undefined;
  /** The prediction at one point, in nats per token. */
  predict(at: Point): number;
}

/**
 * Fits a law, given by name or itself, to the rows of a Polars frame.
 *
 * The frame has columns `size`, `tokens`, `bits` (those that the law needs) and `qid` or `loss16`;
 * other names are mapped with `options.columns`. Throws, before any work, when a column is missing,
 * when a value is null, NaN, infinite or not positive, when there are fewer rows than parameters,
 * when the rows cannot determine a parameter, and when a fit in log space meets a response that is
 * not positive.
 *
 * ```ts
 * import { strict as assert } from "node:assert";
 * import pl from "nodejs-polars";
 * import { fit } from "./mod.ts";
 * const frame = pl.DataFrame({ tokens: [1e9, 4e9, 1.6e10], qid: [0.1, 0.2, 0.4] });
 * const { parameters, usable } = fit("token", frame);
 * assert.ok(usable && Math.abs(parameters.tokenExponent! - 0.5) < 1e-9);
 * ```
 */
export function fit(law: Law | string, frame: pl.DataFrame, options: FitOptions = {}): Fit {
  return solve(fitProblem(law, frame, options), options);
}

/** Runs a prepared fit. */
export function solve(prepared: FitProblem, options: FitOptions = {}): Fit {
  const { law, problem, logarithmic, observations } = prepared;
  const result = leastSquares(problem);
  const theta = prepared.parametersOf(result.theta);
  const width = theta.length;
  const slopes = theta.map((value, j) => logarithmic[j] ? value : 1);
  const covariance = Array.from({ length: width }, (_, i) =>
    Array.from(
      { length: width },
      (_, j) => result.covariance[i * width + j]! * slopes[i]! * slopes[j]!,
    ));
  const space = options.space ?? "raw";
  const { observed, columns } = observations;
  const predicted = new Float64Array(columns.rows);
  law.evaluate(theta, columns, predicted);
  const rSquaredLog = rSquaredInLog(observed, predicted);
  const parameters = namedParameters(law, theta);
  return display({
    law,
    parameters,
    standardErrors: namedParameters(law, covariance.map((row, j) => Math.sqrt(row[j]!))),
    covariance,
    objective: result.objective,
    rSquared: space === "log" ? rSquaredLog : rSquared(observed, predicted),
    rSquaredLog,
    gradientNorm: result.gradientNorm,
    starts: result.starts,
    status: result.status,
    usable: result.usable,
    atBound: result.atBound.map((j) => law.parameters[j]!.name),
    rows: columns.rows,
    residuals: result.residuals.map((residual) => -residual),
    space,
    loss: options.loss ?? "squares",
    huberDelta: problem.huberDelta,
    predict: (at: Point) => predict(law, parameters, at),
  }, describeFit);
}

/** Coefficient of determination; NaN with fewer than 2 rows or none that differ. */
function rSquared(observed: Float64Array, predicted: Float64Array): number {
  if (observed.every((value) => value === observed[0])) return NaN;
  const pairs = Array.from(observed, (value, i) => [i, value]);
  return coefficientOfDetermination(pairs, (i) => predicted[i]!);
}

function rSquaredInLog(observed: Float64Array, predicted: Float64Array): number {
  const both = (_: number, i: number) => observed[i]! > 0 && predicted[i]! > 0;
  return rSquared(observed.filter(both).map(Math.log), predicted.filter(both).map(Math.log));
}

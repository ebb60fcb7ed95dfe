/** A law and the rows of a table, put as the least-squares problem that a fit solves. */
import type pl from "nodejs-polars";
import { max, median } from "simple-statistics";
import { checkDetermined } from "./determined.ts";
import {
  type ColumnNames,
  distinct,
  listRows,
  type Observations,
  readFrame,
  rowsWhere,
} from "./frame.ts";
import { type Law, LawError } from "./law.ts";
import { lawResiduals } from "./law_residuals.ts";
import { leastSquares, type LeastSquaresOptions } from "./least_squares.ts";
import { findLaw } from "./registry.ts";

/** How to fit a law. */
export interface FitOptions {
  /**
   * Where the residuals are taken: "raw" in nats per token (default; by inference what Ouyang et
   * al. 2024 did), "log" in the natural logarithm, which weighs relative errors equally.
   */
  readonly space?: "raw" | "log";
  /** "squares" (default), or "huber", which weighs outliers less. */
  readonly loss?: "squares" | "huber";
  /**
   * Residual at which the Huber loss turns linear, in the units of the fitting space. Default: 1.345
   * robust standard deviations (1.4826 times the median absolute residual of the least-squares fit).
   */
  readonly huberDelta?: number;
  /** The frame's names for size, tokens, bits, qid and loss16, where they differ from these. */
  readonly columns?: ColumnNames;
  /** Starts to try, spread over the search ranges of the parameters. Default: 20. */
  readonly starts?: number;
  /** Seed of the sequence of starts. Default: 0. */
  readonly seed?: number;
}

/** A prepared fit: what the solver needs, and the way back to the parameters of the law. */
export interface FitProblem {
  /** The law, resolved against the bit widths of the table. */
  readonly law: Law;
  readonly observations: Observations;
  readonly problem: LeastSquaresOptions;
  /** For each parameter, whether the solver works in its natural logarithm. */
  readonly logarithmic: readonly boolean[];
  /** From the coordinates of the solver to the parameters of the law. */
  parametersOf(theta: Float64Array): Float64Array;
}

/**
 * Prepares the fit of `law` to the rows of `frame`, in their order, without running it; the errors
 * are those of `fit`.
 */
export function fitProblem(
  law: Law | string,
  frame: pl.DataFrame,
  options: FitOptions = {},
): FitProblem {
  const found = findLaw(law);
  return problemOf(found, readFrame(found, frame, options), options);
}

/** Prepares the fit of `law` to rows that were read before. */
export function problemOf(
  law: Law,
  observations: Observations,
  options: FitOptions = {},
): FitProblem {
  const { columns, observed } = observations;
  checkOptions(options);
  const resolved = law.forBits !== undefined && columns.rows > 0
    ? law.forBits(distinct(columns.bits))
    : law;
  const { parameters } = resolved;
  if (columns.rows < parameters.length) {
    throw new LawError(
      `Cannot fit the ${law.name} law: needs at least ${parameters.length} rows: got ${columns.rows}`,
    );
  }
  const logSpace = options.space === "log";
  if (logSpace) checkPositive(resolved, observed);
  checkDetermined(resolved, columns);

  const target = logSpace ? observed.map(Math.log) : observed;
  const linear = logSpace ? [] : resolved.linear;
  const logarithmic = parameters.map((parameter, j) =>
    parameter.logarithmic === true && !linear.includes(j)
  );
  const toNatural = (theta: Float64Array) =>
    theta.map((value, j) => logarithmic[j] ? Math.exp(value) : value);
  const inSolver = (value: number, j: number) => logarithmic[j] ? Math.log(value) : value;
  const squares: LeastSquaresOptions = {
    rows: columns.rows,
    ...lawResiduals(resolved, { columns, observed: target }, { logSpace, logarithmic }),
    linear,
    lower: parameters.map(({ lower }, j) => inSolver(lower, j)),
    upper: parameters.map(({ upper }, j) => inSolver(upper, j)),
    search: parameters.map(({ search: [low, high], logarithmic: inLog }, j) => ({
      search: [inSolver(low, j), inSolver(high, j)],
      logarithmic: inLog === true && !logarithmic[j],
    })),
    starts: options.starts ?? 20,
    seed: options.seed ?? 0,
  };
  return {
    law: resolved,
    observations,
    problem: options.loss === "huber" ? robust(squares, target, options.huberDelta) : squares,
    logarithmic,
    parametersOf: toNatural,
  };
}

/**
 * The same problem with the Huber loss, starting from the least-squares fit. The default delta is
 * Huber's tuning constant for 95 % efficiency times a robust standard deviation, and at least a
 * millionth of the largest observation, so that rounding errors are not taken for a spread.
 */
function robust(
  squares: LeastSquaresOptions,
  target: Float64Array,
  huberDelta?: number,
): LeastSquaresOptions {
  const { theta, residuals } = leastSquares(squares);
  const spread = 1.345 * 1.4826 * median([...residuals.map(Math.abs)]);
  const smallest = 1e-6 * max([...target.map(Math.abs)]);
  return {
    ...squares,
    loss: "huber",
    start: theta,
    huberDelta: huberDelta ?? Math.max(spread, smallest),
  };
}

/** Throws where an observation has no logarithm. */
export function checkPositive(law: Law, observed: Float64Array): void {
  const faults = rowsWhere(observed, (value) => !(value > 0));
  if (faults.length === 0) return;
  const { response } = law;
  throw new LawError(
    `Cannot fit the ${law.name} law in log space: ${response} is not positive in ${
      listRows(faults)
    } of ${observed.length}: drop them with frame.filter(pl.col("${response}").gt(0)), which leaves a sample that is biased upwards, or fit in raw space with { space: "raw" }`,
  );
}

function checkOptions({ space, loss, huberDelta, starts }: FitOptions): void {
  if (space !== undefined && space !== "raw" && space !== "log") {
    throw new LawError(`Cannot fit in the space "${space}": must be "raw" or "log"`);
  }
  if (loss !== undefined && loss !== "squares" && loss !== "huber") {
    throw new LawError(`Cannot fit with the loss "${loss}": must be "squares" or "huber"`);
  }
  if (huberDelta !== undefined && !(huberDelta > 0)) {
    throw new LawError(`Cannot fit with huberDelta ${huberDelta}: must be positive`);
  }
  if (starts !== undefined && !(Number.isInteger(starts) && starts > 0)) {
    throw new LawError(`Cannot fit from ${starts} starts: must be a whole number from 1 up`);
  }
}

/** How sure the parameters of a law are: refits to resampled rows or models. */
import type pl from "nodejs-polars";
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { max, sampleStandardDeviation } from "simple-statistics";
import {
  type Described,
  type Description,
  display,
  type Format,
  formatNumber,
  type jupyterDisplay,
} from "./display.ts";
import { type Fit, solve } from "./fit.ts";
import { bcaInterval, type Interval, percentileInterval } from "./intervals.ts";
import { type Law, LawError, namedParameters } from "./law.ts";
import { type FitOptions, fitProblem } from "./problem.ts";
import { refitter } from "./refit.ts";

/** How to bootstrap; the fit itself takes the options of `fit`. */
export interface BootstrapOptions extends FitOptions {
  /** Resamples to refit. Default: 1000. */
  readonly resamples?: number;
  /**
   * What is drawn with replacement: single rows (default), or all rows that share a value of a column, such as
   * `{ cluster: "model" }`. Rows of one model are not independent, and only whole models show how much they vary.
   */
  readonly by?: "row" | { readonly cluster: string };
  /** "percentile" (default), or "bca", which corrects for bias and skewness and costs one refit a row or cluster. */
  readonly interval?: "percentile" | "bca";
  /** Part of repeated experiments in which an interval should hold the truth. Default: 0.95. */
  readonly level?: number;
}

/** Intervals of the parameters of a fitted law. */
export interface Bootstrap extends Described {
  /** The fit to all rows. */
  readonly fit: Fit;
  /** Intervals by the name of the parameter. */
  readonly intervals: Record<string, Interval>;
  /** Standard deviations of the refitted parameters, by name. */
  readonly standardErrors: Record<string, number>;
  /** Refitted parameters of the resamples that could be used, [refits, parameters], row-major, in the law's order. */
  readonly estimates: Float64Array;
  /** Resamples asked for. */
  readonly resamples: number;
  /** Resamples whose refit could not be used, such as those that left a single size. */
  readonly failed: number;
  /** Refits that could not be used with one row or cluster left out, for "bca". */
  readonly failedLeaveOneOut: number;
  /** Rows or clusters drawn from. */
  readonly units: number;
  readonly by: "row" | { readonly cluster: string };
  readonly interval: "percentile" | "bca";
  readonly level: number;
  /** The interval of any number that follows from the parameters, such as a prediction. */
  intervalOf(statistic: (parameters: Record<string, number>) => number): Interval;
}

/**
 * Fits a law and refits it to resamples of the rows, with the same space, loss and bounds, each from the full
 * fit. Equal seeds give equal results.
 *
 * Errors are those of `fit`; besides, a fit to all rows that is not usable, a column of clusters that is missing,
 * has nulls or only one value, and refits none of which can be used.
 */
export function bootstrap(
  law: Law | string,
  frame: pl.DataFrame,
  options: BootstrapOptions = {},
): Bootstrap {
  const { resamples = 1000, by = "row", interval = "percentile", level = 0.95, seed = 0 } = options;
  checkOptions({ resamples, interval, level });
  const prepared = fitProblem(law, frame, options);
  const { rows } = prepared.observations.columns;
  const unitOf = by === "row"
    ? Int32Array.from({ length: rows }, (_, i) => i)
    : clusters(prepared.law, frame, by.cluster);
  const units = max([...unitOf]) + 1;
  const fit = solve(prepared, options);
  if (!fit.usable) {
    throw new LawError(
      `Cannot bootstrap the ${prepared.law.name} law: its fit to all rows is not usable: ${fit.status}`,
    );
  }
  const refit = refitter(prepared, fit, options);
  const generator = xoroshiro128plus(seed);
  const counts = new Int32Array(units);
  const refits: Float64Array[] = [];
  for (let resample = 0; resample < resamples; resample++) {
    counts.fill(0);
    for (let i = 0; i < units; i++) {
      const drawn = uniformInt(generator, 0, units - 1);
      counts[drawn] = counts[drawn]! + 1;
    }
    const theta = refit(unitOf, counts);
    if (theta !== undefined) refits.push(theta);
  }
  if (refits.length < 2) {
    throw new LawError(
      `Cannot bootstrap the ${prepared.law.name} law: only ${refits.length} of ${resamples} resamples of ${units} ${
        by === "row" ? "rows" : "clusters"
      } determine its parameters: fit a law with fewer, or add rows`,
    );
  }
  const jackknife: Float64Array[] = [];
  for (let unit = 0; interval === "bca" && unit < units; unit++) {
    const theta = refit(unitOf, counts.fill(1).fill(0, unit, unit + 1));
    if (theta !== undefined) jackknife.push(theta);
  }

  const names = (theta: Float64Array) => namedParameters(prepared.law, theta);
  function intervalOf(statistic: (parameters: Record<string, number>) => number): Interval {
    const estimates = refits.map((theta) => statistic(names(theta)));
    if (interval === "percentile") return percentileInterval(estimates, level);
    return bcaInterval(estimates, {
      estimate: statistic(fit.parameters),
      jackknife: jackknife.map((theta) => statistic(names(theta))),
      level,
    });
  }

  const perParameter = <T>(make: (name: string, j: number) => T): Record<string, T> =>
    Object.fromEntries(prepared.law.parameters.map(({ name }, j) => [name, make(name, j)]));
  return display({
    fit,
    intervals: perParameter((name) => intervalOf((parameters) => parameters[name]!)),
    standardErrors: perParameter((_, j) =>
      sampleStandardDeviation(refits.map((theta) => theta[j]!))
    ),
    estimates: Float64Array.from(refits.flatMap((theta) => [...theta])),
    resamples,
    failed: resamples - refits.length,
    failedLeaveOneOut: interval === "bca" ? units - jackknife.length : 0,
    units,
    by,
    interval,
    level,
    intervalOf,
  }, describeBootstrap);
}

/** For each row, the number of its cluster, counted in the order in which they appear. */
function clusters(law: Law, frame: pl.DataFrame, column: string): Int32Array {
  const refuse = (reason: string) => {
    throw new LawError(`Cannot bootstrap the ${law.name} law by cluster: ${reason}`);
  };
  if (!frame.columns.includes(column)) {
    refuse(`there is no column "${column}": the frame has ${frame.columns.join(", ")}`);
  }
  const numbers = new Map<unknown, number>();
  const out = Int32Array.from(frame.getColumn(column).toArray(), (value, row) => {
    if (value === null) refuse(`column "${column}" is null in row ${row}`);
    if (!numbers.has(value)) numbers.set(value, numbers.size);
    return numbers.get(value)!;
  });
  if (numbers.size < 2) refuse(`column "${column}" must have at least 2 different values: got 1`);
  return out;
}

function checkOptions({ resamples, interval, level }: Required<
  Pick<BootstrapOptions, "resamples" | "interval" | "level">
>): void {
  if (!Number.isInteger(resamples) || resamples < 2) {
    throw new LawError(`Cannot bootstrap with ${resamples} resamples: needs at least 2`);
  }
  if (interval !== "percentile" && interval !== "bca") {
    throw new LawError(
      `Cannot bootstrap with "${interval}" intervals: must be "percentile" or "bca"`,
    );
  }
  if (!(level > 0 && level < 1)) {
    throw new LawError(`Cannot bootstrap at the level ${level}: must be between 0 and 1`);
  }
}

/** The intervals as a table. */
function describeBootstrap(
  { fit, intervals, standardErrors, resamples, failed, units, by, interval, level }: Omit<
    Bootstrap,
    typeof jupyterDisplay | "toString"
  >,
  format: Format,
): Description {
  const { law } = fit;
  const number = (value: number, digits: number) => formatNumber(value, digits, format);
  const kind = interval === "bca" ? "bias-corrected and accelerated" : "percentile";
  return {
    title: `${law.title}, ${number(100 * level, 3)} % intervals`,
    latex: law.latex,
    head: ["symbol", "name", "value", "low", "high", "standard error", "unit"],
    rows: law.parameters.map(({ symbol, name, unit }) => [
      format === "latex" ? `$${symbol}$` : symbol,
      format === "latex" ? `\`${name}\`` : name,
      number(fit.parameters[name]!, 5),
      ...intervals[name]!.map((end) => number(end, 5)),
      number(standardErrors[name]!, 2),
      unit,
    ]),
    notes: [
      `Bootstrap: ${kind} intervals from ${resamples} resamples of ${units} ${
        by === "row" ? "rows" : `values of ${by.cluster}`
      }`,
      `Refits that could not be used: ${failed}`,
    ],
  };
}

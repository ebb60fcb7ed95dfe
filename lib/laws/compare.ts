/** Laws side by side on one table: information criteria, and errors on rows held out of the fit. */
import pl from "nodejs-polars";
import { mean, rootMeanSquare } from "simple-statistics";
import { describeComparison, type Described, display } from "./display.ts";
import { type Fit, solve } from "./fit.ts";
import { distinct, type Observations, readFrame, selectObservations } from "./frame.ts";
import { type Law, LawError, parameterVector, variables } from "./law.ts";
import { checkPositive, type FitOptions, problemOf } from "./problem.ts";
import { findLaw } from "./registry.ts";
import { type HeldOut, type Split, splitsOf } from "./splits.ts";

/** Errors of predictions on rows, in nats per token, and in the natural logarithm where it exists. */
export interface PredictionError {
  /** Root of the mean squared error. */
  readonly rmse: number;
  /** Mean absolute error. */
  readonly mae: number;
  /** Root of the mean squared error of the logarithm, over the rows where both are positive. */
  readonly rmseLog: number | null;
  readonly rows: number;
  readonly rowsLog: number;
}

/** Laws fitted to the same rows. Both frames are in the order of the laws given. */
export interface Comparison extends Described {
  /**
   * One row a law: law, rows_fitted, parameters (count), aicc, bic, rmse, mae, rmse_log (on the fitted
   * rows), then the rmse on held-out rows: rmse_largest_size, rmse_each_size,
   * rmse_late_checkpoints, rmse_each_bit_width. Null where the law could not be fitted or cannot
   * predict; `notes` says why.
   */
  readonly table: pl.DataFrame;
  /** One row a law and split: law, kind, held_out, rows_fitted, rows_held_out, rmse, mae, rows_log, rmse_log. */
  readonly splits: pl.DataFrame;
  /** Why a number is missing. */
  readonly notes: readonly string[];
}

const kinds: readonly HeldOut[] = [
  "largest size",
  "each size",
  "late checkpoints",
  "each bit width",
];

/**
 * Compares laws of one response on one table.
 *
 * AICc and BIC are those of least squares with normal errors in the fitting space, with the error
 * variance counted as a parameter; constants common to all laws are left out, so only differences
 * count, between laws fitted in the same space. With the Huber loss they are null.
 *
 * Held out in turn: the largest size; each size; the checkpoints in the last factor of two of D;
 * each bit width. Errors over several splits are pooled over their rows. `options` are those of
 * `fit`, and hold for every fit.
 */
export function compare(
  laws: readonly (Law | string)[],
  frame: pl.DataFrame,
  options: FitOptions = {},
): Comparison {
  const found = laws.map(findLaw);
  checkLaws(found);
  const notes: string[] = [];
  const table: Record<string, unknown>[] = [];
  const rows: Record<string, unknown>[] = [];
  found.forEach((law, index) => {
    const observations = readFrame(law, frame, { ...options, also: variables });
    if (options.space === "log") checkPositive(law, observations.observed);
    const { splits, notes: missing } = splitsOf(observations.columns);
    if (index === 0) notes.push(...missing);
    const whole = attempt(law, "all rows", notes, () => fitRows(law, observations, options));
    const held = splits.map((split) => ({
      split,
      errors: attempt(law, split.heldOut, notes, () => heldOut(law, observations, split, options)),
    }));
    rows.push(...held.map(({ split, errors }) => splitRow(law, split, errors)));
    table.push({
      ...wholeRow(law, observations, whole, notes),
      ...Object.fromEntries(kinds.map((kind) => {
        const ofKind = held.filter(({ split }) => split.kind === kind);
        const errors = ofKind.flatMap(({ errors }) => errors === undefined ? [] : [errors]);
        // A pooled error over some of the splits only would flatter the law.
        const complete = errors.length > 0 && errors.length === ofKind.length;
        const pooled = complete ? predictionError(errors.flat()).rmse : null;
        return [`rmse_${kind.replaceAll(" ", "_")}`, pooled];
      })),
    });
  });
  return display(
    { table: frameOf(table), splits: frameOf(rows), notes: [...new Set(notes)] },
    describeComparison,
  );
}

/** Observed and predicted value of one row. */
type Pair = readonly [observed: number, predicted: number];

function heldOut(
  law: Law,
  observations: Observations,
  split: Split,
  options: FitOptions,
): Pair[] {
  const fitted = fitRows(law, selectObservations(observations, split.train), options);
  const test = selectObservations(observations, split.test);
  const unknown = distinct(test.columns.bits).filter((bits) =>
    law.forBits !== undefined &&
    !distinct(selectObservations(observations, split.train).columns.bits).includes(bits)
  );
  if (unknown.length > 0) {
    throw new LawError(`it has no parameters for ${unknown.join(", ")} bits without rows at them`);
  }
  return pairs(fitted, test);
}

function fitRows(law: Law, observations: Observations, options: FitOptions): Fit {
  const fitted = solve(problemOf(law, observations, options), options);
  if (!fitted.usable) throw new LawError(`the fit is not usable: ${fitted.status}`);
  return fitted;
}

/** Runs `work`; where the law cannot do it, notes why and gives undefined. */
function attempt<T>(law: Law, on: string, notes: string[], work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof LawError)) throw error;
    notes.push(`${law.name}, ${on === "all rows" ? on : `${on} held out`}: ${error.message}`);
    return undefined;
  }
}

function pairs(fitted: Fit, { columns, observed }: Observations): Pair[] {
  const values = new Float64Array(columns.rows);
  fitted.law.evaluate(parameterVector(fitted.law, fitted.parameters), columns, values);
  return Array.from(values, (value, i) => [observed[i]!, value]);
}

function predictionError(rows: readonly Pair[]): PredictionError {
  const errors = rows.map(([observed, predicted]) => predicted - observed);
  const logs = rows.filter((row) => row.every((value) => value > 0))
    .map(([observed, predicted]) => Math.log(predicted / observed));
  return {
    rmse: rootMeanSquare(errors),
    mae: mean(errors.map(Math.abs)),
    rmseLog: logs.length > 0 ? rootMeanSquare(logs) : null,
    rows: rows.length,
    rowsLog: logs.length,
  };
}

function wholeRow(
  law: Law,
  observations: Observations,
  fitted: Fit | undefined,
  notes: string[],
): Record<string, unknown> {
  const base = { law: law.name, rows_fitted: observations.columns.rows };
  if (fitted === undefined) {
    return {
      ...base,
      parameters: null,
      aicc: null,
      bic: null,
      rmse: null,
      mae: null,
      rmse_log: null,
    };
  }
  const { rmse, mae, rmseLog } = predictionError(pairs(fitted, observations));
  const count = fitted.law.parameters.length;
  const criteria = fitted.loss === "squares"
    ? informationCriteria(fitted)
    : { aicc: null, bic: null };
  if (fitted.loss !== "squares") notes.push('AICc and BIC need the loss "squares"');
  return { ...base, parameters: count, ...criteria, rmse, mae, rmse_log: rmseLog };
}

/** AICc and BIC of a least-squares fit; AICc is null where there are too few rows for it. */
function informationCriteria({ rows, objective, law }: Fit) {
  const count = law.parameters.length + 1;
  const deviance = rows * Math.log(objective / rows);
  const spare = rows - count - 1;
  return {
    aicc: spare > 0 ? deviance + 2 * count + (2 * count * (count + 1)) / spare : null,
    bic: deviance + count * Math.log(rows),
  };
}

function splitRow(
  law: Law,
  split: Split,
  rows: readonly Pair[] | undefined,
): Record<string, unknown> {
  const errors = rows === undefined ? undefined : predictionError(rows);
  return {
    law: law.name,
    kind: split.kind,
    held_out: split.heldOut,
    rows_fitted: split.train.length,
    rows_held_out: split.test.length,
    rmse: errors?.rmse ?? null,
    mae: errors?.mae ?? null,
    rows_log: errors?.rowsLog ?? null,
    rmse_log: errors?.rmseLog ?? null,
  };
}

function checkLaws(laws: readonly Law[]): void {
  if (laws.length === 0) throw new LawError("Cannot compare laws: needs at least 1 law: got none");
  const responses = [...new Set(laws.map(({ response }) => response))];
  if (responses.length > 1) {
    throw new LawError(
      `Cannot compare laws of ${responses.join(" and ")}: all must predict one of them: got ${
        laws.map(({ name, response }) => `${name} (${response})`).join(", ")
      }`,
    );
  }
}

/** A frame with the columns of the first row, words as strings and all else as Float64. */
function frameOf(rows: readonly Record<string, unknown>[]): pl.DataFrame {
  const names = Object.keys(rows[0] ?? {});
  return pl.DataFrame(names.map((name) => {
    const values = rows.map((row) => row[name]);
    const type = values.some((value) => typeof value === "string") ? pl.String : pl.Float64;
    return pl.Series(name, values, type);
  }));
}

/** The digitised points of Figure 2 as figures of laws need them. */
import type { DataFrame } from "nodejs-polars";
import { fit } from "../laws/mod.ts";
import { rowsOf } from "./rows.ts";
import { sizeLabel } from "./style.ts";

/** A checkpoint of a model at a bit width. */
export interface PythiaRow {
  /** "160M", "1B" or "12B". */
  label: string;
  size: number;
  tokens: number;
  bits: number;
  qid: number;
}

/** The rows by size, then tokens, then bits. */
export function pythiaRows(frame: DataFrame): PythiaRow[] {
  return rowsOf(frame.sort(["size", "tokens", "bits"]), ["size", "tokens", "bits", "qid"], [
    "model",
  ]).map(({ model, ...row }) => ({ ...row, label: sizeLabel(model) }));
}

/** The different values of a column, in order of their first row. */
export function distinct<R, K extends keyof R>(rows: readonly R[], column: K): R[K][] {
  return [...new Set(rows.map((row) => row[column]))];
}

/** An exponent with the interval of two standard errors on each side. */
export interface ExponentEstimate {
  value: number;
  lower: number;
  upper: number;
}

/** Fits a law of one exponent to a frame; `name` is the exponent's name. */
export function exponentOf(law: string, name: string, frame: DataFrame): ExponentEstimate {
  return estimate(fit(law, frame), name);
}

/** What {@link plusMinus} writes. */
export interface NamedParameter {
  name: string;
  symbol: string;
  digits: number;
}

/** A fitted parameter as "β = 0.529 ± 0.037", with two standard errors. */
export function plusMinus(
  fitted: { parameters: Record<string, number>; standardErrors: Record<string, number> },
  { name, symbol, digits }: NamedParameter,
): string {
  const error = 2 * fitted.standardErrors[name]!;
  return `${symbol} = ${fitted.parameters[name]!.toFixed(digits)} ± ${error.toFixed(digits)}`;
}

/** A fitted parameter with the interval of two standard errors on each side. */
export function estimate(
  fitted: { parameters: Record<string, number>; standardErrors: Record<string, number> },
  name: string,
): ExponentEstimate {
  const value = fitted.parameters[name]!;
  const error = fitted.standardErrors[name]!;
  return { value, lower: value - 2 * error, upper: value + 2 * error };
}

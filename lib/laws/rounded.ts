/** Fits to printed numbers, each known only to the last digit that was printed. */
import { columnsFrom, type Law, LawError, namedParameters } from "./law.ts";
import { leastSquares } from "./least_squares.ts";
import { problemOf } from "./problem.ts";
import { findLaw } from "./registry.ts";

/** A printed number: the tokens that reach a QiD, or the QiD after so many tokens. */
export interface PrintedNumber {
  readonly size: number;
  readonly bits: number;
  readonly tokens: number;
  /** Nats per token. */
  readonly qid: number;
  /** Which of the two was printed; the other is exact. */
  readonly printed: "tokens" | "qid";
  /** Value of one unit in the last printed digit, e.g. 1e8 tokens. */
  readonly unit: number;
}

/** A law through the rounding intervals of printed numbers. */
export interface RoundedFit {
  readonly law: Law;
  readonly parameters: Record<string, number>;
  /** Law minus printed number, in units of the last printed digit: within 0.5 it rounds to it. */
  readonly deviations: Float64Array;
  /** How many of the printed numbers the law gives back to the last digit. */
  readonly reproduced: number;
}

/** Powers of the deviation that are tried in turn: least squares first, then ever closer to minimax. */
const powers = [2, 4, 8, 16, 32];

/**
 * Fits a law of QiD to printed numbers so that it gives back as many of them as it can: first by
 * least squares of the deviations in printed units, then, while a number is missed, by their fourth,
 * eighth, sixteenth and thirty-second powers, which approach the smallest largest deviation.
 */
export function fitRounded(law: Law | string, numbers: readonly PrintedNumber[]): RoundedFit {
  const found = findLaw(law);
  const qid = Float64Array.from(numbers, (number) => number.qid);
  const columns = columnsFrom({
    size: numbers.map(({ size }) => size),
    tokens: numbers.map(({ tokens }) => tokens),
    bits: numbers.map(({ bits }) => bits),
  });
  const prepared = problemOf(found, { columns, observed: qid }, { space: "log" });
  const resolved = prepared.law;
  const { tokensFor } = resolved;
  if (tokensFor === undefined || resolved.response !== "qid") {
    throw new LawError(
      `Cannot fit the ${resolved.name} law to printed numbers: needs a law of QiD over tokens`,
    );
  }
  const values = new Float64Array(numbers.length);
  function deviations(coordinates: Float64Array, out: Float64Array): void {
    const theta = prepared.parametersOf(coordinates);
    resolved.evaluate(theta, columns, values);
    numbers.forEach((number, i) => {
      const difference = number.printed === "qid"
        ? values[i]! - number.qid
        : tokensFor!(theta, number.qid, number) - number.tokens;
      out[i] = difference / number.unit;
    });
  }

  let start = leastSquares(prepared.problem).theta;
  const found_ = new Float64Array(numbers.length);
  deviations(start, found_);
  for (const power of powers) {
    const largest = Math.max(...found_.map(Math.abs));
    start = leastSquares({
      rows: numbers.length,
      residuals(theta, out) {
        deviations(theta, out);
        for (let i = 0; i < out.length; i++) {
          out[i] = Math.sign(out[i]!) * Math.pow(Math.abs(out[i]!) / largest, power / 2);
        }
      },
      start,
    }).theta;
    deviations(start, found_);
    if (found_.every((deviation) => Math.abs(deviation) <= 0.5)) break;
  }
  return {
    law: resolved,
    parameters: namedParameters(resolved, prepared.parametersOf(start)),
    deviations: found_,
    reproduced: found_.filter((deviation) => Math.abs(deviation) <= 0.5).length,
  };
}

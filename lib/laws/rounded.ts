/** Fits to printed numbers, each known only to the last digit that was printed. */
import { max } from "simple-statistics";
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

/** Reweighted fits that are tried at most. */
const mostRounds = 100;

/**
 * Fits a law of QiD to printed numbers so that it gives all of them back, where one law can: least
 * squares of the deviations in printed units and then, while a number is missed, again with every
 * row weighed by its deviation so far. Repeated, this approaches the smallest largest deviation
 * (Lawson's algorithm, 1961). Returns the round with the smallest largest deviation.
 */
export function fitRounded(law: Law | string, numbers: readonly PrintedNumber[]): RoundedFit {
  for (const [index, { size, bits, tokens, qid, unit }] of numbers.entries()) {
    if (![size, bits, tokens, qid, unit].every((value) => value > 0 && Number.isFinite(value))) {
      throw new LawError(
        `Cannot fit to printed number ${index} (counted from 0): size, bits, tokens, qid and unit must be positive: got ${
          [size, bits, tokens, qid, unit].join(", ")
        }`,
      );
    }
  }
  const observations = {
    columns: columnsFrom({
      size: numbers.map(({ size }) => size),
      tokens: numbers.map(({ tokens }) => tokens),
      bits: numbers.map(({ bits }) => bits),
    }),
    observed: Float64Array.from(numbers, ({ qid }) => qid),
  };
  const prepared = problemOf(findLaw(law), observations, { space: "log" });
  const { law: resolved, parametersOf } = prepared;
  const { tokensFor } = resolved;
  if (tokensFor === undefined || resolved.response !== "qid") {
    throw new LawError(
      `Cannot fit the ${resolved.name} law to printed numbers: needs a law of QiD over tokens`,
    );
  }
  const values = new Float64Array(numbers.length);
  function residuals(coordinates: Float64Array, out: Float64Array): void {
    const theta = parametersOf(coordinates);
    resolved.evaluate(theta, observations.columns, values);
    numbers.forEach((number, i) => {
      const difference = number.printed === "qid"
        ? values[i]! - number.qid
        : tokensFor!(theta, number.qid, number) - number.tokens;
      out[i] = difference / number.unit;
    });
  }

  const weights = new Float64Array(numbers.length).fill(1);
  let start = leastSquares(prepared.problem).theta;
  let best = { theta: start, deviations: new Float64Array() as Float64Array, largest: Infinity };
  for (let round = 0; round < mostRounds && best.largest > 0.5; round++) {
    const { theta, residuals: deviations } = leastSquares({
      rows: numbers.length,
      residuals,
      start,
      weights,
    });
    const sizes = deviations.map(Math.abs);
    const largest = max([...sizes]);
    if (largest < best.largest) best = { theta, deviations, largest };
    const total = weights.reduce((sum, weight, i) => sum + weight * sizes[i]!, 0);
    weights.forEach((weight, i) => weights[i] = weight * sizes[i]! * numbers.length / total);
    start = theta;
  }
  return {
    law: resolved,
    parameters: namedParameters(resolved, parametersOf(best.theta)),
    deviations: best.deviations,
    reproduced: best.deviations.filter((deviation) => Math.abs(deviation) <= 0.5).length,
  };
}

/** A law with given parameters at one point: prediction, and inversion for the training tokens. */
import {
  columnsFrom,
  type Law,
  LawError,
  parameterVector,
  type Point,
  type Variable,
} from "./law.ts";
import { findLaw } from "./registry.ts";

/** A law and its parameters. A fit is one. */
export interface FittedLaw {
  readonly law: Law | string;
  readonly parameters: Record<string, number>;
}

/** The goal of `tokensFor`: the QiD or the loss to reach, at a size and, where needed, bits. */
export type Goal =
  & { size?: number; bits?: number }
  & ({ qid: number; loss?: undefined } | { loss: number; qid?: undefined });

/**
 * What a law predicts at one point, in nats per token.
 *
 * ```ts
 * import { strict as assert } from "node:assert";
 * import { predict, published } from "./mod.ts";
 * const qid = predict("unified", published.unified, { size: 1e9, tokens: 1e11, bits: 2 });
 * assert.ok(qid > 1 && qid < 3);
 * ```
 */
export function predict(law: Law | string, parameters: Record<string, number>, at: Point): number {
  const resolved = findLaw(law);
  const theta = parameterVector(resolved, parameters);
  checkPoint(resolved, at, resolved.variables, "predict with");
  const values = new Float64Array(1);
  resolved.evaluate(theta, pointColumns(at), values);
  return values[0]!;
}

/**
 * The training tokens D at which a law reaches a QiD or a loss (nats per token): the inverse of
 * `predict` in D. A law without D, and a goal that no number of tokens reaches, are errors.
 */
export function tokensFor(
  law: Law | string,
  parameters: Record<string, number>,
  goal: Goal,
): number {
  const resolved = findLaw(law);
  const theta = parameterVector(resolved, parameters);
  const asked = resolved.response === "qid" ? "qid" : "loss";
  const response = goal[asked];
  if (resolved.tokensFor === undefined) {
    throw new LawError(
      `Cannot invert the ${resolved.name} law for tokens: it depends on ${
        resolved.variables.join(", ")
      } only`,
    );
  }
  if (response === undefined || !(response > 0) || !Number.isFinite(response)) {
    throw new LawError(
      `Cannot invert the ${resolved.name} law for tokens: needs a positive ${asked}: got ${response}`,
    );
  }
  const others = resolved.variables.filter((variable) => variable !== "tokens");
  checkPoint(resolved, goal, others, "invert");
  const tokens = resolved.tokensFor(theta, response, goal);
  if (!(tokens > 0) || !Number.isFinite(tokens)) {
    throw new LawError(
      `Cannot invert the ${resolved.name} law for tokens: no number of tokens gives ${asked} ${response} at ${
        others.map((variable) => `${variable} ${goal[variable as "size" | "bits"]}`).join(", ")
      }`,
    );
  }
  return tokens;
}

/**
 * The loss of a quantized model in nats per token: its 16-bit loss plus its QiD, each from a law
 * (Ouyang et al. 2024, Figure 7).
 */
export function quantizedLoss(at: Point, terms: { loss16: FittedLaw; qid: FittedLaw }): number {
  return predict(terms.loss16.law, terms.loss16.parameters, at) +
    predict(terms.qid.law, terms.qid.parameters, at);
}

function checkPoint(law: Law, at: Point, needed: readonly Variable[], doing: string): void {
  for (const variable of needed) {
    const value = at[variable];
    if (value === undefined || !(value > 0) || !Number.isFinite(value)) {
      throw new LawError(
        `Cannot ${doing} the ${law.name} law: needs a positive ${variable}: got ${value}`,
      );
    }
  }
}

function pointColumns(at: Point) {
  return columnsFrom({
    ...(at.size === undefined ? {} : { size: [at.size] }),
    ...(at.tokens === undefined ? {} : { tokens: [at.tokens] }),
    ...(at.bits === undefined ? {} : { bits: [at.bits] }),
  });
}

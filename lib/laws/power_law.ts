/** The shared form of the power laws: a scale times powers of N, D and P. */
import type { Columns, Law, Parameter, Point, Variable } from "./law.ts";

/** The parameter `k`, in front of a law of QiD. */
export const scale: Parameter = {
  name: "scale",
  symbol: "k",
  unit: "nats per token",
  lower: 0,
  upper: Infinity,
  search: [1e-8, 1e4],
  logarithmic: true,
  meaning: "scale of the degradation",
};

/** The exponent of D. */
export const tokenExponent: Parameter = {
  name: "tokenExponent",
  symbol: "\\beta",
  unit: "1",
  lower: -5,
  upper: 5,
  search: [0, 1.5],
  meaning: "how fast QiD grows with training tokens",
};

/** The exponent of 1 / N. */
export const sizeExponent: Parameter = {
  name: "sizeExponent",
  symbol: "\\alpha",
  unit: "1",
  lower: -5,
  upper: 5,
  search: [0, 1],
  meaning: "how fast QiD falls with model size",
};

/** The exponent of 1 / P. */
export const bitExponent: Parameter = {
  name: "bitExponent",
  symbol: "\\gamma",
  unit: "1",
  lower: -5,
  upper: 30,
  search: [1, 10],
  meaning: "how fast QiD falls with bit width",
};

/** One factor of a power law: the variable to the power of `sign` times the exponent. */
export interface Factor {
  readonly variable: Variable;
  readonly sign: 1 | -1;
  readonly exponent: Parameter;
}

/** D to the power of beta. */
export const tokenFactor: Factor = { variable: "tokens", sign: 1, exponent: tokenExponent };
/** 1 / N to the power of alpha. */
export const sizeFactor: Factor = { variable: "size", sign: -1, exponent: sizeExponent };
/** 1 / P to the power of gamma. */
export const bitFactor: Factor = { variable: "bits", sign: -1, exponent: bitExponent };

/** The logarithms of one variable of the columns. */
export function lnColumn(columns: Columns, variable: Variable): Float64Array {
  if (variable === "size") return columns.lnSize;
  return variable === "tokens" ? columns.lnTokens : columns.lnBits;
}

/** A law of QiD: `scale` times the factors; its parameters are the scale, then the exponents. */
export function powerLaw(
  description: Pick<Law, "name" | "title" | "source" | "latex">,
  factors: readonly Factor[],
): Law {
  const parameters = [scale, ...factors.map(({ exponent }) => exponent)];
  const width = parameters.length;

  function evaluate(
    theta: Float64Array,
    columns: Columns,
    values: Float64Array,
    jacobian?: Float64Array,
  ): void {
    const k = theta[0]!;
    const { rows } = columns;
    // One pass a factor: the loops that fits and bootstraps spend most of their time in.
    values.fill(0);
    factors.forEach(({ variable, sign }, j) => {
      const power = sign * theta[j + 1]!;
      const logarithms = lnColumn(columns, variable);
      for (let row = 0; row < rows; row++) values[row] = values[row]! + power * logarithms[row]!;
    });
    for (let row = 0; row < rows; row++) {
      const product = Math.exp(values[row]!);
      if (jacobian !== undefined) jacobian[row * width] = product;
      values[row] = k * product;
    }
    if (jacobian === undefined) return;
    factors.forEach(({ variable, sign }, j) => {
      const logarithms = lnColumn(columns, variable);
      for (let row = 0; row < rows; row++) {
        jacobian[row * width + j + 1] = sign * values[row]! * logarithms[row]!;
      }
    });
  }

  const tokenIndex = factors.findIndex(({ variable }) => variable === "tokens");
  function tokensFor(theta: Float64Array, response: number, at: Point): number {
    let rest = Math.log(response / theta[0]!);
    factors.forEach(({ variable, sign }, j) => {
      if (j !== tokenIndex) rest -= sign * theta[j + 1]! * Math.log(at[variable]!);
    });
    return Math.exp(rest / theta[tokenIndex + 1]!);
  }

  return {
    ...description,
    variables: factors.map(({ variable }) => variable),
    response: "qid",
    parameters,
    linear: [0],
    evaluate,
    ...(tokenIndex < 0 ? {} : { tokensFor }),
  };
}

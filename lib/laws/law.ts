/**
 * What a law is: a formula with named parameters, evaluated over columns of model size N, training
 * tokens D and bit width P, with its analytic gradient and, where it has one, its inversion for D.
 */

/** Input that a law cannot work with: the message says what was given and what to do. */
export class LawError extends RangeError {
  override readonly name = "LawError";
}

/** What a law may depend on: N (`size`), D (`tokens`), P (`bits`). */
export type Variable = "size" | "tokens" | "bits";

/** All variables, in the order of the papers: N, D, P. */
export const variables: readonly Variable[] = ["size", "tokens", "bits"];

/** What a law predicts: QiD, or the loss of the 16-bit model. Both in nats per token. */
export type Response = "qid" | "loss16";

/** One model: N non-embedding parameters, trained on D tokens, quantized to P bits per weight. */
export interface Point {
  size?: number;
  tokens?: number;
  bits?: number;
}

/** One parameter of a law. */
export interface Parameter {
  /** Name in code, e.g. `tokenExponent`. */
  readonly name: string;
  /** LaTeX symbol, e.g. `\\beta`. */
  readonly symbol: string;
  /** Unit, or "1" for a pure number. */
  readonly unit: string;
  /** Lowest value that a fit may reach. */
  readonly lower: number;
  /** Highest value that a fit may reach. */
  readonly upper: number;
  /** Range from which the starts of a fit are drawn. */
  readonly search: readonly [number, number];
  /** True when the search, and the steps of a fit, are in the logarithm of the parameter. */
  readonly logarithmic?: boolean;
  /** What it says, in a few words. */
  readonly meaning: string;
}

/**
 * Rows of a table as columns, with their natural logarithms ready. A variable that is not there has
 * columns of length 0; a law reads only its own variables.
 */
export interface Columns {
  readonly rows: number;
  readonly size: Float64Array;
  readonly tokens: Float64Array;
  readonly bits: Float64Array;
  readonly lnSize: Float64Array;
  readonly lnTokens: Float64Array;
  readonly lnBits: Float64Array;
}

/** A law. `theta` holds the parameters in the order of `parameters`, in their reported units. */
export interface Law {
  /** Name in the registry, e.g. `unified`. */
  readonly name: string;
  /** Name for a heading, e.g. "Unified law". */
  readonly title: string;
  /** Paper and equation. */
  readonly source: string;
  /** The formula in one line of LaTeX, without dollar signs. */
  readonly latex: string;
  readonly variables: readonly Variable[];
  readonly response: Response;
  readonly parameters: readonly Parameter[];
  /** Indices of the parameters in which the prediction is linear (it holds no other term). */
  readonly linear: readonly number[];
  /**
   * Writes the prediction of every row to `values` [rows], in nats per token, and, where given, its
   * derivatives to `jacobian` [rows, parameters], row-major.
   */
  evaluate(
    theta: Float64Array,
    columns: Columns,
    values: Float64Array,
    jacobian?: Float64Array,
  ): void;
  /** The tokens D at which the prediction is `response`, at the size and bits of `at`. */
  tokensFor?(theta: Float64Array, response: number, at: Point): number;
  /** The same law for the bit widths that a table holds, where its parameters depend on them. */
  forBits?(bits: readonly number[]): Law;
}

/** Builds columns from plain arrays: all of one length; lengths that differ are an error. */
export function columnsFrom(values: Partial<Record<Variable, ArrayLike<number>>>): Columns {
  const given = variables.filter((variable) => values[variable] !== undefined);
  const lengths = given.map((variable) => values[variable]!.length);
  if (lengths.some((length) => length !== lengths[0])) {
    throw new LawError(
      `Cannot build columns: all must have one length: got ${
        given.map((variable, i) => `${variable} ${lengths[i]}`).join(", ")
      }`,
    );
  }
  const size = Float64Array.from(values.size ?? []);
  const tokens = Float64Array.from(values.tokens ?? []);
  const bits = Float64Array.from(values.bits ?? []);
  return {
    rows: lengths[0] ?? 0,
    size,
    tokens,
    bits,
    lnSize: size.map(Math.log),
    lnTokens: tokens.map(Math.log),
    lnBits: bits.map(Math.log),
  };
}

/** The columns of the rows at `indices`, in that order; an index may come more than once. */
export function selectRows(columns: Columns, indices: ArrayLike<number>): Columns {
  return {
    rows: indices.length,
    size: gather(columns.size, indices),
    tokens: gather(columns.tokens, indices),
    bits: gather(columns.bits, indices),
    lnSize: gather(columns.lnSize, indices),
    lnTokens: gather(columns.lnTokens, indices),
    lnBits: gather(columns.lnBits, indices),
  };
}

/** The values at `indices`; a column that is not there (length 0) stays so. */
export function gather(column: Float64Array, indices: ArrayLike<number>): Float64Array {
  if (column.length === 0) return column;
  const out = new Float64Array(indices.length);
  for (let i = 0; i < out.length; i++) out[i] = column[indices[i]!]!;
  return out;
}

/** Parameters by name, from their values in the law's order. */
export function namedParameters(law: Law, theta: ArrayLike<number>): Record<string, number> {
  return Object.fromEntries(law.parameters.map(({ name }, i) => [name, theta[i]!]));
}

/** Parameter values in the law's order; a missing, unknown or non-finite one is an error. */
export function parameterVector(law: Law, parameters: Record<string, number>): Float64Array {
  const names = law.parameters.map(({ name }) => name);
  const wrong = names.filter((name) => !Number.isFinite(parameters[name]));
  const unknown = Object.keys(parameters).filter((name) => !names.includes(name));
  if (wrong.length > 0 || unknown.length > 0) {
    const faults = [
      wrong.length > 0 ? `no finite ${wrong.join(", ")}` : "",
      unknown.length > 0 ? `unknown ${unknown.join(", ")}` : "",
    ].filter((fault) => fault !== "");
    throw new LawError(
      `Cannot use these parameters with the ${law.name} law: needs ${names.join(", ")}: got ${
        faults.join(" and ")
      }`,
    );
  }
  return Float64Array.from(names, (name) => parameters[name]!);
}

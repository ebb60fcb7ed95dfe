/**
 * A law with tokens and with the decay of the learning rate, for the objection of arXiv 2510.06213 to tokens alone. It
 * stands beside the laws of the registry, because its second variable is a schedule's, not a model's.
 */
import { LawError } from "./law.ts";
import { dot, linearFit } from "./linear_fit.ts";

/** A checkpoint of some run. */
export interface DecayRow {
  /** What shares a scale, such as a model size: runs of one curve differ in their tokens and schedules alone. */
  readonly curve: string;
  readonly tokens: number;
  /** Learning rate at the checkpoint as a share of the peak. */
  readonly rate: number;
  /** Measured degradation, nats per token; above 0. */
  readonly qid: number;
}

/** What QiD may depend on within a curve: the tokens D, and how far the learning rate has decayed. */
export type DecayTerm = "tokens" | "decay";

/** How QiD follows the rate r, a share of the peak: as exp(delta (1 - r)), or as r^-delta. */
export type DecayForm = "exponential" | "power";

/** An exponent and its standard error. */
export interface DecayExponent {
  readonly value: number;
  readonly standardError: number;
}

/** How to fit. */
export interface DecayOptions {
  /** Both if left out. */
  readonly terms?: readonly DecayTerm[];
  /** "exponential" if left out, which fits the suite's schedules better. */
  readonly form?: DecayForm;
}

/** A fitted law QiD = k_c D^beta exp(delta (1 - r)), by least squares of the logarithm. */
export interface DecayFit {
  /** beta of the tokens, delta of the decay; undefined for a term that was left out. */
  readonly exponents: Readonly<Partial<Record<DecayTerm, DecayExponent>>>;
  /** k by curve. */
  readonly scales: Readonly<Record<string, number>>;
  /** The part of the variance of ln QiD within the curves that the terms explain. */
  readonly rSquared: number;
  /** Standard deviation of a residual of ln QiD. */
  readonly deviation: number;
  readonly rows: number;
  predict(at: Omit<DecayRow, "qid">): number;
}

/**
 * Fits QiD = k_c D^beta exp(delta (1 - r)), or one of its two terms alone, with a scale for each curve. A positive delta
 * says that QiD grows as the learning rate falls, at equal tokens.
 *
 * Throws when a value is not positive, when there are too few rows, and when the rows cannot tell the terms apart.
 *
 * ```ts
 * import { strict as assert } from "node:assert";
 * import { fitDecay } from "./mod.ts";
 * const rows = [[1e6, 1], [4e6, 1], [4e6, 0.1], [1.6e7, 0.1]].map(([tokens, rate]) => ({
 *   ...{ curve: "a", tokens: tokens!, rate: rate! },
 *   qid: 1e-4 * tokens! ** 0.4 * Math.exp(0.5 * (1 - rate!)),
 * }));
 * const { exponents } = fitDecay(rows);
 * assert.ok(Math.abs(exponents.tokens!.value - 0.4) < 1e-9 && Math.abs(exponents.decay!.value - 0.5) < 1e-9);
 * ```
 */
export function fitDecay(
  rows: readonly DecayRow[],
  { terms = ["tokens", "decay"], form = "exponential" }: DecayOptions = {},
): DecayFit {
  const wrong = rows.findIndex(({ tokens, rate, qid }) => !(tokens > 0 && rate > 0 && qid > 0));
  if (wrong >= 0) {
    const { tokens, rate, qid } = rows[wrong]!;
    throw new LawError(
      "Cannot fit the law of tokens and decay: tokens, rate and qid must be above 0: " +
        `got ${tokens}, ${rate} and ${qid} in row ${wrong + 1}`,
    );
  }
  const curves = [...new Set(rows.map(({ curve }) => curve))];
  const width = terms.length + curves.length;
  if (rows.length <= width) {
    throw new LawError(
      `Cannot fit the law of tokens and decay: needs more than ${width} rows: got ${rows.length}`,
    );
  }
  const design = (row: Omit<DecayRow, "qid">) => [
    ...terms.map((term) =>
      term === "tokens"
        ? Math.log(row.tokens)
        : form === "power"
        ? -Math.log(row.rate)
        : 1 - row.rate
    ),
    ...curves.map((curve) => curve === row.curve ? 1 : 0),
  ];
  const columns = rows.map(design);
  const observed = rows.map(({ qid }) => Math.log(qid));
  const { theta, objective, standardErrors, residualDeviation, usable, status } = linearFit(
    columns,
    observed,
  );
  if (!usable) {
    throw new LawError(
      `Cannot fit the law of tokens and decay: the rows do not determine it (${status}): needs equal tokens at ` +
        "different rates",
    );
  }
  const spread = curves.reduce((sum, curve) => {
    const own = observed.filter((_, i) => rows[i]!.curve === curve);
    const mean = own.reduce((total, value) => total + value, 0) / own.length;
    return sum + own.reduce((total, value) => total + (value - mean) ** 2, 0);
  }, 0);
  return {
    exponents: Object.fromEntries(
      terms.map((term, j) => [term, { value: theta[j]!, standardError: standardErrors[j]! }]),
    ),
    scales: Object.fromEntries(
      curves.map((curve, j) => [curve, Math.exp(theta[terms.length + j]!)]),
    ),
    rSquared: 1 - objective / spread,
    deviation: residualDeviation,
    rows: rows.length,
    predict(at) {
      if (!curves.includes(at.curve)) {
        throw new LawError(
          `Cannot predict for the curve ${at.curve}: fitted were ${curves.join(", ")}`,
        );
      }
      return Math.exp(dot(design(at), theta));
    },
  };
}

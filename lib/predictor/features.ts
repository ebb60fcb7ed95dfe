/** The features of the predictors: each a number of a row, with a title for tables and the group it belongs to. */
import { type PredictorRow, riseAt } from "./rows.ts";

/** What a feature tells of. */
export type FeatureGroup =
  | "base loss"
  | "size"
  | "tokens"
  | "algorithm"
  | "format"
  | "noise"
  | "landscape";

/** A feature. Positive quantities that span orders of magnitude come as natural logarithms. */
export interface Feature {
  readonly name: string;
  readonly title: string;
  readonly group: FeatureGroup;
  readonly value: (row: PredictorRow) => number;
}

/** All features, those of paper B first and the token count of paper A last. */
export const features: readonly Feature[] = [
  { name: "loss16", title: "16-bit loss", group: "base loss", value: (row) => row.loss16 },
  { name: "size", title: "ln N", group: "size", value: (row) => Math.log(row.size) },
  {
    name: "gptq",
    title: "GPTQ or RTN",
    group: "algorithm",
    value: (row) => row.algorithm === "gptq" ? 1 : 0,
  },
  { name: "element_bits", title: "element bits", group: "format", value: (row) => row.elementBits },
  {
    name: "exponent_bits",
    title: "exponent bits",
    group: "format",
    value: (row) => row.exponentBits,
  },
  {
    name: "block",
    title: "log2 block size",
    group: "format",
    value: (row) => Math.log2(row.block),
  },
  {
    name: "bits_per_weight",
    title: "bits per weight",
    group: "format",
    value: (row) => row.bitsPerWeight,
  },
  { name: "sqnr", title: "SQNR of RTN", group: "noise", value: (row) => row.sqnr },
  {
    name: "worst_sqnr",
    title: "SQNR, worst layer",
    group: "noise",
    value: (row) => row.worstSqnr,
  },
  {
    name: "rise_at_sqnr",
    title: "profile at the SQNR",
    group: "landscape",
    value: (row) => Math.log(riseAt(row.landscape, row.sqnr)),
  },
  {
    name: "second_order",
    title: "second-order loss",
    group: "landscape",
    value: (row) => Math.log(Math.max(row.secondOrder, 1e-9)),
  },
  {
    name: "rise_20",
    title: "profile at 20 dB",
    group: "landscape",
    value: (row) => Math.log(riseAt(row.landscape, 20)),
  },
  {
    name: "rise_9",
    title: "profile at 9 dB",
    group: "landscape",
    value: (row) => Math.log(riseAt(row.landscape, 9)),
  },
  {
    name: "spread",
    title: "spread over directions",
    group: "landscape",
    value: ({ landscape: { rises, spreads, noiseLevels } }) => {
      const at = noiseLevels.indexOf(20);
      return at < 0 ? 0 : spreads[at]! / rises[at]!;
    },
  },
  {
    name: "first_step",
    title: "first step",
    group: "landscape",
    value: (row) => row.landscape.firstStep,
  },
  {
    name: "second_derivative",
    title: "second derivative",
    group: "landscape",
    value: (row) => Math.log(row.landscape.secondDerivative),
  },
  {
    name: "trace",
    title: "trace of the Hessian",
    group: "landscape",
    value: (row) => Math.log(row.landscape.trace),
  },
  { name: "tokens", title: "ln D", group: "tokens", value: (row) => Math.log(row.tokens) },
];

/** Sets of features by name. */
export const featureSets = {
  /** Paper B's: everything but the token count, which it does not have. */
  "paper B": features.filter(({ group }) => group !== "tokens"),
  "paper B without the landscape": features.filter(({ group }) =>
    group !== "tokens" && group !== "landscape"
  ),
  /** Paper A's variables, and which algorithm. */
  "N, D, P": pick("size", "tokens", "bits_per_weight", "gptq"),
  "both papers": features,
} as const;

export type FeatureSet = keyof typeof featureSets;

/** The values of features [rows][features]. Throws, with row and feature, when one is not finite. */
export function matrixOf(rows: readonly PredictorRow[], chosen: readonly Feature[]): number[][] {
  return rows.map((row) =>
    chosen.map(({ name, value }) => {
      const number = value(row);
      if (Number.isFinite(number)) return number;
      throw new RangeError(
        `Cannot predict for ${row.model} ${row.revision} ${row.method}: needs a finite ${name}: got ${number}`,
      );
    })
  );
}

function pick(...names: string[]): readonly Feature[] {
  return names.map((name) => features.find((feature) => feature.name === name)!);
}

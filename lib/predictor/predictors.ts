/** The predictors of the loss after quantization: the second paper's forest, and what it must beat. */
import MultivariateLinearRegression from "ml-regression-multivariate-linear";
import pl from "nodejs-polars";
import { linearRegression, mean, standardDeviation } from "simple-statistics";
import { fit, predict } from "../laws/mod.ts";
import { type Feature, featureSets, matrixOf } from "./features.ts";
import { type ForestOptions, growForest } from "./forest.ts";
import { type PredictorRow, riseAt } from "./rows.ts";

/** Predicts the loss after quantization, nats per token, of rows. */
export type Predict = (rows: readonly PredictorRow[]) => number[];

/** A way to predict. */
export interface Predictor {
  readonly name: string;
  readonly train: (rows: readonly PredictorRow[], options?: ForestOptions) => Predict;
}

/**
 * A scale on which forests and linear models predict QiD: asinh(QiD / 0.001), which is its logarithm where it is large,
 * and defined where noise makes it negative.
 */
export const qidScale = {
  to: (qid: number) => Math.asinh(qid / 1e-3),
  from: (scaled: number) => 1e-3 * Math.sinh(scaled),
} as const;

const toQid = ({ qid }: PredictorRow) => qidScale.to(qid);

/** A forest of the loss after quantization itself, as in the paper. */
export function lossForest(name: string, chosen: readonly Feature[]): Predictor {
  return {
    name,
    train(rows, options) {
      const values = rows.map(({ lossQuantized }) => lossQuantized);
      const forest = growForest(matrixOf(rows, chosen), values, options);
      return (rows) => forest.predict(matrixOf(rows, chosen));
    },
  };
}

/** A forest of QiD, to which the known 16-bit loss is added. */
export function qidForest(name: string, chosen: readonly Feature[]): Predictor {
  return {
    name,
    train(rows, options) {
      const forest = growForest(matrixOf(rows, chosen), rows.map(toQid), options);
      return (rows) => addLoss(rows, forest.predict(matrixOf(rows, chosen)).map(qidScale.from));
    },
  };
}

/** Least squares of QiD on all features, each centred and scaled; one that does not vary is left out. */
function linearModel(name: string, chosen: readonly Feature[]): Predictor {
  return {
    name,
    train(rows) {
      const given = matrixOf(rows, chosen);
      const columns = chosen.map((_, i) => given.map((row) => row[i]!));
      const centres = columns.map((column) => mean(column));
      const scales = columns.map((column) => standardDeviation(column));
      const scaled = (matrix: number[][]) =>
        matrix.map((row) =>
          row.map((value, i) => scales[i]! > 1e-12 ? (value - centres[i]!) / scales[i]! : 0)
        );
      const model = new MultivariateLinearRegression(
        scaled(given),
        rows.map((row) => [toQid(row)]),
        { intercept: true, statistics: false },
      );
      return (rows) => {
        const values = model.predict(scaled(matrixOf(rows, chosen))).map(([value]) => value!);
        return addLoss(rows, values.map(qidScale.from));
      };
    },
  };
}

/** A line through QiD over the SQNR of rounding to nearest, one for each algorithm. */
const sqnrAlone: Predictor = {
  name: "SQNR alone",
  train: (rows) =>
    byAlgorithm(rows, (own) => {
      const { m, b } = linearRegression(own.map((row) => [row.sqnr, toQid(row)]));
      return ({ sqnr }) => qidScale.from(m * sqnr + b);
    }),
};

/** The unified law of paper A (Eq. 8) of each algorithm, least squares of QiD; P is all bits stored per weight. */
const unifiedLaw: Predictor = {
  name: "unified law of paper A",
  train: (rows) =>
    byAlgorithm(rows, (own) => {
      const numbers = {
        size: own.map(({ size }) => size),
        tokens: own.map(({ tokens }) => tokens),
        bits: own.map(({ bitsPerWeight }) => bitsPerWeight),
        qid: own.map(({ qid }) => qid),
      };
      const { law, parameters } = fit("unified", pl.DataFrame(numbers));
      return ({ size, tokens, bitsPerWeight: bits }) =>
        predict(law, parameters, { size, tokens, bits });
    }),
};

/**
 * The radial profile read at the format's SQNR, times one factor for each algorithm (geometric mean of the ratios):
 * the landscape without a model of anything else.
 */
const profileAtSqnr: Predictor = {
  name: "profile read at the SQNR",
  train: (rows) =>
    byAlgorithm(rows, (own) => {
      const logs = own.filter(({ qid }) => qid > 0)
        .map((row) => Math.log(row.qid / riseAt(row.landscape, row.sqnr)));
      const factor = Math.exp(mean(logs));
      return (row) => factor * riseAt(row.landscape, row.sqnr);
    }),
};

/** The paper's predictor, as in the paper. */
export const paperForest = lossForest("forest of the loss", featureSets["paper B"]);
/** The same features, with QiD in place of the loss. */
export const degradationForest = qidForest("forest of QiD", featureSets["paper B"]);

/** The predictors that are compared, the paper's first. */
export const predictors: readonly Predictor[] = [
  paperForest,
  degradationForest,
  linearModel("linear model of QiD", featureSets["paper B"]),
  unifiedLaw,
  sqnrAlone,
  profileAtSqnr,
];

/** Forests of QiD that know different things: what either paper's features add. */
export const featureForests: readonly Predictor[] = [
  degradationForest,
  ...(["paper B without the landscape", "N, D, P", "both papers"] as const).map((set) =>
    qidForest(`forest of QiD: ${set}`, featureSets[set])
  ),
];

/** Trains something of each algorithm on its own rows. */
function byAlgorithm(
  rows: readonly PredictorRow[],
  train: (own: readonly PredictorRow[]) => (row: PredictorRow) => number,
): Predict {
  const trained = new Map(
    [...Map.groupBy(rows, ({ algorithm }) => algorithm)].map(([name, own]) => [name, train(own)]),
  );
  return (rows) =>
    rows.map((row) => {
      const qidOf = trained.get(row.algorithm);
      if (qidOf !== undefined) return row.loss16 + qidOf(row);
      throw new RangeError(
        `Cannot predict for ${row.algorithm}: it was not among the rows trained on`,
      );
    });
}

function addLoss(rows: readonly PredictorRow[], qid: readonly number[]): number[] {
  return rows.map(({ loss16 }, i) => loss16 + qid[i]!);
}

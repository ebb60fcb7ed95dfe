/** Predictions of checkpoints that the training never saw: other sizes, other stages of training. */
import { LawError } from "../laws/mod.ts";
import type { ForestOptions } from "./forest.ts";
import type { Predict, Predictor } from "./predictors.ts";
import type { PredictorRow } from "./rows.ts";

/** What is held out: each size in turn, or the early, middle and late part of training in turn. */
export type HeldOut = "size" | "stage";

/** A part of the rows that is predicted from the others. */
export interface Fold {
  /** What is held out: "N 38176", or "early", "middle", "late". */
  readonly label: string;
  readonly train: readonly PredictorRow[];
  readonly test: readonly PredictorRow[];
}

/** The folds of the rows. Stages are the thirds of the different token counts. Throws when there is one value only. */
export function foldsOf(rows: readonly PredictorRow[], heldOut: HeldOut): Fold[] {
  const key = heldOut === "size" ? "size" : "tokens";
  const values = [...new Set(rows.map((row) => row[key]))].sort((a, b) => a - b);
  if (values.length < 2) {
    throw new RangeError(
      `Cannot hold out a ${heldOut}: needs rows of at least 2 values of ${key}: got ${values.length}`,
    );
  }
  const stages = ["early", "middle", "late"];
  const labelOf = (value: number) =>
    heldOut === "size"
      ? `N ${value}`
      : stages[Math.floor(values.indexOf(value) * stages.length / values.length)]!;
  const labels = [...new Set(values.map(labelOf))];
  return labels.map((label) => ({
    label,
    train: rows.filter((row) => labelOf(row[key]) !== label),
    test: rows.filter((row) => labelOf(row[key]) === label),
  }));
}

/** A row with what was predicted of it, nats per token, by a predictor that had not seen its size or stage. */
export interface HeldOutRow {
  readonly predictor: string;
  readonly heldOut: HeldOut;
  readonly fold: string;
  readonly row: PredictorRow;
  readonly predicted: number;
}

/** A predictor trained once for each fold. */
export interface TrainedFold extends Fold {
  readonly predict: Predict;
}

/**
 * Trains a predictor for each fold. A law that the rows of a fold cannot determine (a size exponent from one size) is
 * left out there.
 */
export function trainFolds(
  predictor: Predictor,
  folds: readonly Fold[],
  options?: ForestOptions,
): TrainedFold[] {
  return folds.flatMap((fold) => {
    try {
      return [{ ...fold, predict: predictor.train(fold.train, options) }];
    } catch (error) {
      if (error instanceof LawError) return [];
      throw error;
    }
  });
}

/** Predicts each row from those of other sizes, or other stages. */
export function predictHeldOut(
  predictor: Predictor,
  rows: readonly PredictorRow[],
  heldOut: HeldOut,
  options?: ForestOptions,
): HeldOutRow[] {
  return trainFolds(predictor, foldsOf(rows, heldOut), options).flatMap(
    ({ label, test, predict }) => {
      const predicted = predict(test);
      return test.map((row, i) => ({
        ...{ predictor: predictor.name, heldOut, fold: label, row, predicted: predicted[i]! },
      }));
    },
  );
}

/** What a predictor goes by: permutation importance on held-out rows, and partial dependence. */
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { mean, sampleStandardDeviation } from "simple-statistics";
import { type Feature, matrixOf } from "./features.ts";
import { type ForestOptions, growForest } from "./forest.ts";
import { foldsOf, type HeldOut } from "./hold_out.ts";
import { qidScale } from "./predictors.ts";
import type { PredictorRow } from "./rows.ts";

/** How much worse held-out predictions get when some features are shuffled. */
export interface Importance {
  /** The features' names, or the group's. */
  readonly name: string;
  readonly title: string;
  readonly kind: "feature" | "group";
  /** Rise of the mean absolute error, nats per token: mean over shuffles, and its standard error. */
  readonly rise: number;
  readonly standardError: number;
}

/** How importance is taken. */
export interface ImportanceOptions extends ForestOptions {
  readonly heldOut?: HeldOut;
  /** Shuffles of each feature; 5 if left out. */
  readonly shuffles?: number;
}

/**
 * Permutation importance (Breiman 2001) of each feature, and of each group of features shuffled together, in the forest
 * of QiD: rows are held out by size, or stage, and a shuffled row takes the values of another among all held-out rows.
 * Features that say the same share their importance; a group's holds whatever they share.
 */
export function importances(
  rows: readonly PredictorRow[],
  chosen: readonly Feature[],
  { heldOut = "size", shuffles = 5, ...options }: ImportanceOptions = {},
): Importance[] {
  const folds = foldsOf(rows, heldOut).map(({ train, test }) => ({
    forest: growForest(
      matrixOf(train, chosen),
      train.map(({ qid }) => qidScale.to(qid)),
      options,
    ),
    test,
    given: matrixOf(test, chosen),
  }));
  const pool = folds.flatMap(({ given }) => given);
  const errorWith = (columns: readonly number[], order: readonly number[]) => {
    let at = 0;
    const errors = folds.flatMap(({ forest, test, given }) => {
      const shuffled = given.map((row) => {
        const other = pool[order[at++]!]!;
        return row.map((value, i) => columns.includes(i) ? other[i]! : value);
      });
      const predicted = forest.predict(shuffled);
      return test.map(({ qid }, i) => Math.abs(qidScale.from(predicted[i]!) - qid));
    });
    return mean(errors);
  };
  const base = errorWith([], pool.map((_, i) => i));
  const random = xoroshiro128plus(options.seed ?? 1);
  const orders = Array.from({ length: shuffles }, () => {
    const order = pool.map((_, i) => i);
    for (let i = order.length - 1; i > 0; i--) {
      const j = uniformInt(random, 0, i);
      [order[i], order[j]] = [order[j]!, order[i]!];
    }
    return order;
  });
  const riseOf = (columns: readonly number[]) => {
    const rises = orders.map((order) => errorWith(columns, order) - base);
    const standardError = shuffles > 1 ? sampleStandardDeviation(rises) / Math.sqrt(shuffles) : NaN;
    return { rise: mean(rises), standardError };
  };
  const groups = [...new Set(chosen.map(({ group }) => group))];
  return [
    ...chosen.map(({ name, title }, i) => ({
      ...{ name, title, kind: "feature" as const, ...riseOf([i]) },
    })),
    ...groups.map((group) => ({
      ...{ name: group, title: group, kind: "group" as const },
      ...riseOf(chosen.flatMap((feature, i) => feature.group === group ? [i] : [])),
    })),
  ];
}

/** A point of a partial dependence. */
export interface DependencePoint {
  readonly feature: string;
  readonly title: string;
  /** The value that every row is given, in the feature's units. */
  readonly value: number;
  /** Mean over rows of the forest's value, as QiD in nats per token. */
  readonly qid: number;
}

/**
 * Partial dependence (Friedman 2001) of the forest of QiD on each feature: the mean prediction on its scale when all rows
 * are given one value, at up to `points` quantiles of the feature. It moves one feature and holds others that go with it.
 */
export function partialDependence(
  rows: readonly PredictorRow[],
  chosen: readonly Feature[],
  { points = 9, ...options }: ForestOptions & { points?: number } = {},
): DependencePoint[] {
  const given = matrixOf(rows, chosen);
  const forest = growForest(given, rows.map(({ qid }) => qidScale.to(qid)), options);
  return chosen.flatMap(({ name, title }, column) => {
    const sorted = given.map((row) => row[column]!).sort((a, b) => a - b);
    const levels = new Set(
      Array.from(
        { length: points },
        (_, i) => sorted[Math.round(i * (sorted.length - 1) / (points - 1))]!,
      ),
    );
    return [...levels].map((value) => {
      const moved = given.map((row) => row.map((own, i) => i === column ? value : own));
      return { feature: name, title, value, qid: qidScale.from(mean(forest.predict(moved))) };
    });
  });
}

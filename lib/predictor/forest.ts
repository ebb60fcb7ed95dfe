/** Random-forest regression: ml-random-forest with its pitfalls closed off. */
import { RandomForestRegression } from "ml-random-forest";

/** How a forest is grown. */
export interface ForestOptions {
  /** Trees; 24 if left out. */
  readonly trees?: number;
  /**
   * Features that a tree sees, at least 2 and at most all, which is the default. The library draws them once a tree, not at
   * each split; and it reads its `maxFeatures` of 1 as the share 1.0, all of them, so that a count of 1 cannot be asked for.
   */
  readonly featuresPerTree?: number;
  /** Rows of a node that is not split any more; 3 if left out. */
  readonly leaf?: number;
  /** Seed of rows and features, a 32-bit whole number; 1 if left out. */
  readonly seed?: number;
}

/** A grown forest. */
export interface Forest {
  /** Predictions for rows [rows][features]. */
  predict(rows: readonly (readonly number[])[]): number[];
}

/**
 * Grows a forest on rows [rows][features] and their values: each tree on a bootstrap sample, predictions are means. The
 * same input gives the same forest.
 *
 * A forest predicts means of what it has seen: it cannot go beyond the range of its training values.
 */
export function growForest(
  rows: readonly (readonly number[])[],
  values: readonly number[],
  options: ForestOptions = {},
): Forest {
  const width = rows[0]?.length ?? 0;
  const { trees = 24, featuresPerTree = width, leaf = 3, seed = 1 } = options;
  if (rows.length < 2 || rows.length !== values.length || width < 2) {
    throw new RangeError(
      "Cannot grow a forest: needs at least 2 rows of at least 2 features, and a value for each: got " +
        `${rows.length} rows of ${width} features and ${values.length} values`,
    );
  }
  if (!(Number.isInteger(featuresPerTree) && featuresPerTree >= 2 && featuresPerTree <= width)) {
    throw new RangeError(
      `Cannot grow a forest: needs 2 to ${width} features per tree: got ${featuresPerTree}`,
    );
  }
  const forest = new RandomForestRegression({
    nEstimators: trees,
    maxFeatures: featuresPerTree,
    replacement: false,
    seed,
    useSampleBagging: true,
    noOOB: true,
    treeOptions: { minNumSamples: leaf, maxDepth: 30 },
  });
  forest.train(rows.map((row) => [...row]), [...values]);
  return { predict: (rows) => forest.predict(rows.map((row) => [...row])) };
}

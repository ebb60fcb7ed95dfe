/** How good predictions are, with intervals that resample whole checkpoints. */
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { mean, quantileSorted, sampleRankCorrelation } from "simple-statistics";

/** What was measured and what was predicted, nats per token. */
export interface Prediction {
  /** Rows of one cluster are drawn together: a checkpoint. */
  readonly cluster: string;
  readonly loss16: number;
  readonly lossQuantized: number;
  readonly predicted: number;
}

/** A number with its 95 % bootstrap interval. */
export interface Estimate {
  readonly value: number;
  readonly lower: number;
  readonly upper: number;
}

/** Scores of predictions of the loss after quantization. */
export interface Scores {
  /** 1 - sum of squared errors over that of the deviations from the mean; below 0 when the mean would do better. */
  readonly rSquared: Estimate;
  /** The same of QiD: the 16-bit loss, which is known, explains nothing of it. */
  readonly rSquaredQid: Estimate;
  /** Mean absolute error, nats per token. */
  readonly mae: Estimate;
  /** Spearman's rank correlation of the loss, and of QiD. */
  readonly rank: Estimate;
  readonly rankQid: Estimate;
  readonly rows: number;
}

const statistics = {
  rSquared: (rows: readonly Prediction[]) =>
    rSquared(rows.map(({ lossQuantized }) => lossQuantized), rows),
  rSquaredQid: (rows: readonly Prediction[]) =>
    rSquared(rows.map(({ lossQuantized, loss16 }) => lossQuantized - loss16), rows),
  mae: (rows: readonly Prediction[]) => mean(rows.map((row) => Math.abs(errorOf(row)))),
  rank: (rows: readonly Prediction[]) =>
    sampleRankCorrelation(
      rows.map(({ predicted }) => predicted),
      rows.map(({ lossQuantized }) => lossQuantized),
    ),
  rankQid: (rows: readonly Prediction[]) =>
    sampleRankCorrelation(
      rows.map(({ predicted, loss16 }) => predicted - loss16),
      rows.map(({ lossQuantized, loss16 }) => lossQuantized - loss16),
    ),
} as const;

/** Scores predictions; intervals are percentiles over `resamples` draws of clusters with replacement. */
export function scoresOf(
  rows: readonly Prediction[],
  { resamples = 300, seed = 1 }: { resamples?: number; seed?: number } = {},
): Scores {
  if (rows.length < 2) {
    throw new RangeError(`Cannot score predictions: needs at least 2: got ${rows.length}`);
  }
  const clusters = [...Map.groupBy(rows, ({ cluster }) => cluster).values()];
  const random = xoroshiro128plus(seed);
  const draws = Array.from(
    { length: resamples },
    () => clusters.flatMap(() => clusters[uniformInt(random, 0, clusters.length - 1)]!),
  );
  const estimate = (statistic: (rows: readonly Prediction[]) => number): Estimate => {
    const values = draws.map(statistic).filter(Number.isFinite).sort((a, b) => a - b);
    const at = (p: number) => values.length === 0 ? NaN : quantileSorted(values, p);
    return { value: statistic(rows), lower: at(0.025), upper: at(0.975) };
  };
  return {
    rSquared: estimate(statistics.rSquared),
    rSquaredQid: estimate(statistics.rSquaredQid),
    mae: estimate(statistics.mae),
    rank: estimate(statistics.rank),
    rankQid: estimate(statistics.rankQid),
    rows: rows.length,
  };
}

/** Spearman's rank correlation of QiD with the SQNR of rounding to nearest. */
export function rankQid(rows: readonly { readonly sqnr: number; readonly qid: number }[]): number {
  return sampleRankCorrelation(rows.map(({ sqnr }) => sqnr), rows.map(({ qid }) => qid));
}

function errorOf({ predicted, lossQuantized }: Prediction): number {
  return predicted - lossQuantized;
}

function rSquared(observed: readonly number[], rows: readonly Prediction[]): number {
  const centre = mean([...observed]);
  let [errors, deviations] = [0, 0];
  rows.forEach((row, i) => {
    errors += errorOf(row) ** 2;
    deviations += (observed[i]! - centre) ** 2;
  });
  return 1 - errors / deviations;
}

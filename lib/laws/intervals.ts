/** Confidence intervals from bootstrap estimates. */
import { quantileSorted } from "simple-statistics";
import { normalProbability, normalQuantile } from "./normal.ts";

/** The lower and the upper end of an interval. */
export type Interval = readonly [low: number, high: number];

/** The percentile interval: the middle `level` part of the estimates. Efron and Tibshirani 1993, chapter 13. */
export function percentileInterval(estimates: ArrayLike<number>, level: number): Interval {
  return between(Float64Array.from(estimates).sort(), (1 - level) / 2, (1 + level) / 2);
}

/**
 * The bias-corrected and accelerated interval (BCa): percentiles shifted for bias, by how many resampled
 * estimates lie below the full one, and for skewness, by the jackknife. Efron and Tibshirani 1993, chapter 14.
 *
 * @param jackknife estimates with one row, or one cluster, left out at a time
 */
export function bcaInterval(
  estimates: ArrayLike<number>,
  { estimate, jackknife, level }: { estimate: number; jackknife: ArrayLike<number>; level: number },
): Interval {
  const sorted = Float64Array.from(estimates).sort();
  let below = 0;
  for (const value of sorted) below += value < estimate ? 1 : value === estimate ? 0.5 : 0;
  const bias = normalQuantile(below / sorted.length);
  const left = Float64Array.from(jackknife);
  const mean = left.reduce((sum, value) => sum + value, 0) / left.length;
  const squares = left.reduce((sum, value) => sum + (mean - value) ** 2, 0);
  const cubes = left.reduce((sum, value) => sum + (mean - value) ** 3, 0);
  const acceleration = squares === 0 ? 0 : cubes / (6 * squares ** 1.5);
  const part = (probability: number) => {
    const shifted = bias + normalQuantile(probability);
    return normalProbability(bias + shifted / (1 - acceleration * shifted));
  };
  return between(sorted, part((1 - level) / 2), part((1 + level) / 2));
}

/** Two quantiles of sorted values, by linear interpolation; NaN where there is no value or no probability. */
function between(sorted: Float64Array, low: number, high: number): Interval {
  if (sorted.length === 0 || Number.isNaN(low) || Number.isNaN(high)) return [NaN, NaN];
  const values = Array.from(sorted);
  return [quantileSorted(values, low), quantileSorted(values, high)];
}

/** The error of quantized weights: mean squared error and signal to quantization noise ratio. */
import { kernel } from "./kernel.ts";

/** Sums from which an error is told; sums of layers add up to those of their model. */
export interface ErrorSums {
  /** Number of weights. */
  readonly count: number;
  /** Sum of w^2. */
  readonly signal: number;
  /** Sum of (w - q)^2. */
  readonly noise: number;
}

/** Sums in float64 over the weights of one layer before and after. Throws on unequal lengths. */
export function errorSums(before: Float32Array, after: Float32Array): ErrorSums {
  if (before.length !== after.length) {
    throw new Error(
      `Cannot compare weights: needs equal lengths: got ${before.length} and ${after.length}`,
    );
  }
  return { count: before.length, ...kernel().squares(before, after) };
}

/** The sums of several layers together. */
export function addErrors(layers: Iterable<ErrorSums>): ErrorSums {
  const total = { count: 0, signal: 0, noise: 0 };
  for (const { count, signal, noise } of layers) {
    total.count += count;
    total.signal += signal;
    total.noise += noise;
  }
  return total;
}

/** Mean squared error; 0 when there are no weights. */
export function mseOf({ count, noise }: ErrorSums): number {
  return count === 0 ? 0 : noise / count;
}

/** 10 log10(signal / noise) in dB; Infinity when nothing changed. */
export function sqnrOf({ signal, noise }: ErrorSums): number {
  return noise === 0 ? Infinity : 10 * Math.log10(signal / noise);
}

/**
 * Signal to quantization noise ratio in dB, 10 log10(sum w^2 / sum (w - q)^2), of one layer or of
 * a model's layers together: sums are taken over all weights before the ratio.
 */
export function sqnr(
  layers: readonly { before: Float32Array; after: Float32Array }[],
): number {
  return sqnrOf(addErrors(layers.map(({ before, after }) => errorSums(before, after))));
}

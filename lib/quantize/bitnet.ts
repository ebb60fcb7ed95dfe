/** BitNet: weights of one sign or of -1, 0 and 1, and activations of 8 bits. */
import type { Grid } from "../compute/mod.ts";
import { largestOf, roundHalfEven } from "./grid.ts";
import { kernel } from "./kernel.ts";
import { defineMethod, type Matrix } from "./method.ts";

const fround = Math.fround;

/** The least that a scale may be, so that a matrix of zeros can be divided by it. */
const epsilon = fround(1e-5);

/** Which BitNet: signs (b1) or signs and zeros (b1.58, log2 3 bits). */
export interface BitnetWeightOptions {
  readonly variant: "b1" | "b1.58";
}

/** A quantized weight matrix. */
export interface BitnetWeights {
  /** scale times -1, 0 or 1. */
  readonly values: Float32Array;
  readonly scale: number;
  /** 0 and 1 for -1 and 1 in b1; 0, 1 and 2 for -1, 0 and 1 in b1.58. */
  readonly codes: Uint8Array;
}

/**
 * Quantizes a weight matrix, all of it with one scale.
 *
 * b1.58: s = 1 / max(mean |w|, 1e-5), value = clamp(round(w s), -1, 1) / s (half to even).
 * b1: value = mean |w| where w is greater than mean w, and -mean |w| elsewhere.
 * Means are taken in float64; all else is float32.
 *
 * In training, call this on the full-precision weights in every forward pass. The backward pass goes
 * straight through: the gradient with respect to the full-precision weights is taken to be the
 * gradient with respect to the values returned here, as if w + stop(values - w) had been computed.
 *
 * Source: BitNet (arXiv 2310.11453) and BitNet b1.58 (arXiv 2402.17764), with the arithmetic of
 * huggingface/transformers integrations/bitnet.py.
 *
 * ```ts
 * import { deepStrictEqual } from "node:assert/strict";
 * import { quantizeWeights } from "./bitnet.ts";
 *
 * const weights = Float32Array.of(0.5, -2.25, 1, 0.25); // mean |w| is 1
 * const { values } = quantizeWeights(weights, { variant: "b1.58" });
 * deepStrictEqual(values, Float32Array.of(0, -1, 1, 0));
 * ```
 */
export function quantizeWeights(
  weights: Float32Array,
  { variant }: BitnetWeightOptions,
): BitnetWeights {
  const { length } = weights;
  const { sum, size } = kernel().sums(weights);
  const meanSize = fround(size / length);
  if (variant === "b1") {
    const thresholds = Float32Array.of(sum / length);
    const grid = { levels: Float32Array.of(-1, 1), thresholds };
    return roundWith(weights, { grid, scale: meanSize, multiplier: 1 });
  }
  const inverse = fround(1 / Math.max(meanSize, epsilon));
  return roundWith(weights, { grid: { maxq: 2 }, scale: fround(1 / inverse), multiplier: inverse });
}

interface OneScale {
  readonly grid: Grid;
  readonly scale: number;
  /** What weights are multiplied by before they are rounded. */
  readonly multiplier: number;
}

function roundWith(weights: Float32Array, { grid, scale, multiplier }: OneScale): BitnetWeights {
  const values = new Float32Array(weights.length);
  const codes = new Uint8Array(weights.length);
  kernel().round({
    values: weights,
    width: weights.length,
    grid,
    scale: Float32Array.of(scale),
    zero: Float32Array.of(1),
    multiplier: () => multiplier,
    codes,
    output: values,
  });
  return { values, scale, codes };
}

/** Quantized activations. */
export interface BitnetActivations {
  /** [tokens, features]. */
  readonly values: Float32Array;
  /** What a code of 1 stands for, one a token. */
  readonly scales: Float32Array;
}

/**
 * Quantizes activations [tokens, features] to 8 bits, each token with its own scale:
 * s = 127 / max(max |x|, 1e-5), value = clamp(round(x s), -128, 127) / s (half to even), in float32.
 *
 * In training the gradient goes straight through, as for the weights: the gradient with respect to
 * the activations is taken to be the one with respect to the values returned here.
 *
 * Source: as for quantizeWeights.
 */
export function quantizeActivations({ rows, columns, data }: Matrix): BitnetActivations {
  const values = new Float32Array(data.length);
  const largest = largestOf(data, columns);
  const scales = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    const start = row * columns;
    // PyTorch computes 127 / x as 127 times the reciprocal.
    const inverse = fround(127 * fround(1 / Math.max(largest[row]!, epsilon)));
    scales[row] = 1 / inverse;
    for (let i = start; i < start + columns; i++) {
      const code = roundHalfEven(fround(data[i]! * inverse));
      values[i] = Math.min(Math.max(code, -128), 127) / inverse;
    }
  }
  return { values, scales };
}

/** BitNet's weights: a trained layer loses most of itself, since the method is meant for training. */
export const bitnet = defineMethod({
  name: "bitnet",
  title: "BitNet",
  source: "arXiv 2310.11453 (b1), arXiv 2402.17764 (b1.58)",
  needs: "nothing",
  options: {
    variant: {
      kind: "choice",
      default: "b1.58",
      allowed: ["b1.58", "b1"],
      meaning: "signs and zeros (b1.58, kept in 2 bits) or signs alone (b1)",
    },
  },
  presets: {},
  run({ data }, { variant }) {
    const { values, scale, codes } = quantizeWeights(data, { variant });
    const scales = Float32Array.of(scale);
    return {
      weights: values,
      codes,
      scales,
      storage: [
        { name: "codes", values: codes, bits: variant === "b1" ? 1 : 2 },
        { name: "scales", values: scales, bits: 32 },
      ],
      report: {},
    };
  },
});

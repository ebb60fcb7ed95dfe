/**
 * Grids: the values a group of weights may take. A grid is data: its steps, how a group's scale is
 * found, and how scales are kept. RTN and GPTQ work on any grid: integers, codebooks, MX blocks.
 */
import type { FindGrid, Grid as Steps } from "../compute/mod.ts";
import { kernel } from "./kernel.ts";
import type { StoredPart } from "./method.ts";

/**
 * Finds the scale (and zero) of each group of `width` consecutive values and writes them to `scale`
 * and `zero`, one a group. A scale is never 0; `zero` holds 0 at the call. The arrays lie in the
 * kernels' memory and are not kept.
 */
export type FindScales = FindGrid;

/** What a grid keeps of its scales, and the values that come back from what is kept. */
export interface StoredScales {
  readonly scales: Float32Array;
  /** Absent when every zero is 0. */
  readonly zeroPoints?: Float32Array;
  readonly parts: readonly StoredPart[];
}

/** The values a group of weights may take. */
export interface Grid {
  readonly name: string;
  /** Bits of one code, 1 to 8. */
  readonly bits: number;
  /**
   * Weights along a row that share a scale. The last group of a row is shorter when `ragged`, and
   * otherwise must divide the row.
   */
  readonly group: number;
  readonly ragged: boolean;
  /** True when a group shares an exponent: GPTQ then works in blocks of one group each. */
  readonly microBlocks: boolean;
  /**
   * All arithmetic is in float32, rounded after each operation.
   *
   * `{ maxq }`: code = clamp(roundHalfEven(x / scale) + zero, 0, maxq), value = scale (code - zero).
   * `{ levels, thresholds }`, ascending: index = how many thresholds are less than x / scale, value
   * = scale levels[index]. A tie goes down; where it must go up, the threshold is the float32 just
   * below the midpoint. The code is the index, or what `codes` has for it.
   */
  readonly steps: Steps;
  readonly find: FindScales;
  /** Rounds scales and zeros to what is kept of them. */
  store(scales: Float32Array, zeros: Float32Array): StoredScales;
}

export type { Steps };

/** Options of the integer grids. */
export interface IntegerGridOptions {
  /** 1 to 8. */
  readonly bits: number;
  readonly group: number;
  /** How a scale is kept: codes are found with the float32 scale, as AutoGPTQ does. */
  readonly scales: "f16" | "f32";
}

const fround = Math.fround;

/**
 * Rounds to the nearest whole number, halves to the even one, as PyTorch and IEEE 754 do. For
 * numbers of float32, of which those beyond 2^51 are whole already.
 */
export function roundHalfEven(value: number): number {
  // At 1.5 x 2^52 the steps of float64 are 1, and the addition itself rounds.
  return Math.abs(value) < 2 ** 51 ? value + magic - magic : value;
}

const magic = 1.5 * 2 ** 52;

/**
 * The grid of whole numbers: value = scale (code - zero), code from 0 to 2^bits - 1.
 *
 * The range always includes 0. Symmetric: the range is widened to the greater side and zero is
 * 2^(bits-1), so that there is one level more below zero than above: at 2 bits the levels are -2,
 * -1, 0 and 1 times 2/3 of the greatest weight. A group of zeros takes the range -1 to 1. As in the
 * reference, a symmetric group without a negative weight is not widened, and loses what is above
 * the middle of its range.
 *
 * Source: GPTQ (arXiv 2210.17323), IST-DASLab/gptq quant.py.
 */
export function integerGrid(options: IntegerGridOptions & { readonly symmetric: boolean }): Grid {
  const maxq = 2 ** options.bits - 1;
  return {
    name: "int",
    ...integerParts(options),
    find(values, width, scale, zero) {
      const { low, high } = rangesOf(values, width);
      for (let group = 0; group < scale.length; group++) {
        let least = Math.min(low[group]!, 0);
        let most = Math.max(high[group]!, 0);
        if (options.symmetric) {
          most = Math.max(-least, most);
          if (least < 0) least = -most;
        }
        if (least === 0 && most === 0) [least, most] = [-1, 1];
        const step = notZero(fround(fround(most - least) / maxq));
        scale[group] = step;
        zero[group] = options.symmetric ? (maxq + 1) / 2 : roundHalfEven(fround(-least / step));
      }
    },
  };
}

/** What every grid of whole numbers has: codes 0 to 2^bits - 1, scales in floats, zeros in codes. */
export function integerParts(options: IntegerGridOptions): Omit<Grid, "name" | "find"> {
  const { bits, group } = options;
  const scaleBits = options.scales === "f16" ? 16 : 32;
  return {
    bits,
    group,
    ragged: false,
    microBlocks: false,
    steps: { maxq: 2 ** bits - 1 },
    store(scales, zeros) {
      const kept = scaleBits === 16 ? roundToFloat16(scales) : scales;
      return {
        scales: kept,
        zeroPoints: zeros,
        parts: [
          { name: "scales", values: kept, bits: scaleBits },
          { name: "zero_points", values: new Uint8Array(zeros), bits },
        ],
      };
    },
  };
}

/** The scale itself, or float32's smallest when it was too small for float32. */
export function notZero(scale: number): number {
  return scale || 2 ** -149;
}

/** Least and greatest value of each group of `width` consecutive values. */
export function rangesOf(
  values: Float32Array,
  width: number,
): { low: Float32Array; high: Float32Array } {
  const low = new Float32Array(values.length / width);
  const high = new Float32Array(low.length);
  kernel().ranges({ values, width, minimum: low, maximum: high });
  return { low, high };
}

/** Greatest absolute value of each group of `width` consecutive values. */
export function largestOf(values: Float32Array, width: number): Float32Array {
  const { low, high } = rangesOf(values, width);
  for (let group = 0; group < low.length; group++) {
    high[group] = Math.max(-low[group]!, high[group]!);
  }
  return high;
}

/** Rounds to float16 and back. Throws when a value is beyond float16's 65,504. */
export function roundToFloat16(values: Float32Array): Float32Array {
  const rounded = new Float32Array(new Float16Array(values));
  if (!Number.isFinite(kernel().sums(rounded).size)) {
    const lost = rounded.findIndex((value) => !Number.isFinite(value));
    throw new Error(
      `Cannot keep a scale in float16: needs at most 65504: got ${values[lost]} (use scales=f32)`,
    );
  }
  return rounded;
}

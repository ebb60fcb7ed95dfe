/**
 * Grids: the values a group of weights may take. A grid is data: its steps, how a group's scale is
 * found, and how scales are kept. RTN and GPTQ work on any grid: integers, codebooks, MX blocks.
 */
import type { StoredPart } from "./method.ts";

/**
 * The steps of a grid, for a group with a scale (and a zero). All arithmetic is in float32, rounded
 * after each operation.
 *
 * maxq: code = clamp(roundHalfEven(x / scale) + zero, 0, maxq), value = scale (code - zero).
 * levels, ascending, and the thresholds between them: index = how many thresholds are less than
 * x / scale, value = scale levels[index]. A tie goes down; where it must go up, the threshold is
 * the float32 just below the midpoint.
 */
export type Steps =
  | { readonly maxq: number }
  | { readonly levels: Float32Array; readonly thresholds: Float32Array };

/**
 * Finds the scale (and zero) of each group of `width` consecutive values, for whole groups, and
 * writes them to `scale` and `zero`.
 */
export type FindScales = (
  values: Float32Array,
  width: number,
  scale: Float32Array,
  zero: Float32Array,
) => void;

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
  readonly steps: Steps;
  /** The format's own code of each level, when it is not the level's index. */
  readonly codeOfLevel?: Uint8Array;
  readonly find: FindScales;
  /** Rounds scales and zeros to what is kept of them. */
  store(scales: Float32Array, zeros: Float32Array): StoredScales;
}

/** The scale and the zero that a group shares. */
export interface GroupScale {
  readonly scale: number;
  readonly zero: number;
}

/** Options of the integer grids. */
export interface IntegerGridOptions {
  /** 1 to 8. */
  readonly bits: number;
  readonly group: number;
  /** How a scale is kept: codes are found with the float32 scale, as AutoGPTQ does. */
  readonly scales: "f16" | "f32";
}

const fround = Math.fround;

/** Rounds to the nearest whole number, halves to the even one, as PyTorch and IEEE 754 do. */
export function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return rest < 0.5 ? floor : floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}

/**
 * The grid of whole numbers: value = scale (code - zero), code from 0 to 2^bits - 1.
 *
 * The range always includes 0. Symmetric: the range is widened to the greater side and zero is
 * 2^(bits-1), so that there is one level more below zero than above: at 2 bits the levels are -2,
 * -1, 0 and 1 times 2/3 of the greatest weight. A group of zeros takes the range -1 to 1.
 *
 * Source: GPTQ (arXiv 2210.17323), IST-DASLab/gptq quant.py.
 */
export function integerGrid(options: IntegerGridOptions & { readonly symmetric: boolean }): Grid {
  const maxq = 2 ** options.bits - 1;
  return {
    name: "int",
    ...integerParts(options),
    find: (values, width, scale, zero) => {
      for (let group = 0; group < scale.length; group++) {
        let [low, high] = rangeOf(values, group * width, width, 0);
        if (options.symmetric) {
          high = Math.max(-low, high);
          if (low < 0) low = -high;
        }
        if (low === 0 && high === 0) [low, high] = [-1, 1];
        const step = fround(fround(high - low) / maxq);
        scale[group] = step;
        zero[group] = options.symmetric ? (maxq + 1) / 2 : roundHalfEven(fround(-low / step));
      }
    },
  };
}

/** The index of the level that a value goes to, or its whole-number code. */
export function encode(steps: Steps, value: number, { scale, zero }: GroupScale): number {
  const scaled = fround(value / scale);
  if ("maxq" in steps) {
    return Math.min(Math.max(roundHalfEven(scaled) + zero, 0), steps.maxq);
  }
  // The first threshold that is not less than the value.
  let low = 0;
  let high = steps.thresholds.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (scaled > steps.thresholds[middle]!) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The value of a level's index or whole-number code. */
export function decode(steps: Steps, index: number, { scale, zero }: GroupScale): number {
  return fround(scale * ("maxq" in steps ? index - zero : steps.levels[index]!));
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
          { name: "zero_points", values: Uint8Array.from(zeros), bits },
        ],
      };
    },
  };
}

/** Least and greatest of `width` values, widened to include `start`. */
export function rangeOf(
  values: Float32Array,
  from: number,
  width: number,
  start = values[from]!,
): [low: number, high: number] {
  let low = start;
  let high = start;
  for (let i = from; i < from + width; i++) {
    const value = values[i]!;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}

/** Rounds to float16 and back. Throws when a value is beyond float16's 65,504. */
export function roundToFloat16(values: Float32Array): Float32Array {
  const rounded = new Float32Array(new Float16Array(values));
  const lost = rounded.findIndex((value) => !Number.isFinite(value));
  if (lost >= 0) {
    throw new Error(
      `Cannot keep a scale in float16: needs at most 65504: got ${values[lost]} (use scales=f32)`,
    );
  }
  return rounded;
}

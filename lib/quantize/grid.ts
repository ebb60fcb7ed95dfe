/**
 * Grids: the values a group of weights may take. A grid finds the scale of a group, maps a weight
 * to a code and a code to a value. RTN and GPTQ work on any grid: integers, codebooks, MX blocks.
 */
import type { StoredPart } from "./method.ts";

/** The scale and the zero point that a group of weights shares. */
export interface GroupScale {
  scale: number;
  zero: number;
}

/** What a grid keeps of its scales, and the values that come back from what is kept. */
export interface StoredScales {
  readonly scales: Float32Array;
  readonly zeroPoints?: Float32Array;
  readonly parts: readonly StoredPart[];
}

/** The values a group of weights may take. All arithmetic is in float32, rounded at each step. */
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
  /** Finds the scale of one group. */
  fit(values: Float32Array): GroupScale;
  encode(value: number, scale: number, zero: number): number;
  decode(code: number, scale: number, zero: number): number;
  /** Rounds scales and zero points to what is kept of them. */
  store(scales: Float32Array, zeroPoints: Float32Array): StoredScales;
}

/** Options of the integer grid. */
export interface IntegerGridOptions {
  /** 1 to 8. */
  readonly bits: number;
  readonly group: number;
  /** One range on both sides of zero; otherwise from the least to the greatest weight. */
  readonly symmetric: boolean;
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
export function integerGrid(options: IntegerGridOptions): Grid {
  const { bits, group, symmetric } = options;
  const top = 2 ** bits - 1;
  return {
    name: "int",
    bits,
    group,
    ragged: false,
    microBlocks: false,
    fit(values) {
      let low = 0;
      let high = 0;
      for (const value of values) {
        if (value < low) low = value;
        if (value > high) high = value;
      }
      if (symmetric) {
        high = Math.max(-low, high);
        if (low < 0) low = -high;
      }
      if (low === 0 && high === 0) [low, high] = [-1, 1];
      const scale = fround(fround(high - low) / top);
      const zero = symmetric ? (top + 1) / 2 : roundHalfEven(fround(-low / scale));
      return { scale, zero };
    },
    encode(value, scale, zero) {
      const code = roundHalfEven(fround(value / scale)) + zero;
      return code < 0 ? 0 : code > top ? top : code;
    },
    decode: (code, scale, zero) => fround(scale * (code - zero)),
    store(scales, zeroPoints) {
      const kept = options.scales === "f16" ? roundToFloat16(scales) : scales;
      return {
        scales: kept,
        zeroPoints,
        parts: [
          { name: "scales", values: kept, bits: options.scales === "f16" ? 16 : 32 },
          { name: "zero_points", values: Uint8Array.from(zeroPoints), bits },
        ],
      };
    },
  };
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

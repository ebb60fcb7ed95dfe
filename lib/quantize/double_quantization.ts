/** Double quantization: the scales of blocks, themselves quantized to 8 bits. */
import type { StoredScales } from "./grid.ts";

/** Scales that share a float32. */
const block = 256;

/**
 * The 256 values of the dynamic 8-bit type, ascending, from -0.993 to 1.
 *
 * A value is a sign, a power of ten from 10^-6 to 1 and a fraction. The more zeros lead, the fewer
 * bits are left to the fraction: the power 10^(e - 6) has 2^e fractions, the midpoints of 2^e equal
 * parts of the range 0.1 to 1. Two codes are left over for 0 and 1.
 *
 * Each value is rounded once to float32. bitsandbytes computes the same numbers in float32
 * throughout, so that some of its values differ in the last bit.
 *
 * Source: 8-bit approximations (arXiv 1511.04561), bitsandbytes functional.py create_dynamic_map.
 */
export const dynamicMap: Float32Array = makeDynamicMap();

/**
 * Keeps scales in 8 bits: their mean is taken off, and blocks of 256 differences share their greatest
 * absolute value and are rounded to the nearest entry of the dynamic map (a tie goes down). What
 * comes back is map[code] * greatest + mean, in float32.
 *
 * Source: QLoRA (arXiv 2305.14314), bitsandbytes functional.py quantize_4bit with
 * compress_statistics.
 */
export function doubleQuantization(scales: Float32Array): StoredScales {
  const mean = Math.fround(scales.reduce((sum, scale) => sum + scale, 0) / scales.length);
  const codes = new Uint8Array(scales.length);
  const greatest = new Float32Array(Math.ceil(scales.length / block));
  const restored = new Float32Array(scales.length);
  for (let index = 0; index < greatest.length; index++) {
    const part = scales.subarray(index * block, (index + 1) * block).map((scale) => scale - mean);
    const largest = part.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    greatest[index] = largest;
    for (const [i, value] of part.entries()) {
      const at = index * block + i;
      codes[at] = nearestCode(largest === 0 ? 0 : Math.fround(value / largest));
      restored[at] = Math.fround(dynamicMap[codes[at]!]! * largest) + mean;
    }
  }
  return {
    scales: restored,
    parts: [
      { name: "scales", values: codes, bits: 8 },
      { name: "scales_of_scales", values: greatest, bits: 32 },
      { name: "mean_scale", values: Float32Array.of(mean), bits: 32 },
    ],
  };
}

function makeDynamicMap(): Float32Array {
  const values = [0, 1];
  for (let exponent = 0; exponent < 7; exponent++) {
    const count = 2 ** exponent;
    for (let i = 0; i < count; i++) {
      const value = 10 ** (exponent - 6) * (0.1 + (0.9 * (i + 0.5)) / count);
      values.push(value, -value);
    }
  }
  return Float32Array.from(values).sort();
}

function nearestCode(value: number): number {
  let low = 0;
  let high = dynamicMap.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (dynamicMap[middle]! < value) low = middle;
    else high = middle;
  }
  return value - dynamicMap[low]! <= dynamicMap[high]! - value ? low : high;
}

// Groups of consecutive f32 values: their ranges, and rounding to a uniform grid. Plain operations
// in a fixed order with a rounding to f32 after each: the same bits on every machine, and the same
// as Math.fround gives.

import { TAIL } from "./memory";

/** The smallest and the largest of each of `groups` runs of `width` values. NaN is passed over. */
export function ranges(
  values: usize,
  groups: i32,
  width: i32,
  minimum: usize,
  maximum: usize,
): void {
  for (let g: usize = 0; g < <usize> groups; g++) {
    let low = f32x4.splat(Infinity), high = f32x4.splat(-Infinity);
    let low1 = low, high1 = high;
    let left = width;
    while (left >= 8) {
      const x = v128.load(values), y = v128.load(values, 16);
      low = f32x4.pmin(low, x);
      high = f32x4.pmax(high, x);
      low1 = f32x4.pmin(low1, y);
      high1 = f32x4.pmax(high1, y);
      values += 32;
      left -= 8;
    }
    while (left) {
      const x = v128.load32_splat(values);
      low = f32x4.pmin(low, x);
      high = f32x4.pmax(high, x);
      values += 4;
      left--;
    }
    low = f32x4.pmin(low, low1);
    high = f32x4.pmax(high, high1);
    low = f32x4.pmin(low, i32x4.shuffle(low, low, 2, 3, 0, 1));
    high = f32x4.pmax(high, i32x4.shuffle(high, high, 2, 3, 0, 1));
    low = f32x4.pmin(low, i32x4.shuffle(low, low, 1, 0, 3, 2));
    high = f32x4.pmax(high, i32x4.shuffle(high, high, 1, 0, 3, 2));
    store<f32>(minimum + g * 4, f32x4.extract_lane(low, 0));
    store<f32>(maximum + g * 4, f32x4.extract_lane(high, 0));
  }
}

/** Four codes as f32: clamp(nearest(x / scale) + zero, 0, maxq), ties to even. */
@inline
export function uniformCode(x: v128, scale: v128, zero: v128, maxq: v128): v128 {
  const code = f32x4.add(f32x4.nearest(f32x4.div(x, scale)), zero);
  return f32x4.pmax(f32x4.pmin(code, maxq), f32x4.splat(0));
}

/** Four values: scale (code - zero). */
@inline
export function uniformValue(code: v128, scale: v128, zero: v128): v128 {
  return f32x4.mul(scale, f32x4.sub(code, zero));
}

/** 16 values: codes to `codes` (bytes) and dequantized values to `output`, each unless 0. */
@inline
function sixteen(x: usize, scale: v128, zero: v128, maxq: v128, codes: usize, output: usize): void {
  const c0 = uniformCode(v128.load(x), scale, zero, maxq);
  const c1 = uniformCode(v128.load(x, 16), scale, zero, maxq);
  const c2 = uniformCode(v128.load(x, 32), scale, zero, maxq);
  const c3 = uniformCode(v128.load(x, 48), scale, zero, maxq);
  if (output) {
    v128.store(output, uniformValue(c0, scale, zero));
    v128.store(output, uniformValue(c1, scale, zero), 16);
    v128.store(output, uniformValue(c2, scale, zero), 32);
    v128.store(output, uniformValue(c3, scale, zero), 48);
  }
  if (codes) v128.store(codes, bytes(c0, c1, c2, c3));
}

/**
 * 16 codes held as f32, as 16 bytes: NaN becomes 0, whatever the machine makes of it on the way.
 */
@inline
export function bytes(c0: v128, c1: v128, c2: v128, c3: v128): v128 {
  return i8x16.narrow_i16x8_u(
    i16x8.narrow_i32x4_s(i32x4.relaxed_trunc_f32x4_s(c0), i32x4.relaxed_trunc_f32x4_s(c1)),
    i16x8.narrow_i32x4_s(i32x4.relaxed_trunc_f32x4_s(c2), i32x4.relaxed_trunc_f32x4_s(c3)),
  );
}

/**
 * Rounds `groups` runs of `width` values to the grid scale (code - zero), code = 0 .. maxq.
 * `zeros`, `codes` and `output` may be 0: no zero point, and no such result.
 */
export function roundUniform(
  values: usize,
  groups: i32,
  width: i32,
  scales: usize,
  zeros: usize,
  maxq: f32,
  codes: usize,
  output: usize,
): void {
  const top = f32x4.splat(maxq);
  for (let g: usize = 0; g < <usize> groups; g++) {
    const scale = v128.load32_splat(scales + g * 4);
    const zero = zeros ? v128.load32_splat(zeros + g * 4) : f32x4.splat(0);
    let left = width;
    while (left >= 16) {
      sixteen(values, scale, zero, top, codes, output);
      values += 64;
      if (codes) codes += 16;
      if (output) output += 64;
      left -= 16;
    }
    if (left) {
      const count = <usize> left;
      memory.copy(TAIL, values, count * 4);
      sixteen(TAIL, scale, zero, top, TAIL + 64, TAIL);
      values += count * 4;
      if (codes) {
        memory.copy(codes, TAIL + 64, count);
        codes += count;
      }
      if (output) {
        memory.copy(output, TAIL, count * 4);
        output += count * 4;
      }
    }
  }
}

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

/**
 * Four values in steps of their group: over the scale, or, where `factors` is not 0, times a factor.
 * A factor has two parts, for one that is beyond f32: a power of two comes first, and is exact.
 */
@inline
export function inSteps(x: v128, scale: v128, factors: usize, lift: v128, factor: v128): v128 {
  if (factors) return f32x4.mul(f32x4.mul(x, lift), factor);
  return f32x4.div(x, scale);
}

/** Four codes as f32: clamp(nearest(x) + zero, 0, maxq), ties to even. */
@inline
export function uniformCode(x: v128, zero: v128, maxq: v128): v128 {
  const code = f32x4.add(f32x4.nearest(x), zero);
  return f32x4.pmax(f32x4.pmin(code, maxq), f32x4.splat(0));
}

/** Four values: scale (code - zero). */
@inline
export function uniformValue(code: v128, scale: v128, zero: v128): v128 {
  return f32x4.mul(scale, f32x4.sub(code, zero));
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
 * The codes of `groups` runs of `width` values on the grid scale (code - zero), code = 0 .. maxq.
 * `factors` (two f32 a group, see inSteps) may be 0: values are divided by the scale.
 */
export function roundUniform(
  values: usize,
  groups: i32,
  width: i32,
  scales: usize,
  factors: usize,
  zeros: usize,
  maxq: f32,
  codes: usize,
): void {
  const top = f32x4.splat(maxq);
  for (let g: usize = 0; g < <usize> groups; g++) {
    const scale = v128.load32_splat(scales + g * 4), zero = v128.load32_splat(zeros + g * 4);
    const lift = v128.load32_splat(factors + g * 8), factor = v128.load32_splat(factors + g * 8, 4);
    for (let left = width; left > 0; left -= 16) {
      const used = <usize> min(left, 16), from = loadTail(values, used);
      const x0 = inSteps(v128.load(from), scale, factors, lift, factor);
      const x1 = inSteps(v128.load(from, 16), scale, factors, lift, factor);
      const x2 = inSteps(v128.load(from, 32), scale, factors, lift, factor);
      const x3 = inSteps(v128.load(from, 48), scale, factors, lift, factor);
      const c0 = uniformCode(x0, zero, top), c1 = uniformCode(x1, zero, top);
      const c2 = uniformCode(x2, zero, top), c3 = uniformCode(x3, zero, top);
      storeCodes(codes, bytes(c0, c1, c2, c3), used);
      codes += used;
      values += used * 4;
    }
  }
}

/** Where the first `used` of `all` <= 16 values can be read together with others after them. */
@inline
export function loadTail(values: usize, used: usize, all: usize = 16): usize {
  if (used == all) return values;
  memory.copy(TAIL, values, used * 4);
  return TAIL;
}

/** The first `used` of 16 bytes. */
@inline
export function storeCodes(codes: usize, code: v128, used: usize): void {
  if (used == 16) {
    v128.store(codes, code);
  } else {
    v128.store(TAIL + 64, code);
    memory.copy(codes, TAIL + 64, used);
  }
}

/** The first `used` of 16 bytes, and others after them. */
@inline
export function loadCodes(codes: usize, used: usize): v128 {
  if (used == 16) return v128.load(codes);
  memory.copy(TAIL + 64, codes, used);
  return v128.load(TAIL + 64);
}

/** The values of codes on a uniform grid: scale (code - zero) times `unit`. */
export function decodeUniform(
  codes: usize,
  groups: i32,
  width: i32,
  scales: usize,
  zeros: usize,
  unit: f32,
  output: usize,
): void {
  const units = f32x4.splat(unit);
  for (let g: usize = 0; g < <usize> groups; g++) {
    const scale = v128.load32_splat(scales + g * 4), zero = v128.load32_splat(zeros + g * 4);
    for (let left = width; left > 0; left -= 16) {
      const used = <usize> min(left, 16), to = left < 16 ? TAIL : output;
      const code = loadCodes(codes, used);
      const low = i16x8.extend_low_i8x16_u(code), high = i16x8.extend_high_i8x16_u(code);
      const c0 = f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_u(low));
      const c1 = f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_u(low));
      const c2 = f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_u(high));
      const c3 = f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_u(high));
      v128.store(to, f32x4.mul(uniformValue(c0, scale, zero), units));
      v128.store(to, f32x4.mul(uniformValue(c1, scale, zero), units), 16);
      v128.store(to, f32x4.mul(uniformValue(c2, scale, zero), units), 32);
      v128.store(to, f32x4.mul(uniformValue(c3, scale, zero), units), 48);
      if (left < 16) memory.copy(output, TAIL, used * 4);
      codes += used;
      output += used * 4;
    }
  }
}

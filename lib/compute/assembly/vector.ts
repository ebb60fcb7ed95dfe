// Sums over vectors of four f32, and the exponential function.
//
// Constants lie in memory, four times each. The engine builds a vector constant that stands in the
// code anew at every use, in four instructions; loading one is a single instruction, and needs no
// check of its address, which is fixed and below the smallest memory.

export const ZERO: usize = memory.data<f32>([0, 0, 0, 0], 16);
export const ONE: usize = memory.data<f32>([1, 1, 1, 1], 16);

/** The least argument of exp4. */
const LEAST: usize = memory.data<f32>([-87, -87, -87, -87], 16);

/** 1 / ln 2. */
const PER_LN2: usize = memory.data<f32>([1.44269504, 1.44269504, 1.44269504, 1.44269504], 16);

/**
 * 1.5 2^23: a number to which it is added is rounded to a whole one, which then stands in the low
 * bits.
 */
const ROUND: usize = memory.data<f32>([12582912, 12582912, 12582912, 12582912], 16);

/**
 * - ln 2 in two parts, of which the first has so few bits that a whole number times it is exact.
 */
const LN2: usize = memory.data<f32>([-0.693359375, -0.693359375, -0.693359375, -0.693359375], 16);
const LN2_REST: usize = memory.data<f32>(
  [2.1219444e-4, 2.1219444e-4, 2.1219444e-4, 2.1219444e-4],
  16,
);

/** Coefficients of r^2 to r^5. */
const C2: usize = memory.data<f32>([0.49999231, 0.49999231, 0.49999231, 0.49999231], 16);
const C3: usize = memory.data<f32>([0.16667114, 0.16667114, 0.16667114, 0.16667114], 16);
const C4: usize = memory.data<f32>([0.041890156, 0.041890156, 0.041890156, 0.041890156], 16);
const C5: usize = memory.data<f32>([0.0083125206, 0.0083125206, 0.0083125206, 0.0083125206], 16);

/** The sum of the four values. */
@inline
export function sum4(x: v128): f32 {
  x = f32x4.add(x, i32x4.shuffle(x, x, 2, 3, 0, 1));
  x = f32x4.add(x, i32x4.shuffle(x, x, 1, 0, 3, 2));
  return f32x4.extract_lane(x, 0);
}

/** The largest of the four values. */
@inline
export function max4(x: v128): f32 {
  x = f32x4.pmax(x, i32x4.shuffle(x, x, 2, 3, 0, 1));
  x = f32x4.pmax(x, i32x4.shuffle(x, x, 1, 0, 3, 2));
  return f32x4.extract_lane(x, 0);
}

/**
 * e^x for x <= 88, within 3e-7 of its value; below -87 it stays at e^-87 = 1.6e-38.
 *
 * x = n ln 2 + r with |r| <= ln 2 / 2. e^r by the polynomial of degree 5 with the least largest
 * relative error (1e-7) among those that begin 1 + r, its halves summed side by side; 2^n by adding
 * n to the exponent.
 */
@inline
export function exp4(x: v128): v128 {
  // In this order NaN stays NaN.
  x = f32x4.pmax(x, v128.load(LEAST));
  const round = v128.load(ROUND);
  const bits = f32x4.relaxed_madd(x, v128.load(PER_LN2), round);
  const n = f32x4.sub(bits, round);
  let r = f32x4.relaxed_madd(n, v128.load(LN2), x);
  r = f32x4.relaxed_madd(n, v128.load(LN2_REST), r);
  const square = f32x4.mul(r, r);
  const low = f32x4.add(r, v128.load(ONE));
  const middle = f32x4.relaxed_madd(r, v128.load(C3), v128.load(C2));
  const high = f32x4.relaxed_madd(r, v128.load(C5), v128.load(C4));
  const p = f32x4.relaxed_madd(square, f32x4.relaxed_madd(square, high, middle), low);
  return i32x4.add(p, i32x4.shl(bits, 23));
}

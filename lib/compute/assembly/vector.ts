// Sums over vectors of four f32, and the exponential function.

/** The sum of the four values. */
// @ts-ignore: decorator
@inline
export function sum4(x: v128): f32 {
  x = f32x4.add(x, i32x4.shuffle(x, x, 2, 3, 0, 1));
  x = f32x4.add(x, i32x4.shuffle(x, x, 1, 0, 3, 2));
  return f32x4.extract_lane(x, 0);
}

/** The largest of the four values. */
// @ts-ignore: decorator
@inline
export function max4(x: v128): f32 {
  x = f32x4.pmax(x, i32x4.shuffle(x, x, 2, 3, 0, 1));
  x = f32x4.pmax(x, i32x4.shuffle(x, x, 1, 0, 3, 2));
  return f32x4.extract_lane(x, 0);
}

/**
 * e^x for x <= 88, within 2e-7 of its value; below -87 it stays at e^-87 = 1.6e-38.
 *
 * x = n ln 2 + r with |r| <= ln 2 / 2; e^r by the polynomial of degree 6 with the least largest relative error (3e-9) among
 * those that begin 1 + r; 2^n by adding n to the exponent.
 */
// @ts-ignore: decorator
@inline
export function exp4(x: v128): v128 {
  x = f32x4.pmax(f32x4.splat(-87), x);
  const n = f32x4.nearest(f32x4.mul(x, f32x4.splat(1.44269504)));
  // ln 2 in two parts, of which the first has so few bits that n times it is exact.
  let r = f32x4.relaxed_madd(n, f32x4.splat(-0.693359375), x);
  r = f32x4.relaxed_madd(n, f32x4.splat(2.12194440e-4), r);
  let p = f32x4.relaxed_madd(r, f32x4.splat(0.001381459878757596), f32x4.splat(0.008368716575205326));
  p = f32x4.relaxed_madd(p, r, f32x4.splat(0.04166838899254799));
  p = f32x4.relaxed_madd(p, r, f32x4.splat(0.1666652113199234));
  p = f32x4.relaxed_madd(p, r, f32x4.splat(0.4999999403953552));
  p = f32x4.relaxed_madd(p, r, f32x4.splat(1));
  p = f32x4.relaxed_madd(p, r, f32x4.splat(1));
  return i32x4.add(p, i32x4.shl(i32x4.trunc_sat_f32x4_s(n), 23));
}

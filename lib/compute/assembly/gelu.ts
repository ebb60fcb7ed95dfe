// GELU with its derivative: x Phi(x), and Phi(x) + x phi(x), Phi and phi the normal distribution
// and its density. Both share e^(-x^2 / 2), and so the forward pass computes both and the backward
// pass is one product.

import { exp4, ONE, ZERO } from "./vector";

const MINUS_HALF: usize = memory.data<f32>([-0.5, -0.5, -0.5, -0.5], 16);

/** sqrt(2 / pi). */
const ROOT: f32 = 0.7978845608;

/** All bits of an f32 but its sign. */
const SIZE: usize = memory.data<i32>([0x7fffffff, 0x7fffffff, 0x7fffffff, 0x7fffffff], 16);

/** - 1 / sqrt(2 pi). */
const DENSITY: usize = memory.data<f32>([-0.39894228, -0.39894228, -0.39894228, -0.39894228], 16);

/** What t is made with, and the coefficients of t to t^8: see geluForward. */
const T: usize = memory.data<f32>([0.3, 0.3, 0.3, 0.3], 16);
const T1: usize = memory.data<f32>([0.1196293, 0.1196293, 0.1196293, 0.1196293], 16);
const T2: usize = memory.data<f32>([0.12075391, 0.12075391, 0.12075391, 0.12075391], 16);
const T3: usize = memory.data<f32>([0.09991379, 0.09991379, 0.09991379, 0.09991379], 16);
const T4: usize = memory.data<f32>([0.12856066, 0.12856066, 0.12856066, 0.12856066], 16);
const T5: usize = memory.data<f32>([-0.053681906, -0.053681906, -0.053681906, -0.053681906], 16);
const T6: usize = memory.data<f32>([0.20635169, 0.20635169, 0.20635169, 0.20635169], 16);
const T7: usize = memory.data<f32>([-0.1572021, -0.1572021, -0.1572021, -0.1572021], 16);
const T8: usize = memory.data<f32>([0.03567455, 0.03567455, 0.03567455, 0.03567455], 16);

/**
 * Writes gelu(h + bias) to `value` and, unless `keep` is false, its derivative over `h`.
 *
 * The upper tail of the distribution, 1 - Phi(|x|), is e^(-x^2 / 2) P(t) with t = 1 / (1 + 0.3 |x|)
 * and the polynomial of degree 8 without a constant whose largest relative error is least (1.5e-7)
 * for |x| up to 14. With it, gelu = max(x, 0) - |x| tail, and the derivative is u = tail - |x|
 * phi(x) below 0 and 1 - u above.
 */
export function geluForward(
  h: usize,
  bias: usize,
  value: usize,
  rows: i32,
  width: i32,
  keep: bool,
): void {
  const end = <usize> width * 4;
  for (let row = 0; row < rows; row++) {
    for (let i: usize = 0; i < end; i += 16) {
      let x = v128.load(h + i);
      if (bias) x = f32x4.add(x, v128.load(bias + i));
      const size = v128.and(x, v128.load(SIZE));
      const e = exp4(f32x4.mul(f32x4.mul(x, x), v128.load(MINUS_HALF)));
      const one = v128.load(ONE), zero = v128.load(ZERO);
      const t = f32x4.div(one, f32x4.relaxed_madd(size, v128.load(T), one));
      const t2 = f32x4.mul(t, t);
      const p12 = f32x4.relaxed_madd(t, v128.load(T2), v128.load(T1));
      const p34 = f32x4.relaxed_madd(t, v128.load(T4), v128.load(T3));
      const p56 = f32x4.relaxed_madd(t, v128.load(T6), v128.load(T5));
      const p78 = f32x4.relaxed_madd(t, v128.load(T8), v128.load(T7));
      const low = f32x4.relaxed_madd(t2, p34, p12), high = f32x4.relaxed_madd(t2, p78, p56);
      const p = f32x4.mul(t, f32x4.relaxed_madd(f32x4.mul(t2, t2), high, low));
      const tail = f32x4.mul(e, p);
      v128.store(value + i, f32x4.relaxed_nmadd(size, tail, f32x4.pmax(zero, x)));
      if (keep) {
        const u = f32x4.mul(e, f32x4.relaxed_madd(size, v128.load(DENSITY), p));
        const below = f32x4.lt(x, zero);
        v128.store(h + i, i32x4.relaxed_laneselect(u, f32x4.sub(one, u), below));
      }
    }
    h += end;
    value += end;
  }
}

/** The approximation 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))), as geluForward. */
export function geluTanhForward(
  h: usize,
  bias: usize,
  value: usize,
  rows: i32,
  width: i32,
  keep: bool,
): void {
  const end = <usize> width * 4;
  for (let row = 0; row < rows; row++) {
    for (let i: usize = 0; i < end; i += 16) {
      let x = v128.load(h + i);
      if (bias) x = f32x4.add(x, v128.load(bias + i));
      const square = f32x4.mul(x, x);
      // 0.5 (1 + tanh u) = s = 1 / (1 + e^(-2 u)), and its derivative 2 s (1 - s) u'.
      const cubic = f32x4.relaxed_madd(square, f32x4.splat(0.044715 * ROOT), f32x4.splat(ROOT));
      const u = f32x4.mul(x, cubic);
      const e = exp4(f32x4.pmin(f32x4.mul(u, f32x4.splat(-2)), f32x4.splat(80)));
      const s = f32x4.div(f32x4.splat(1), f32x4.add(e, f32x4.splat(1)));
      v128.store(value + i, f32x4.mul(x, s));
      if (keep) {
        const constant = f32x4.splat(2 * ROOT);
        const rise = f32x4.relaxed_madd(square, f32x4.splat(6 * 0.044715 * ROOT), constant);
        const slope = f32x4.mul(f32x4.mul(s, f32x4.mul(s, e)), rise);
        v128.store(h + i, f32x4.relaxed_madd(x, slope, s));
      }
    }
    h += end;
    value += end;
  }
}

/**
 * Turns the gradient of the value into that of h, in place, and adds its column sums to the
 * gradient of the bias.
 */
export function geluBackward(
  gradient: usize,
  slope: usize,
  bias: usize,
  rows: i32,
  width: i32,
): void {
  const row = <usize> width * 4;
  // Four rows at a time, so that the sums are read and written a fourth as often.
  while (rows >= 4) {
    for (let i: usize = 0; i < row; i += 16) {
      const a = product(gradient + i, slope + i), b = product(gradient + row + i, slope + row + i);
      const c = product(gradient + 2 * row + i, slope + 2 * row + i);
      const d = product(gradient + 3 * row + i, slope + 3 * row + i);
      if (bias) {
        const sum = f32x4.add(f32x4.add(a, b), f32x4.add(c, d));
        v128.store(bias + i, f32x4.add(v128.load(bias + i), sum));
      }
    }
    gradient += 4 * row;
    slope += 4 * row;
    rows -= 4;
  }
  while (rows) {
    for (let i: usize = 0; i < row; i += 16) {
      const a = product(gradient + i, slope + i);
      if (bias) v128.store(bias + i, f32x4.add(v128.load(bias + i), a));
    }
    gradient += row;
    slope += row;
    rows--;
  }
}

/** Four values of `at` times four of `by`, kept in `at`. */
@inline
function product(at: usize, by: usize): v128 {
  const x = f32x4.mul(v128.load(at), v128.load(by));
  v128.store(at, x);
  return x;
}

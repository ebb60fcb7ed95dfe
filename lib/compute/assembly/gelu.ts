// GELU with its derivative: x Phi(x), and Phi(x) + x phi(x), Phi and phi the normal distribution and its density.
// Both share e^(-x^2 / 2), and so the forward pass computes both and the backward pass is one product.

import { exp4 } from "./vector";

/** Writes gelu(h + bias) to `value` and, unless `keep` is false, its derivative over `h`. */
export function geluForward(h: usize, bias: usize, value: usize, rows: i32, width: i32, keep: bool): void {
  const end = <usize> width * 4;
  for (let row = 0; row < rows; row++) {
    for (let i: usize = 0; i < end; i += 16) {
      let x = v128.load(h + i);
      if (bias) x = f32x4.add(x, v128.load(bias + i));
      const size = f32x4.abs(x);
      const density = exp4(f32x4.mul(f32x4.mul(x, x), f32x4.splat(-0.5)));
      // The upper tail 1 - Phi(|x|) = e^(-x^2 / 2) P(t) with t = 1 / (1 + 0.3 |x|): the polynomial of degree 8 without a
      // constant whose largest relative error is least (1.5e-7) for |x| up to 14.
      const t = f32x4.div(f32x4.splat(1), f32x4.relaxed_madd(size, f32x4.splat(0.3), f32x4.splat(1)));
      let p = f32x4.relaxed_madd(t, f32x4.splat(0.035674549639225006), f32x4.splat(-0.1572020947933197));
      p = f32x4.relaxed_madd(p, t, f32x4.splat(0.20635169744491577));
      p = f32x4.relaxed_madd(p, t, f32x4.splat(-0.053681906312704086));
      p = f32x4.relaxed_madd(p, t, f32x4.splat(0.12856066226959229));
      p = f32x4.relaxed_madd(p, t, f32x4.splat(0.09991379082202911));
      p = f32x4.relaxed_madd(p, t, f32x4.splat(0.12075390666723251));
      p = f32x4.relaxed_madd(p, t, f32x4.splat(0.11962930113077164));
      const tail = f32x4.mul(f32x4.mul(p, t), density);
      const below = f32x4.lt(x, f32x4.splat(0));
      const phi = v128.bitselect(tail, f32x4.sub(f32x4.splat(1), tail), below);
      v128.store(value + i, f32x4.mul(x, phi));
      if (keep) {
        const slope = f32x4.mul(f32x4.mul(x, density), f32x4.splat(0.3989422804));
        v128.store(h + i, f32x4.add(phi, slope));
      }
    }
    h += end;
    value += end;
  }
}

/** The approximation 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))), as geluForward. */
export function geluTanhForward(h: usize, bias: usize, value: usize, rows: i32, width: i32, keep: bool): void {
  const end = <usize> width * 4;
  for (let row = 0; row < rows; row++) {
    for (let i: usize = 0; i < end; i += 16) {
      let x = v128.load(h + i);
      if (bias) x = f32x4.add(x, v128.load(bias + i));
      const square = f32x4.mul(x, x);
      // 0.5 (1 + tanh u) = s = 1 / (1 + e^(-2 u)), and its derivative 2 s (1 - s) u'.
      const u = f32x4.mul(x, f32x4.relaxed_madd(square, f32x4.splat(0.044715 * 0.7978845608), f32x4.splat(0.7978845608)));
      const e = exp4(f32x4.pmin(f32x4.mul(u, f32x4.splat(-2)), f32x4.splat(80)));
      const s = f32x4.div(f32x4.splat(1), f32x4.add(e, f32x4.splat(1)));
      v128.store(value + i, f32x4.mul(x, s));
      if (keep) {
        const rise = f32x4.relaxed_madd(square, f32x4.splat(6 * 0.044715 * 0.7978845608), f32x4.splat(2 * 0.7978845608));
        const slope = f32x4.mul(f32x4.mul(s, f32x4.mul(s, e)), rise);
        v128.store(h + i, f32x4.relaxed_madd(x, slope, s));
      }
    }
    h += end;
    value += end;
  }
}

/** Turns the gradient of the value into that of h, in place, and adds its column sums to the gradient of the bias. */
export function geluBackward(gradient: usize, slope: usize, bias: usize, rows: i32, width: i32): void {
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
// @ts-ignore: decorator
@inline
function product(at: usize, by: usize): v128 {
  const x = f32x4.mul(v128.load(at), v128.load(by));
  v128.store(at, x);
  return x;
}

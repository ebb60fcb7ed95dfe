// Layer normalisation y = (x - mean) / sqrt(variance + epsilon) * weight + bias over rows of x, and
// the root-mean-square normalisation y = x / sqrt(mean x^2 + epsilon) * weight. One pass may write
// two outputs with weights of their own: the two branches of a parallel block normalise the same
// rows.

import { sum4 } from "./vector";

/**
 * Rows of x to `first` and, unless 0, to `second`. Keeps mean and 1 / sqrt(variance + epsilon) of
 * each row in `moments` (two values a row).
 */
export function layerNormForward(
  x: usize,
  rows: i32,
  width: i32,
  epsilon: f32,
  moments: usize,
  weight: usize,
  bias: usize,
  first: usize,
  weight2: usize,
  bias2: usize,
  second: usize,
): void {
  const row = <usize> width * 4;
  for (let r = 0; r < rows; r++) {
    let sum = f32x4.splat(0);
    for (let i: usize = 0; i < row; i += 16) sum = f32x4.add(sum, v128.load(x + i));
    const mean = sum4(sum) / <f32> width;
    const center = f32x4.splat(mean);
    sum = f32x4.splat(0);
    for (let i: usize = 0; i < row; i += 16) {
      const d = f32x4.sub(v128.load(x + i), center);
      sum = f32x4.relaxed_madd(d, d, sum);
    }
    const inverse: f32 = 1 / sqrt<f32>(sum4(sum) / <f32> width + epsilon);
    store<f32>(moments, mean);
    store<f32>(moments + 4, inverse);
    const scale = f32x4.splat(inverse);
    for (let i: usize = 0; i < row; i += 16) {
      const y = f32x4.mul(f32x4.sub(v128.load(x + i), center), scale);
      v128.store(first + i, f32x4.relaxed_madd(y, v128.load(weight + i), v128.load(bias + i)));
      if (second) {
        v128.store(second + i, f32x4.relaxed_madd(y, v128.load(weight2 + i), v128.load(bias2 + i)));
      }
    }
    x += row;
    first += row;
    if (second) second += row;
    moments += 8;
  }
}

/**
 * Adds to `dx` the gradient that flows back from the outputs' gradients `first` and (unless 0)
 * `second`, and to the gradients of weights and biases theirs.
 *
 * With z the normalised row, and g the gradients times the weights: dx = (g - mean g - z mean(g z))
 * / sqrt(variance + epsilon).
 */
export function layerNormBackward(
  x: usize,
  rows: i32,
  width: i32,
  moments: usize,
  weight: usize,
  first: usize,
  dWeight: usize,
  dBias: usize,
  weight2: usize,
  second: usize,
  dWeight2: usize,
  dBias2: usize,
  dx: usize,
): void {
  const row = <usize> width * 4;
  for (let r = 0; r < rows; r++) {
    const mean = load<f32>(moments), inverse = load<f32>(moments + 4);
    const scale = f32x4.splat(inverse), shift = f32x4.splat(-mean * inverse);
    let sum = f32x4.splat(0), sumZ = f32x4.splat(0);
    for (let i: usize = 0; i < row; i += 16) {
      const z = f32x4.relaxed_madd(v128.load(x + i), scale, shift);
      const dy = v128.load(first + i);
      let g = f32x4.mul(dy, v128.load(weight + i));
      v128.store(dWeight + i, f32x4.relaxed_madd(dy, z, v128.load(dWeight + i)));
      v128.store(dBias + i, f32x4.add(v128.load(dBias + i), dy));
      if (second) {
        const dy2 = v128.load(second + i);
        g = f32x4.relaxed_madd(dy2, v128.load(weight2 + i), g);
        v128.store(dWeight2 + i, f32x4.relaxed_madd(dy2, z, v128.load(dWeight2 + i)));
        v128.store(dBias2 + i, f32x4.add(v128.load(dBias2 + i), dy2));
      }
      // The gradient of z waits where the output's was.
      v128.store(first + i, g);
      sum = f32x4.add(sum, g);
      sumZ = f32x4.relaxed_madd(g, z, sumZ);
    }
    const meanG = f32x4.splat(sum4(sum) / <f32> width);
    const meanGZ = f32x4.splat(-sum4(sumZ) / <f32> width);
    for (let i: usize = 0; i < row; i += 16) {
      const z = f32x4.relaxed_madd(v128.load(x + i), scale, shift);
      const g = f32x4.relaxed_madd(z, meanGZ, f32x4.sub(v128.load(first + i), meanG));
      v128.store(dx + i, f32x4.relaxed_madd(g, scale, v128.load(dx + i)));
    }
    x += row;
    first += row;
    if (second) second += row;
    dx += row;
    moments += 8;
  }
}

/** Rows of x to `y`; keeps 1 / sqrt(mean x^2 + epsilon) of each row in `inverses`. */
export function rmsNormForward(
  x: usize,
  rows: i32,
  width: i32,
  epsilon: f32,
  inverses: usize,
  weight: usize,
  y: usize,
): void {
  const row = <usize> width * 4;
  for (let r = 0; r < rows; r++) {
    let sum = f32x4.splat(0);
    for (let i: usize = 0; i < row; i += 16) {
      const v = v128.load(x + i);
      sum = f32x4.relaxed_madd(v, v, sum);
    }
    const inverse: f32 = 1 / sqrt<f32>(sum4(sum) / <f32> width + epsilon);
    store<f32>(inverses, inverse);
    const scale = f32x4.splat(inverse);
    for (let i: usize = 0; i < row; i += 16) {
      v128.store(y + i, f32x4.mul(f32x4.mul(v128.load(x + i), scale), v128.load(weight + i)));
    }
    x += row;
    y += row;
    inverses += 4;
  }
}

/** Turns the gradient of y into that of x, in place, and adds to the gradient of the weight. */
export function rmsNormBackward(
  x: usize,
  rows: i32,
  width: i32,
  inverses: usize,
  weight: usize,
  gradient: usize,
  dWeight: usize,
): void {
  const row = <usize> width * 4;
  for (let r = 0; r < rows; r++) {
    const scale = v128.load32_splat(inverses);
    let sum = f32x4.splat(0);
    for (let i: usize = 0; i < row; i += 16) {
      const z = f32x4.mul(v128.load(x + i), scale);
      const dy = v128.load(gradient + i);
      const g = f32x4.mul(dy, v128.load(weight + i));
      v128.store(dWeight + i, f32x4.relaxed_madd(dy, z, v128.load(dWeight + i)));
      v128.store(gradient + i, g);
      sum = f32x4.relaxed_madd(g, z, sum);
    }
    const mean = f32x4.splat(-sum4(sum) / <f32> width);
    for (let i: usize = 0; i < row; i += 16) {
      const z = f32x4.mul(v128.load(x + i), scale);
      const g = f32x4.relaxed_madd(z, mean, v128.load(gradient + i));
      v128.store(gradient + i, f32x4.mul(scale, g));
    }
    x += row;
    gradient += row;
    inverses += 4;
  }
}

// The softmax of attention under the causal mask, and the loss at the output.

import { exp4, max4, sum4 } from "./vector";

/** 0, 1, 2, 3 and so on, to mask the end of a row. */
@inline
function lanesBelow(count: i32): v128 {
  return i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(count));
}

/**
 * Softmax of rows of scores, in place: row r keeps its first `first` + r values, and 0 stands in
 * the rest of its `columns`. Rows lie `stride` values apart, a multiple of 4; `columns` rounded up
 * to a multiple of 4 are written.
 */
export function softmaxForward(x: usize, rows: i32, first: i32, columns: i32, stride: i32): void {
  const row = <usize> stride * 4, end = <usize> ((columns + 3) & ~3) * 4;
  for (let r = 0; r < rows; r++) {
    const count = first + r;
    const whole = <usize> (count & ~3) * 4, mask = lanesBelow(count & 3);
    let top = f32x4.splat(-Infinity);
    for (let i: usize = 0; i < whole; i += 16) top = f32x4.pmax(top, v128.load(x + i));
    if (count & 3) {
      top = f32x4.pmax(top, v128.bitselect(v128.load(x + whole), f32x4.splat(-Infinity), mask));
    }
    const shift = f32x4.splat(max4(top));
    let sum = f32x4.splat(0);
    for (let i: usize = 0; i < whole; i += 16) {
      const e = exp4(f32x4.sub(v128.load(x + i), shift));
      v128.store(x + i, e);
      sum = f32x4.add(sum, e);
    }
    let i = whole;
    if (count & 3) {
      const e = v128.and(exp4(f32x4.sub(v128.load(x + i), shift)), mask);
      v128.store(x + i, e);
      sum = f32x4.add(sum, e);
      i += 16;
    }
    const scale = f32x4.splat(1 / sum4(sum));
    for (let j: usize = 0; j < i; j += 16) v128.store(x + j, f32x4.mul(v128.load(x + j), scale));
    for (; i < end; i += 16) v128.store(x + i, f32x4.splat(0));
    x += row;
  }
}

/**
 * Turns gradients of the probabilities p into those of the scores, in place: scale p (g - sum p g).
 * The sum equals the product of the row's attention output and its gradient, `width` values in rows
 * `outputStride` apart. Rows and columns as in softmaxForward; p is 0 where the mask is.
 */
export function softmaxBackward(
  gradient: usize,
  p: usize,
  rows: i32,
  columns: i32,
  stride: i32,
  output: usize,
  dOutput: usize,
  width: i32,
  outputStride: i32,
  scale: f32,
): void {
  const row = <usize> stride * 4, end = <usize> ((columns + 3) & ~3) * 4;
  const outputRow = <usize> outputStride * 4, outputEnd = <usize> width * 4;
  const factor = f32x4.splat(scale);
  for (let r = 0; r < rows; r++) {
    let sum = f32x4.splat(0);
    for (let i: usize = 0; i < outputEnd; i += 16) {
      sum = f32x4.relaxed_madd(v128.load(output + i), v128.load(dOutput + i), sum);
    }
    const shift = f32x4.splat(sum4(sum));
    for (let i: usize = 0; i < end; i += 16) {
      const g = f32x4.mul(f32x4.sub(v128.load(gradient + i), shift), factor);
      v128.store(gradient + i, f32x4.mul(g, v128.load(p + i)));
    }
    gradient += row;
    p += row;
    output += outputRow;
    dOutput += outputRow;
  }
}

/**
 * The loss -ln softmax(x)[target] of each row in two parts, to `sums` and `distances`: it is ln sum
 * + distance, with sum = sum e^(x - max x) and distance = max x - x[target]. Unless `scale` is 0,
 * writes over the logits x the gradient of scale times the rows' losses.
 */
export function crossEntropy(
  x: usize,
  targets: usize,
  rows: i32,
  width: i32,
  sums: usize,
  distances: usize,
  scale: f32,
): void {
  const row = <usize> width * 4;
  for (let r: usize = 0; r < <usize> rows; r++) {
    let top = f32x4.splat(-Infinity);
    for (let i: usize = 0; i < row; i += 16) top = f32x4.pmax(top, v128.load(x + i));
    const largest = max4(top), shift = f32x4.splat(largest);
    const target = x + <usize> load<i32>(targets + r * 4) * 4;
    store<f32>(distances + r * 4, largest - load<f32>(target));
    let sum = f32x4.splat(0);
    for (let i: usize = 0; i < row; i += 16) {
      const e = exp4(f32x4.sub(v128.load(x + i), shift));
      if (scale != 0) v128.store(x + i, e);
      sum = f32x4.add(sum, e);
    }
    const total = sum4(sum);
    store<f32>(sums + r * 4, total);
    if (scale != 0) {
      const factor = f32x4.splat(scale / total);
      for (let i: usize = 0; i < row; i += 16) {
        v128.store(x + i, f32x4.mul(v128.load(x + i), factor));
      }
      store<f32>(target, load<f32>(target) - scale);
    }
    x += row;
  }
}

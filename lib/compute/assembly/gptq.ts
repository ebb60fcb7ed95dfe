// The column loop of GPTQ for 8 rows at a time. Rows do not depend on each other, so the lanes of
// two vectors hold the same column of 8 rows, and a strip of 8 rows is stored column after column:
// [columns][8].
//
// Column j receives  w_j -= e_i U_ij  from every earlier column i. Here those updates are applied
// in the order of i with a rounding after each product and each difference, exactly as the plain
// loop over columns does; blocks and tiles change when a weight is loaded and stored, never what is
// computed. So the result has the same bits as the plain loop, on every machine.

import { search } from "./codebook";
import { TAIL } from "./memory";
import { bytes, uniformCode, uniformValue } from "./rtn";

/** Columns that are updated together: 5 columns x 2 vectors, the tile of gemm.ts. */
const COLUMNS: i32 = 5;

/** Copies `count` <= 8 rows of w[., columns] into a strip. Missing rows become 0. */
export function packStrip(w: usize, columns: i32, count: i32, strip: usize): void {
  const row = <usize> columns * 4;
  for (let r: usize = 0; r < 8; r++) {
    const from = w + r * row;
    for (let c: usize = 0; c < <usize> columns; c++) {
      store<f32>(strip + (c * 8 + r) * 4, r < <usize> count ? load<f32>(from + c * 4) : <f32> 0);
    }
  }
}

/** Copies columns start .. start + width of a strip back to rows of `ldw` values. */
export function unpackStrip(
  strip: usize,
  start: i32,
  width: i32,
  count: i32,
  w: usize,
  ldw: i32,
): void {
  strip += <usize> start * 32;
  for (let r: usize = 0; r < <usize> count; r++) {
    const to = w + r * <usize> ldw * 4;
    for (let c: usize = 0; c < <usize> width; c++) {
      store<f32>(to + c * 4, load<f32>(strip + (c * 8 + r) * 4));
    }
  }
}

/** unpackStrip for codes of one byte. */
export function unpackCodes(strip: usize, columns: i32, count: i32, codes: usize): void {
  for (let r: usize = 0; r < <usize> count; r++) {
    const to = codes + r * <usize> columns;
    for (let c: usize = 0; c < <usize> columns; c++) store<u8>(to + c, load<u8>(strip + c * 8 + r));
  }
}

/**
 * Copies the upper n x n f64 matrix at `u`, rounded to f32, into slices of 5 columns, each stored
 * row after row: slice s holds U[k, 5 s .. 5 s + 4] for k = 0 .. n - 1. Columns that are missing
 * become 0.
 */
export function packFactor(u: usize, n: i32, slices: usize): void {
  const wide = <usize> COLUMNS;
  for (let k: usize = 0; k < <usize> n; k++) {
    const row = u + k * <usize> n * 8;
    for (let j: usize = 0; j < <usize> n; j += wide) {
      const to = slices + (j * <usize> n + k * wide) * 4;
      for (let c: usize = 0; c < wide; c++) {
        store<f32>(to + c * 4, j + c < <usize> n ? <f32> load<f64>(row + (j + c) * 8) : <f32> 0);
      }
    }
  }
}

/**
 * w[c] -= sum over k of errors[k] u[k, c], one k after the other, for a slice of 5 columns of a
 * strip of 8 rows. Only columns `low` <= c < `high` of the 5 are changed.
 */
function subtract(depth: i32, u: usize, errors: usize, w: usize, low: i32, high: i32): void {
  let s00 = v128.load(w, 0), s01 = v128.load(w, 16);
  let s10 = v128.load(w, 32), s11 = v128.load(w, 48);
  let s20 = v128.load(w, 64), s21 = v128.load(w, 80);
  let s30 = v128.load(w, 96), s31 = v128.load(w, 112);
  let s40 = v128.load(w, 128), s41 = v128.load(w, 144);
  const end = errors + <usize> depth * 32;
  while (errors < end) {
    const e0 = v128.load(errors), e1 = v128.load(errors, 16);
    const u0 = v128.load(u);
    const x0 = i32x4.shuffle(u0, u0, 0, 0, 0, 0);
    s00 = f32x4.sub(s00, f32x4.mul(e0, x0));
    s01 = f32x4.sub(s01, f32x4.mul(e1, x0));
    const x1 = i32x4.shuffle(u0, u0, 1, 1, 1, 1);
    s10 = f32x4.sub(s10, f32x4.mul(e0, x1));
    s11 = f32x4.sub(s11, f32x4.mul(e1, x1));
    const x2 = i32x4.shuffle(u0, u0, 2, 2, 2, 2);
    s20 = f32x4.sub(s20, f32x4.mul(e0, x2));
    s21 = f32x4.sub(s21, f32x4.mul(e1, x2));
    const x3 = i32x4.shuffle(u0, u0, 3, 3, 3, 3);
    s30 = f32x4.sub(s30, f32x4.mul(e0, x3));
    s31 = f32x4.sub(s31, f32x4.mul(e1, x3));
    const x4 = v128.load32_splat(u, 16);
    s40 = f32x4.sub(s40, f32x4.mul(e0, x4));
    s41 = f32x4.sub(s41, f32x4.mul(e1, x4));
    u += COLUMNS * 4;
    errors += 32;
  }
  if (low == 0) {
    v128.store(w, s00, 0);
    v128.store(w, s01, 16);
  }
  if (low <= 1 && high > 1) {
    v128.store(w, s10, 32);
    v128.store(w, s11, 48);
  }
  if (low <= 2 && high > 2) {
    v128.store(w, s20, 64);
    v128.store(w, s21, 80);
  }
  if (low <= 3 && high > 3) {
    v128.store(w, s30, 96);
    v128.store(w, s31, 112);
  }
  if (high == 5) {
    v128.store(w, s40, 128);
    v128.store(w, s41, 144);
  }
}

/** Quantizes one column of a strip: the dequantized values replace w, 8 codes go to `codes`. */
@inline
function quantize(
  w: usize,
  scale: usize,
  zero: usize,
  maxq: f32,
  levels: usize,
  thresholds: usize,
  count: i32,
  names: usize,
  codes: usize,
): void {
  const s0 = v128.load(scale), s1 = v128.load(scale, 16);
  const w0 = v128.load(w), w1 = v128.load(w, 16);
  if (!levels) {
    const z0 = v128.load(zero), z1 = v128.load(zero, 16);
    const top = f32x4.splat(maxq);
    const c0 = uniformCode(f32x4.div(w0, s0), z0, top);
    const c1 = uniformCode(f32x4.div(w1, s1), z1, top);
    v128.store(w, uniformValue(c0, s0, z0));
    v128.store(w, uniformValue(c1, s1, z1), 16);
    v128.store64_lane(codes, bytes(c0, c1, c0, c1), 0);
    return;
  }
  v128.store(TAIL, f32x4.div(w0, s0));
  v128.store(TAIL, f32x4.div(w1, s1), 16);
  for (let r: usize = 0; r < 8; r++) {
    const level = <usize> search(load<f32>(TAIL + r * 4), thresholds, count);
    const code = <usize> load<u8>(names + level);
    store<u8>(codes + r, <u8> code);
    store<f32>(w + r * 4, load<f32>(scale + r * 4) * load<f32>(levels + code * 4));
  }
}

/**
 * Quantizes columns start .. end of one strip and takes their errors out of all later columns.
 *
 * - strip: f32 [n][8], padded to a multiple of 5 columns; becomes the dequantized values. codes: u8
 *   [n][8]
 * - factor: the slices of packFactor, of the upper Cholesky factor of the inverse Hessian
 * - groups: i32 [n], the group of each column; scales, zeros: f32 [groups][8]
 * - levels (0 for a uniform grid of maxq + 1 codes), thresholds, count, names: as in codebook.ts
 * - errors: f32 [end - start][8], scratch
 *
 * Returns the sum of e^2 / 2 over the first `rows` rows, e = (w - q) / d.
 */
export function gptqBlock(
  strip: usize,
  rows: i32,
  n: i32,
  factor: usize,
  start: i32,
  end: i32,
  groups: usize,
  scales: usize,
  zeros: usize,
  maxq: f32,
  levels: usize,
  thresholds: usize,
  count: i32,
  names: usize,
  codes: usize,
  errors: usize,
): f64 {
  let loss: f64 = 0;
  // Slices begin at multiples of 5, wherever the block begins or ends: the first and the last may
  // be cut.
  for (let j = start - start % COLUMNS; j < n; j += COLUMNS) {
    const u = factor + <usize> j * <usize> n * 4, w = strip + <usize> j * 32;
    const first = u + <usize> start * COLUMNS * 4;
    if (j < end) {
      const low = max(start, j), high = min(end, j + COLUMNS);
      subtract(low - start, first, errors, w, low - j, high - j);
      for (let i = low; i < high; i++) {
        const column = u + <usize> (i - j) * 4, w = strip + <usize> i * 32;
        let e = errors + <usize> (low - start) * 32;
        let w0 = v128.load(w), w1 = v128.load(w, 16);
        for (let k = low; k < i; k++) {
          const x = v128.load32_splat(column + <usize> k * COLUMNS * 4);
          w0 = f32x4.sub(w0, f32x4.mul(v128.load(e), x));
          w1 = f32x4.sub(w1, f32x4.mul(v128.load(e, 16), x));
          e += 32;
        }
        v128.store(w, w0);
        v128.store(w, w1, 16);
        const g = <usize> load<i32>(groups + <usize> i * 4) * 32;
        quantize(w, scales + g, zeros + g, maxq, levels, thresholds, count, names, codes + <usize> i * 8);
        const d = v128.load32_splat(column + <usize> i * COLUMNS * 4);
        v128.store(e, f32x4.div(f32x4.sub(w0, v128.load(w)), d));
        v128.store(e, f32x4.div(f32x4.sub(w1, v128.load(w, 16)), d), 16);
        for (let r: usize = 0; r < <usize> rows; r++) {
          const error = <f64> load<f32>(e + r * 4);
          loss += error * error;
        }
      }
    }
    if (j + COLUMNS > end) {
      const low = max(end, j) - j, high = min(n, j + COLUMNS) - j;
      if (low < high) subtract(end - start, first, errors, w, low, high);
    }
  }
  return loss / 2;
}

// The column loop of GPTQ for 8 rows at a time. Rows do not depend on each other, so the lanes of two vectors hold the same
// column of 8 rows, and a strip of 8 rows is stored column after column: [columns][8].
//
// Column j receives  w_j -= e_i U_ij  from every earlier column i. Here those updates are applied in the order of i with a
// rounding after each product and each difference, exactly as the plain loop over columns does; blocks and tiles change when a
// weight is loaded and stored, never what is computed. So the result has the same bits as the plain loop, on every machine.

import { search } from "./codebook";
import { TAIL } from "./memory";
import { bytes, uniformCode, uniformValue } from "./rtn";

/** Columns that are updated together: 6 columns x 2 vectors, the tile of gemm.ts. */
const COLUMNS: i32 = 6;

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

/** The transpose of the upper n x n f64 matrix at `u`, rounded to f32: row j then holds all that reaches column j. */
export function transposeFactor(u: usize, n: i32, l: usize): void {
  for (let i0 = 0; i0 < n; i0 += 16) {
    for (let j0 = 0; j0 <= i0; j0 += 16) {
      for (let i = i0; i < min(n, i0 + 16); i++) {
        for (let j = j0; j < min(i + 1, j0 + 16); j++) {
          const from = u + (<usize> j * <usize> n + <usize> i) * 8;
          store<f32>(l + (<usize> i * <usize> n + <usize> j) * 4, <f32> load<f64>(from));
        }
      }
    }
  }
}

/** w[c] -= sum over k of errors[k] l[c, k], one k after the other, for `count` <= 6 columns of a strip. */
function subtract(count: i32, depth: i32, l: usize, row: usize, errors: usize, w: usize): void {
  const last = l + <usize> (count - 1) * row;
  const last_w = w + <usize> (count - 1) * 32;
  let l1 = min(l + row, last), l2 = min(l + 2 * row, last);
  let l3 = min(l + 3 * row, last), l4 = min(l + 4 * row, last), l5 = min(l + 5 * row, last);
  // Columns past the last one repeat it, computing the same result: no case of its own for a ragged end.
  const w1 = min(w + 32, last_w), w2 = min(w + 64, last_w);
  const w3 = min(w + 96, last_w), w4 = min(w + 128, last_w), w5 = min(w + 160, last_w);
  let s00 = v128.load(w), s01 = v128.load(w, 16);
  let s10 = v128.load(w1), s11 = v128.load(w1, 16);
  let s20 = v128.load(w2), s21 = v128.load(w2, 16);
  let s30 = v128.load(w3), s31 = v128.load(w3, 16);
  let s40 = v128.load(w4), s41 = v128.load(w4, 16);
  let s50 = v128.load(w5), s51 = v128.load(w5, 16);
  const end = errors + <usize> depth * 32;
  while (errors < end) {
    const e0 = v128.load(errors), e1 = v128.load(errors, 16);
    const x0 = v128.load32_splat(l);
    s00 = f32x4.sub(s00, f32x4.mul(e0, x0));
    s01 = f32x4.sub(s01, f32x4.mul(e1, x0));
    const x1 = v128.load32_splat(l1);
    s10 = f32x4.sub(s10, f32x4.mul(e0, x1));
    s11 = f32x4.sub(s11, f32x4.mul(e1, x1));
    const x2 = v128.load32_splat(l2);
    s20 = f32x4.sub(s20, f32x4.mul(e0, x2));
    s21 = f32x4.sub(s21, f32x4.mul(e1, x2));
    const x3 = v128.load32_splat(l3);
    s30 = f32x4.sub(s30, f32x4.mul(e0, x3));
    s31 = f32x4.sub(s31, f32x4.mul(e1, x3));
    const x4 = v128.load32_splat(l4);
    s40 = f32x4.sub(s40, f32x4.mul(e0, x4));
    s41 = f32x4.sub(s41, f32x4.mul(e1, x4));
    const x5 = v128.load32_splat(l5);
    s50 = f32x4.sub(s50, f32x4.mul(e0, x5));
    s51 = f32x4.sub(s51, f32x4.mul(e1, x5));
    l += 4;
    l1 += 4;
    l2 += 4;
    l3 += 4;
    l4 += 4;
    l5 += 4;
    errors += 32;
  }
  v128.store(w, s00);
  v128.store(w, s01, 16);
  v128.store(w1, s10);
  v128.store(w1, s11, 16);
  v128.store(w2, s20);
  v128.store(w2, s21, 16);
  v128.store(w3, s30);
  v128.store(w3, s31, 16);
  v128.store(w4, s40);
  v128.store(w4, s41, 16);
  v128.store(w5, s50);
  v128.store(w5, s51, 16);
}

/** Quantizes one column of a strip: the dequantized values replace w, 8 codes go to `codes`. */
// @ts-ignore: decorator

function quantize(
  w: usize,
  scale: usize,
  zero: usize,
  maxq: f32,
  levels: usize,
  thresholds: usize,
  count: i32,
  codes: usize,
): void {
  const s0 = v128.load(scale), s1 = v128.load(scale, 16);
  const w0 = v128.load(w), w1 = v128.load(w, 16);
  if (!levels) {
    const z0 = v128.load(zero), z1 = v128.load(zero, 16);
    const top = f32x4.splat(maxq);
    const c0 = uniformCode(w0, s0, z0, top), c1 = uniformCode(w1, s1, z1, top);
    v128.store(w, uniformValue(c0, s0, z0));
    v128.store(w, uniformValue(c1, s1, z1), 16);
    v128.store64_lane(codes, bytes(c0, c1, c0, c1), 0);
    return;
  }
  v128.store(TAIL, f32x4.div(w0, s0));
  v128.store(TAIL, f32x4.div(w1, s1), 16);
  for (let r: usize = 0; r < 8; r++) {
    const code = search(load<f32>(TAIL + r * 4), thresholds, count);
    store<u8>(codes + r, <u8> code);
    store<f32>(w + r * 4, load<f32>(scale + r * 4) * load<f32>(levels + <usize> code * 4));
  }
}

/**
 * Quantizes columns start .. end of one strip and takes their errors out of all later columns.
 *
 * - strip: f32 [n][8], becomes the dequantized values; codes: u8 [n][8]
 * - l: f32 [n, n], the transposed upper Cholesky factor of the inverse Hessian
 * - groups: i32 [n], the group of each column; scales, zeros: f32 [groups][8]
 * - levels (0 for a uniform grid of maxq + 1 codes), thresholds, count: the table of codebook.ts
 * - errors: f32 [end - start][8], scratch
 *
 * Returns the sum of e^2 / 2 over the first `rows` rows, e = (w - q) / d.
 */
export function gptqBlock(
  strip: usize,
  rows: i32,
  n: i32,
  l: usize,
  start: i32,
  end: i32,
  groups: usize,
  scales: usize,
  zeros: usize,
  maxq: f32,
  levels: usize,
  thresholds: usize,
  count: i32,
  codes: usize,
  errors: usize,
): f64 {
  const row = <usize> n * 4;
  const first = l + <usize> start * 4;
  let loss: f64 = 0;
  for (let i = start; i < end; i += COLUMNS) {
    const many = min(COLUMNS, end - i);
    subtract(many, i - start, first + <usize> i * row, row, errors, strip + <usize> i * 32);
    for (let j = i; j < i + many; j++) {
      const w = strip + <usize> j * 32;
      let w0 = v128.load(w), w1 = v128.load(w, 16);
      let e = errors + <usize> (i - start) * 32;
      const factors = l + <usize> j * row;
      for (let k = i; k < j; k++) {
        const x = v128.load32_splat(factors + <usize> k * 4);
        w0 = f32x4.sub(w0, f32x4.mul(v128.load(e), x));
        w1 = f32x4.sub(w1, f32x4.mul(v128.load(e, 16), x));
        e += 32;
      }
      v128.store(w, w0);
      v128.store(w, w1, 16);
      const g = <usize> load<i32>(groups + <usize> j * 4) * 32;
      quantize(w, scales + g, zeros + g, maxq, levels, thresholds, count, codes + <usize> j * 8);
      const d = v128.load32_splat(factors + <usize> j * 4);
      v128.store(e, f32x4.div(f32x4.sub(w0, v128.load(w)), d));
      v128.store(e, f32x4.div(f32x4.sub(w1, v128.load(w, 16)), d), 16);
      for (let r: usize = 0; r < <usize> rows; r++) {
        const error = <f64> load<f32>(e + r * 4);
        loss += error * error;
      }
    }
  }
  for (let j = end; j < n; j += COLUMNS) {
    subtract(
      min(COLUMNS, n - j),
      end - start,
      first + <usize> j * row,
      row,
      errors,
      strip + <usize> j * 32,
    );
  }
  return loss / 2;
}

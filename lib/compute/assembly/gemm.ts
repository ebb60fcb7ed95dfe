// C = alpha op(A) op(B) + beta C for row-major f32 and f64 matrices.
//
// The tile. A 128-bit machine register file holds 16 vectors. A tile of 6 rows by 2 vectors keeps 12 sums there, with
// 2 vectors of B and 1 broadcast value of A beside them: 15. Each step of k loads 8 values and starts 12 multiply-adds,
// so that arithmetic, not loading, is the limit. More rows or columns spill sums to the stack, fewer load too much.
//
// A is read where it lies (its two strides serve both transposed forms). B is copied into panels as wide as a tile, one
// panel after the other, padded with zeros: a tile then reads B from consecutive addresses whatever the form was.

import { DEPTH, PANEL, PANEL_BYTES, TILE } from "./memory";

/** Rows of a tile. */
const ROWS: i32 = 6;

/** Rows of C that are worked on for all columns before the next ones, so that their part of A stays in the L2 cache. */
const STRIP: i32 = 192;

/** Columns of a tile: 2 vectors. */
// @ts-ignore: decorator

function width<T>(): i32 {
  return 32 / sizeof<T>();
}

/** Two vectors of a row of C: alpha sums + beta C, or alpha sums where nothing of C is kept. */
// @ts-ignore: decorator

function put<T>(c: usize, s0: v128, s1: v128, scale: v128, keep: v128, fresh: bool): void {
  s0 = v128.mul<T>(s0, scale);
  s1 = v128.mul<T>(s1, scale);
  if (!fresh) {
    s0 = v128.add<T>(v128.mul<T>(v128.load(c), keep), s0);
    s1 = v128.add<T>(v128.mul<T>(v128.load(c, 16), keep), s1);
  }
  v128.store(c, s0);
  v128.store(c, s1, 16);
}

/** C[6, 2 vectors] = alpha A[6, depth] B[depth, 2 vectors] + beta C; rows past `count` repeat the last one. */
function tile<T>(
  count: i32,
  depth: i32,
  a: usize,
  rowStride: usize,
  stepStride: usize,
  b: usize,
  alpha: T,
  beta: T,
  c: usize,
  ldc: usize,
): void {
  const last = a + <usize> (count - 1) * rowStride;
  let a0 = a;
  let a1 = min(a + rowStride, last);
  let a2 = min(a + 2 * rowStride, last);
  let a3 = min(a + 3 * rowStride, last);
  let a4 = min(a + 4 * rowStride, last);
  let a5 = min(a + 5 * rowStride, last);
  const nothing = <T> 0;
  let s00 = v128.splat<T>(nothing), s01 = v128.splat<T>(nothing);
  let s10 = v128.splat<T>(nothing), s11 = v128.splat<T>(nothing);
  let s20 = v128.splat<T>(nothing), s21 = v128.splat<T>(nothing);
  let s30 = v128.splat<T>(nothing), s31 = v128.splat<T>(nothing);
  let s40 = v128.splat<T>(nothing), s41 = v128.splat<T>(nothing);
  let s50 = v128.splat<T>(nothing), s51 = v128.splat<T>(nothing);
  while (depth) {
    const b0 = v128.load(b), b1 = v128.load(b, 16);
    const x0 = v128.load_splat<T>(a0);
    s00 = v128.relaxed_madd<T>(x0, b0, s00);
    s01 = v128.relaxed_madd<T>(x0, b1, s01);
    const x1 = v128.load_splat<T>(a1);
    s10 = v128.relaxed_madd<T>(x1, b0, s10);
    s11 = v128.relaxed_madd<T>(x1, b1, s11);
    const x2 = v128.load_splat<T>(a2);
    s20 = v128.relaxed_madd<T>(x2, b0, s20);
    s21 = v128.relaxed_madd<T>(x2, b1, s21);
    const x3 = v128.load_splat<T>(a3);
    s30 = v128.relaxed_madd<T>(x3, b0, s30);
    s31 = v128.relaxed_madd<T>(x3, b1, s31);
    const x4 = v128.load_splat<T>(a4);
    s40 = v128.relaxed_madd<T>(x4, b0, s40);
    s41 = v128.relaxed_madd<T>(x4, b1, s41);
    const x5 = v128.load_splat<T>(a5);
    s50 = v128.relaxed_madd<T>(x5, b0, s50);
    s51 = v128.relaxed_madd<T>(x5, b1, s51);
    a0 += stepStride;
    a1 += stepStride;
    a2 += stepStride;
    a3 += stepStride;
    a4 += stepStride;
    a5 += stepStride;
    b += 32;
    depth--;
  }
  const scale = v128.splat<T>(alpha), keep = v128.splat<T>(beta);
  const fresh = beta == nothing;
  put<T>(c, s00, s01, scale, keep, fresh);
  put<T>(c + ldc, s10, s11, scale, keep, fresh);
  put<T>(c + 2 * ldc, s20, s21, scale, keep, fresh);
  put<T>(c + 3 * ldc, s30, s31, scale, keep, fresh);
  put<T>(c + 4 * ldc, s40, s41, scale, keep, fresh);
  put<T>(c + 5 * ldc, s50, s51, scale, keep, fresh);
}

/** A tile of which only `rows` x `columns` lie inside C: computed beside it, then merged. */
function edge<T>(
  rows: i32,
  columns: i32,
  depth: i32,
  a: usize,
  rowStride: usize,
  stepStride: usize,
  b: usize,
  alpha: T,
  beta: T,
  c: usize,
  ldc: usize,
): void {
  tile<T>(rows, depth, a, rowStride, stepStride, b, alpha, <T> 0, TILE, 32);
  for (let i = 0; i < rows; i++) {
    const from = TILE + <usize> i * 32, to = c + <usize> i * ldc;
    for (let j = 0; j < columns; j++) {
      const at = <usize> j * sizeof<T>();
      const sum = load<T>(from + at);
      store<T>(to + at, beta == <T> 0 ? sum : load<T>(to + at) * beta + sum);
    }
  }
}

/** Copies B[depth, columns] into panels of a tile's width; `rowStride` walks along k, `columnStride` along n. */
function pack<T>(b: usize, rowStride: usize, columnStride: usize, depth: i32, columns: i32): void {
  const wide = width<T>();
  for (let j = 0; j < columns; j += wide) {
    const count = min(wide, columns - j);
    const from = b + <usize> j * columnStride;
    const to = PANEL + <usize> j * <usize> depth * sizeof<T>();
    if (count == wide && columnStride == sizeof<T>()) {
      for (let k = 0; k < depth; k++) {
        const row = from + <usize> k * rowStride, panel = to + <usize> k * 32;
        v128.store(panel, v128.load(row));
        v128.store(panel, v128.load(row, 16), 16);
      }
      continue;
    }
    for (let i = 0; i < wide; i++) {
      const column = from + <usize> i * columnStride, panel = to + <usize> i * sizeof<T>();
      for (let k = 0; k < depth; k++) {
        store<T>(
          panel + <usize> k * 32,
          i < count ? load<T>(column + <usize> k * rowStride) : <T> 0,
        );
      }
    }
  }
}

// @ts-ignore: decorator

function gemm<T>(
  transposeA: bool,
  transposeB: bool,
  m: i32,
  n: i32,
  k: i32,
  alpha: T,
  a: usize,
  lda: i32,
  b: usize,
  ldb: i32,
  beta: T,
  c: usize,
  ldc: i32,
): void {
  const size = <usize> sizeof<T>();
  const aRow = transposeA ? size : <usize> lda * size,
    aStep = transposeA ? <usize> lda * size : size;
  const bRow = transposeB ? size : <usize> ldb * size,
    bColumn = transposeB ? <usize> ldb * size : size;
  const cRow = <usize> ldc * size;
  const wide = width<T>(), panel = PANEL_BYTES / <i32> size;
  for (let n0 = 0; n0 < n; n0 += panel) {
    const columns = min(panel, n - n0);
    for (let k0 = 0; k0 < k; k0 += DEPTH) {
      const depth = min(DEPTH, k - k0);
      const keep = k0 ? <T> 1 : beta;
      pack<T>(b + <usize> k0 * bRow + <usize> n0 * bColumn, bRow, bColumn, depth, columns);
      for (let m0 = 0; m0 < m; m0 += STRIP) {
        const strip = min(m, m0 + STRIP);
        for (let j = 0; j < columns; j += wide) {
          const from = PANEL + <usize> j * <usize> depth * size;
          for (let i = m0; i < strip; i += ROWS) {
            const x = a + <usize> i * aRow + <usize> k0 * aStep;
            const to = c + <usize> i * cRow + <usize> (n0 + j) * size;
            if (i + ROWS <= strip && j + wide <= columns) {
              tile<T>(ROWS, depth, x, aRow, aStep, from, alpha, keep, to, cRow);
            } else {
              edge<T>(
                min(ROWS, strip - i),
                min(wide, columns - j),
                depth,
                x,
                aRow,
                aStep,
                from,
                alpha,
                keep,
                to,
                cRow,
              );
            }
          }
        }
      }
    }
  }
}

/** f32: strides (lda, ldb, ldc) in elements, everything row-major. */
export function gemmF32(
  transposeA: bool,
  transposeB: bool,
  m: i32,
  n: i32,
  k: i32,
  alpha: f32,
  a: usize,
  lda: i32,
  b: usize,
  ldb: i32,
  beta: f32,
  c: usize,
  ldc: i32,
): void {
  gemm<f32>(transposeA, transposeB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}

/** f64, as gemmF32. */
export function gemmF64(
  transposeA: bool,
  transposeB: bool,
  m: i32,
  n: i32,
  k: i32,
  alpha: f64,
  a: usize,
  lda: i32,
  b: usize,
  ldb: i32,
  beta: f64,
  c: usize,
  ldc: i32,
): void {
  gemm<f64>(transposeA, transposeB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}

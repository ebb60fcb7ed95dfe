// C = alpha op(A) op(B) + beta C for row-major f32 and f64 matrices.
//
// The tile. The machine has 16 vector registers of 128 bits, one of them kept by the engine. A tile
// of 5 rows by 2 vectors holds 10 sums there, with 2 vectors of B, 1 of A and 1 broadcast value
// beside them: 14. More rows or columns would spill sums to the stack, fewer would load more for
// each multiply-add. The engine checks the address of every load, so that loads cost more than in
// native code: one vector load brings 4 values of A (2 in f64), which are then broadcast from the
// register.
//
// Both matrices are copied first, A into strips of 5 rows and B into panels as wide as a tile,
// padded with zeros. A tile then reads both from consecutive addresses, whichever form they were
// stored in. A strip and a panel fit the L1 cache.

import { BLOCK_A, BLOCK_ROWS, DEPTH, PANEL_B, PANEL_BYTES, TILE } from "./memory";

/** Rows of a tile. */
const ROWS: i32 = 5;

/** Columns of a tile: 2 vectors. */
@inline
function width<T>(): i32 {
  return 32 / sizeof<T>();
}

/** The first of the values in x, in every lane. */
@inline
function first<T>(x: v128): v128 {
  return sizeof<T>() == 4 ? i32x4.shuffle(x, x, 0, 0, 0, 0) : i64x2.shuffle(x, x, 0, 0);
}

/** The second value, in every lane. */
@inline
function second<T>(x: v128): v128 {
  return sizeof<T>() == 4 ? i32x4.shuffle(x, x, 1, 1, 1, 1) : i64x2.shuffle(x, x, 1, 1);
}

/** The third value: in f64, the first of the next vector, in every lane. */
@inline
function third<T>(x: v128): v128 {
  return sizeof<T>() == 4 ? i32x4.shuffle(x, x, 2, 2, 2, 2) : i64x2.shuffle(x, x, 0, 0);
}

/** The fourth value: in f64, the second of the next vector, in every lane. */
@inline
function fourth<T>(x: v128): v128 {
  return sizeof<T>() == 4 ? i32x4.shuffle(x, x, 3, 3, 3, 3) : i64x2.shuffle(x, x, 1, 1);
}

/** Two vectors of a row of C: alpha sums + beta C, or alpha sums where nothing of C is kept. */
@inline
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

/** C[5, 2 vectors] = alpha A[5, depth] B[depth, 2 vectors] + beta C; A is a strip and B a panel. */
function tile<T>(depth: i32, a: usize, b: usize, alpha: T, beta: T, c: usize, ldc: usize): void {
  const nothing = <T> 0;
  let s00 = v128.splat<T>(nothing), s01 = v128.splat<T>(nothing);
  let s10 = v128.splat<T>(nothing), s11 = v128.splat<T>(nothing);
  let s20 = v128.splat<T>(nothing), s21 = v128.splat<T>(nothing);
  let s30 = v128.splat<T>(nothing), s31 = v128.splat<T>(nothing);
  let s40 = v128.splat<T>(nothing), s41 = v128.splat<T>(nothing);
  const end = b + 32 * <usize> depth;
  while (b < end) {
    const b0 = v128.load(b), b1 = v128.load(b, 16);
    const a0 = v128.load(a);
    const x0 = first<T>(a0);
    s00 = v128.relaxed_madd<T>(x0, b0, s00);
    s01 = v128.relaxed_madd<T>(x0, b1, s01);
    const x1 = second<T>(a0);
    s10 = v128.relaxed_madd<T>(x1, b0, s10);
    s11 = v128.relaxed_madd<T>(x1, b1, s11);
    const a2 = sizeof<T>() == 4 ? a0 : v128.load(a, 16);
    const x2 = third<T>(a2);
    s20 = v128.relaxed_madd<T>(x2, b0, s20);
    s21 = v128.relaxed_madd<T>(x2, b1, s21);
    const x3 = fourth<T>(a2);
    s30 = v128.relaxed_madd<T>(x3, b0, s30);
    s31 = v128.relaxed_madd<T>(x3, b1, s31);
    const x4 = v128.load_splat<T>(a, 4 * sizeof<T>());
    s40 = v128.relaxed_madd<T>(x4, b0, s40);
    s41 = v128.relaxed_madd<T>(x4, b1, s41);
    a += ROWS * sizeof<T>();
    b += 32;
  }
  const scale = v128.splat<T>(alpha), keep = v128.splat<T>(beta);
  const fresh = beta == nothing;
  put<T>(c, s00, s01, scale, keep, fresh);
  put<T>(c + ldc, s10, s11, scale, keep, fresh);
  put<T>(c + 2 * ldc, s20, s21, scale, keep, fresh);
  put<T>(c + 3 * ldc, s30, s31, scale, keep, fresh);
  put<T>(c + 4 * ldc, s40, s41, scale, keep, fresh);
}

/** A tile of which only `rows` x `columns` lie inside C: computed beside it, then merged. */
function edge<T>(
  rows: i32,
  columns: i32,
  depth: i32,
  a: usize,
  b: usize,
  alpha: T,
  beta: T,
  c: usize,
  ldc: usize,
): void {
  tile<T>(depth, a, b, alpha, <T> 0, TILE, 32);
  for (let i = 0; i < rows; i++) {
    const from = TILE + <usize> i * 32, to = c + <usize> i * ldc;
    for (let j = 0; j < columns; j++) {
      const at = <usize> j * sizeof<T>();
      const sum = load<T>(from + at);
      store<T>(to + at, beta == <T> 0 ? sum : load<T>(to + at) * beta + sum);
    }
  }
}

/**
 * Copies a matrix [count, depth] into slices of `wide` rows, each stored one step of k after the
 * other: [depth][wide]. `across` leads from one row to the next, `along` from one k to the next.
 * Rows that are missing become 0.
 */
@inline
function pack<T>(
  from: usize,
  across: usize,
  along: usize,
  depth: i32,
  count: i32,
  wide: i32,
  to: usize,
): void {
  const step = <usize> wide * sizeof<T>();
  for (let i = 0; i < count; i += wide) {
    const rows = min(wide, count - i);
    if (rows < wide) memory.fill(to, 0, <usize> depth * step);
    if (rows == wide && across == sizeof<T>()) {
      // Neighbours in memory: 8 f32, 4 f64, or 5 of either.
      let source = from, target = to;
      for (let k = 0; k < depth; k++) {
        v128.store(target, v128.load(source));
        if (step >= 32) v128.store(target, v128.load(source, 16), 16);
        if (wide == ROWS) store<T>(target, load<T>(source, 4 * sizeof<T>()), 4 * sizeof<T>());
        source += along;
        target += step;
      }
    } else {
      let r = 0;
      if (sizeof<T>() == 4 && along == 4) {
        for (; r + 4 <= rows; r += 4) {
          weaveFour(from + <usize> r * across, across, depth, to + <usize> r * 4, step);
        }
      }
      for (; r < rows; r++) {
        let source = from + <usize> r * across, target = to + <usize> r * sizeof<T>();
        for (let k = 0; k < depth; k++) {
          store<T>(target, load<T>(source));
          source += along;
          target += step;
        }
      }
    }
    from += <usize> wide * across;
    to += <usize> depth * step;
  }
}

/**
 * Four rows of f32, `across` apart, to columns of `target`, whose rows are `step` apart: a 4 x 4
 * square at a time.
 */
function weaveFour(source: usize, across: usize, depth: i32, target: usize, step: usize): void {
  let s1 = source + across, s2 = s1 + across, s3 = s2 + across;
  for (; depth >= 4; depth -= 4) {
    const a = v128.load(source), b = v128.load(s1), c = v128.load(s2), d = v128.load(s3);
    const ab = i32x4.shuffle(a, b, 0, 4, 1, 5), cd = i32x4.shuffle(c, d, 0, 4, 1, 5);
    v128.store(target, i64x2.shuffle(ab, cd, 0, 2));
    v128.store(target + step, i64x2.shuffle(ab, cd, 1, 3));
    const ab2 = i32x4.shuffle(a, b, 2, 6, 3, 7), cd2 = i32x4.shuffle(c, d, 2, 6, 3, 7);
    v128.store(target + 2 * step, i64x2.shuffle(ab2, cd2, 0, 2));
    v128.store(target + 3 * step, i64x2.shuffle(ab2, cd2, 1, 3));
    source += 16;
    s1 += 16;
    s2 += 16;
    s3 += 16;
    target += 4 * step;
  }
  for (; depth; depth--) {
    store<f32>(target, load<f32>(source));
    store<f32>(target, load<f32>(s1), 4);
    store<f32>(target, load<f32>(s2), 8);
    store<f32>(target, load<f32>(s3), 12);
    source += 4;
    s1 += 4;
    s2 += 4;
    s3 += 4;
    target += step;
  }
}

@inline
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
  const bStep = transposeB ? size : <usize> ldb * size,
    bColumn = transposeB ? <usize> ldb * size : size;
  const cRow = <usize> ldc * size;
  const wide = width<T>(), panel = PANEL_BYTES / <i32> size;
  for (let n0 = 0; n0 < n; n0 += panel) {
    const columns = min(panel, n - n0);
    for (let k0 = 0; k0 < k; k0 += DEPTH) {
      const depth = min(DEPTH, k - k0);
      const keep = k0 ? <T> 1 : beta;
      pack<T>(
        b + <usize> k0 * bStep + <usize> n0 * bColumn,
        bColumn,
        bStep,
        depth,
        columns,
        wide,
        PANEL_B,
      );
      for (let m0 = 0; m0 < m; m0 += BLOCK_ROWS) {
        const rows = min(BLOCK_ROWS, m - m0);
        pack<T>(
          a + <usize> m0 * aRow + <usize> k0 * aStep,
          aRow,
          aStep,
          depth,
          rows,
          ROWS,
          BLOCK_A,
        );
        for (let j = 0; j < columns; j += wide) {
          const panelB = PANEL_B + <usize> j * <usize> depth * size;
          for (let i = 0; i < rows; i += ROWS) {
            const stripA = BLOCK_A + <usize> i * <usize> depth * size;
            const to = c + <usize> (m0 + i) * cRow + <usize> (n0 + j) * size;
            const insideRows = min(ROWS, rows - i), insideColumns = min(wide, columns - j);
            if (insideRows == ROWS && insideColumns == wide) {
              tile<T>(depth, stripA, panelB, alpha, keep, to, cRow);
            } else {
              edge<T>(insideRows, insideColumns, depth, stripA, panelB, alpha, keep, to, cRow);
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

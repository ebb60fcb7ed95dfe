// The small triangular steps in f64 that the blocked factorisation (lib/compute/cholesky.ts) leaves
// over: everything else there is a matrix product. Rows are contiguous, so every sum runs along two
// rows.

/** The sum of x[i] y[i] over `n` values, in a fixed order of four running sums. */
function dot(x: usize, y: usize, n: i32): f64 {
  let s0 = f64x2.splat(0), s1 = f64x2.splat(0);
  while (n >= 4) {
    s0 = f64x2.add(s0, f64x2.mul(v128.load(x), v128.load(y)));
    s1 = f64x2.add(s1, f64x2.mul(v128.load(x, 16), v128.load(y, 16)));
    x += 32;
    y += 32;
    n -= 4;
  }
  s0 = f64x2.add(s0, s1);
  let sum = f64x2.extract_lane(s0, 0) + f64x2.extract_lane(s0, 1);
  while (n) {
    sum += load<f64>(x) * load<f64>(y);
    x += 8;
    y += 8;
    n--;
  }
  return sum;
}

/**
 * Factors the n x n block at `a` into L L^T in place (lower triangle; the upper one is neither read
 * nor written). Returns -1, or the first column whose pivot is not a positive finite number; that
 * pivot is left on the diagonal.
 */
export function choleskyBlock(a: usize, lda: i32, n: i32): i32 {
  const row = <usize> lda * 8;
  for (let j = 0; j < n; j++) {
    const rowJ = a + <usize> j * row, at = <usize> j * 8;
    const pivot = load<f64>(rowJ + at) - dot(rowJ, rowJ, j);
    if (!(pivot > 0 && pivot < Infinity)) {
      store<f64>(rowJ + at, pivot);
      return j;
    }
    const root = Math.sqrt(pivot);
    store<f64>(rowJ + at, root);
    for (let i = j + 1; i < n; i++) {
      const rowI = a + <usize> i * row;
      store<f64>(rowI + at, (load<f64>(rowI + at) - dot(rowI, rowJ, j)) / root);
    }
  }
  return -1;
}

/**
 * Writes the inverse of the lower triangle of the n x n block at `a` to `x` (row stride n), zeros
 * above it.
 */
export function invertBlock(a: usize, lda: i32, n: i32, x: usize): void {
  const row = <usize> lda * 8, width = <usize> n * 8;
  memory.fill(x, 0, <usize> n * width);
  for (let i = 0; i < n; i++) {
    const from = a + <usize> i * row, to = x + <usize> i * width;
    const pivot = load<f64>(from + <usize> i * 8);
    for (let k = 0; k < i; k++) {
      const factor = load<f64>(from + <usize> k * 8);
      const above = x + <usize> k * width;
      for (let j: usize = 0; j <= <usize> k; j++) {
        store<f64>(to + j * 8, load<f64>(to + j * 8) - factor * load<f64>(above + j * 8));
      }
    }
    for (let j: usize = 0; j < <usize> i; j++) {
      store<f64>(to + j * 8, load<f64>(to + j * 8) / pivot);
    }
    store<f64>(to + <usize> i * 8, 1 / pivot);
  }
}

/** H[rows, columns] = beta H + scale S for an f64 H and an f32 S; strides in elements. */
export function accumulate(
  h: usize,
  ldh: i32,
  s: usize,
  lds: i32,
  rows: i32,
  columns: i32,
  scale: f64,
  beta: f64,
): void {
  const factor = f64x2.splat(scale), keep = f64x2.splat(beta);
  const fresh = beta == 0;
  for (let i = 0; i < rows; i++) {
    let to = h + <usize> i * <usize> ldh * 8, from = s + <usize> i * <usize> lds * 4;
    let j = columns;
    while (j >= 2) {
      let sum = f64x2.mul(factor, f64x2.promote_low_f32x4(v128.load64_zero(from)));
      if (!fresh) sum = f64x2.add(f64x2.mul(keep, v128.load(to)), sum);
      v128.store(to, sum);
      to += 16;
      from += 8;
      j -= 2;
    }
    if (j) {
      const sum = scale * <f64> load<f32>(from);
      store<f64>(to, fresh ? sum : beta * load<f64>(to) + sum);
    }
  }
}

/**
 * Copies the upper triangle of the n x n matrix at `a` to the lower one, 16 x 16 at a time for the
 * cache's sake.
 */
export function mirror(a: usize, n: i32): void {
  const row = <usize> n * 8;
  for (let i0 = 0; i0 < n; i0 += 16) {
    for (let j0 = 0; j0 <= i0; j0 += 16) {
      for (let i = i0; i < min(n, i0 + 16); i++) {
        for (let j = j0; j < min(i, j0 + 16); j++) {
          store<f64>(
            a + <usize> i * row + <usize> j * 8,
            load<f64>(a + <usize> j * row + <usize> i * 8),
          );
        }
      }
    }
  }
}

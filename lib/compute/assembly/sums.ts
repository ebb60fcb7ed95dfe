// Sums of f32 values in f64: two values a vector, in four sums that are added at the end. The order
// is fixed, so every machine gives the same bits.

/** Values of 0 and 1 of `x`, and of 2 and 3, in f64. */
@inline
function low(x: v128): v128 {
  return f64x2.promote_low_f32x4(x);
}

@inline
function high(x: v128): v128 {
  return f64x2.promote_low_f32x4(i64x2.shuffle(x, x, 1, 0));
}

/** Adds the lanes of two sums to the f64 at `to`. */
@inline
function addTo(to: usize, a: v128, b: v128): void {
  const sum = f64x2.add(a, b);
  store<f64>(to, load<f64>(to) + f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1));
}

/** The last `left` < 4 values, followed by zeros. */
@inline
function rest(x: usize, left: i32): v128 {
  let last = i64x2.splat(0);
  if (left > 0) last = v128.load32_zero(x);
  if (left > 1) last = v128.load32_lane(x, last, 1, 4);
  if (left > 2) last = v128.load32_lane(x, last, 2, 8);
  return last;
}

/** Adds the sum of x and the sum of |x| to the two f64 at `sums`. */
export function addSums(x: usize, length: i32, sums: usize): void {
  let sum0 = f64x2.splat(0), sum1 = sum0, size0 = sum0, size1 = sum0;
  for (let left = length; left > 0; left -= 4) {
    const v = left < 4 ? rest(x, left) : v128.load(x), size = f32x4.abs(v);
    sum0 = f64x2.add(sum0, low(v));
    sum1 = f64x2.add(sum1, high(v));
    size0 = f64x2.add(size0, low(size));
    size1 = f64x2.add(size1, high(size));
    x += 16;
  }
  addTo(sums, sum0, sum1);
  addTo(sums + 8, size0, size1);
}

/** Adds the sum of x^2 and the sum of (x - y)^2 to the two f64 at `sums`. */
export function addSquares(x: usize, y: usize, length: i32, sums: usize): void {
  let signal0 = f64x2.splat(0), signal1 = signal0, noise0 = signal0, noise1 = signal0;
  for (let left = length; left > 0; left -= 4) {
    const v = left < 4 ? rest(x, left) : v128.load(x);
    const w = left < 4 ? rest(y, left) : v128.load(y);
    const v0 = low(v), v1 = high(v);
    const d0 = f64x2.sub(v0, low(w)), d1 = f64x2.sub(v1, high(w));
    signal0 = f64x2.add(signal0, f64x2.mul(v0, v0));
    signal1 = f64x2.add(signal1, f64x2.mul(v1, v1));
    noise0 = f64x2.add(noise0, f64x2.mul(d0, d0));
    noise1 = f64x2.add(noise1, f64x2.mul(d1, d1));
    x += 16;
    y += 16;
  }
  addTo(sums, signal0, signal1);
  addTo(sums + 8, noise0, noise1);
}

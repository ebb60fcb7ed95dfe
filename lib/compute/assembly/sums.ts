// Sums of f32 values in f64: two values a vector, in four sums that are added at the end, so that
// one addition need not wait for the one before it. The order is fixed, so every machine gives the
// same bits.

/** Two values in f64. */
@inline
function two(x: usize): v128 {
  return f64x2.promote_low_f32x4(v128.load64_zero(x));
}

/** Adds four sums to the f64 at `to`. */
@inline
function addTo(to: usize, a: v128, b: v128, c: v128, d: v128): void {
  const sum = f64x2.add(f64x2.add(a, b), f64x2.add(c, d));
  store<f64>(to, load<f64>(to) + f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1));
}

/** Adds the sum of x and the sum of |x| to the two f64 at `sums`. */
export function addSums(x: usize, length: i32, sums: usize): void {
  const zero = f64x2.splat(0);
  let sum0 = zero, sum1 = zero, sum2 = zero, sum3 = zero;
  let size0 = zero, size1 = zero, size2 = zero, size3 = zero;
  for (; length >= 8; length -= 8) {
    const v0 = two(x), v1 = two(x + 8), v2 = two(x + 16), v3 = two(x + 24);
    sum0 = f64x2.add(sum0, v0);
    sum1 = f64x2.add(sum1, v1);
    sum2 = f64x2.add(sum2, v2);
    sum3 = f64x2.add(sum3, v3);
    size0 = f64x2.add(size0, f64x2.abs(v0));
    size1 = f64x2.add(size1, f64x2.abs(v1));
    size2 = f64x2.add(size2, f64x2.abs(v2));
    size3 = f64x2.add(size3, f64x2.abs(v3));
    x += 32;
  }
  for (; length > 0; length--) {
    const v = f64x2.promote_low_f32x4(v128.load32_zero(x));
    sum0 = f64x2.add(sum0, v);
    size0 = f64x2.add(size0, f64x2.abs(v));
    x += 4;
  }
  addTo(sums, sum0, sum1, sum2, sum3);
  addTo(sums + 8, size0, size1, size2, size3);
}

/** Adds the sum of x^2 and the sum of (x - y)^2 to the two f64 at `sums`. */
export function addSquares(x: usize, y: usize, length: i32, sums: usize): void {
  const zero = f64x2.splat(0);
  let signal0 = zero, signal1 = zero, signal2 = zero, signal3 = zero;
  let noise0 = zero, noise1 = zero, noise2 = zero, noise3 = zero;
  for (; length >= 8; length -= 8) {
    const v0 = two(x), v1 = two(x + 8), v2 = two(x + 16), v3 = two(x + 24);
    signal0 = f64x2.add(signal0, f64x2.mul(v0, v0));
    signal1 = f64x2.add(signal1, f64x2.mul(v1, v1));
    signal2 = f64x2.add(signal2, f64x2.mul(v2, v2));
    signal3 = f64x2.add(signal3, f64x2.mul(v3, v3));
    const d0 = f64x2.sub(v0, two(y)), d1 = f64x2.sub(v1, two(y + 8));
    const d2 = f64x2.sub(v2, two(y + 16)), d3 = f64x2.sub(v3, two(y + 24));
    noise0 = f64x2.add(noise0, f64x2.mul(d0, d0));
    noise1 = f64x2.add(noise1, f64x2.mul(d1, d1));
    noise2 = f64x2.add(noise2, f64x2.mul(d2, d2));
    noise3 = f64x2.add(noise3, f64x2.mul(d3, d3));
    x += 32;
    y += 32;
  }
  for (; length > 0; length--) {
    const v = f64x2.promote_low_f32x4(v128.load32_zero(x));
    const d = f64x2.sub(v, f64x2.promote_low_f32x4(v128.load32_zero(y)));
    signal0 = f64x2.add(signal0, f64x2.mul(v, v));
    noise0 = f64x2.add(noise0, f64x2.mul(d, d));
    x += 4;
    y += 4;
  }
  addTo(sums, signal0, signal1, signal2, signal3);
  addTo(sums + 8, noise0, noise1, noise2, noise3);
}

// The optimiser's step, and the sum of squares that the clipping of gradients needs.

/** The sum of x^2, in f64. */
export function sumOfSquares(x: usize, length: i32): f64 {
  let low = f64x2.splat(0), high = f64x2.splat(0);
  while (length >= 4) {
    const v = v128.load(x);
    const a = f64x2.promote_low_f32x4(v);
    const b = f64x2.promote_low_f32x4(i32x4.shuffle(v, v, 2, 3, 2, 3));
    low = f64x2.add(low, f64x2.mul(a, a));
    high = f64x2.add(high, f64x2.mul(b, b));
    x += 16;
    length -= 4;
  }
  low = f64x2.add(low, high);
  let sum = f64x2.extract_lane(low, 0) + f64x2.extract_lane(low, 1);
  while (length) {
    const v = <f64> load<f32>(x);
    sum += v * v;
    x += 4;
    length--;
  }
  return sum;
}

/**
 * AdamW: with g = clip * gradient, m = beta1 m + (1 - beta1) g, v = beta2 v + (1 - beta2) g^2, x =
 * x - (decay x + rate m / (sqrt(v) * root + epsilon)), where decay = learning rate * weight decay,
 * rate = learning rate / (1 - beta1^t) and root = 1 / sqrt(1 - beta2^t).
 */
export function adamW(
  x: usize,
  gradient: usize,
  first: usize,
  second: usize,
  length: i32,
  clip: f32,
  beta1: f32,
  beta2: f32,
  decay: f32,
  rate: f32,
  root: f32,
  epsilon: f32,
): void {
  while (length >= 4) {
    const g = f32x4.mul(v128.load(gradient), f32x4.splat(clip));
    const m = f32x4.add(
      f32x4.mul(f32x4.splat(beta1), v128.load(first)),
      f32x4.mul(f32x4.splat(1 - beta1), g),
    );
    const v = f32x4.add(
      f32x4.mul(f32x4.splat(beta2), v128.load(second)),
      f32x4.mul(f32x4.splat(1 - beta2), f32x4.mul(g, g)),
    );
    const size = f32x4.add(f32x4.mul(f32x4.sqrt(v), f32x4.splat(root)), f32x4.splat(epsilon));
    const step = f32x4.div(f32x4.mul(f32x4.splat(rate), m), size);
    const old = v128.load(x);
    v128.store(x, f32x4.sub(old, f32x4.add(f32x4.mul(old, f32x4.splat(decay)), step)));
    v128.store(first, m);
    v128.store(second, v);
    x += 16;
    gradient += 16;
    first += 16;
    second += 16;
    length -= 4;
  }
  while (length) {
    const g = load<f32>(gradient) * clip;
    const m = beta1 * load<f32>(first) + (1 - beta1) * g;
    const v = beta2 * load<f32>(second) + (1 - beta2) * (g * g);
    const size = sqrt<f32>(v) * root + epsilon;
    const old = load<f32>(x);
    store<f32>(x, old - (decay * old + rate * m / size));
    store<f32>(first, m);
    store<f32>(second, v);
    x += 4;
    gradient += 4;
    first += 4;
    second += 4;
    length--;
  }
}

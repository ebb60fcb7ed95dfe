// What BitNet's linear maps do to their weights and inputs. The backward pass goes straight through
// all of it. The arithmetic is that of lib/quantize/bitnet.ts: an f32 rounding after each
// operation, means summed in f64.

/** The sum of x (`sizes` false) or |x|, in f64, one value after the other. */
@inline
function total(x: usize, length: i32, sizes: bool): f64 {
  let sum: f64 = 0;
  for (let i: usize = 0; i < <usize> length; i++) {
    const v = <f64> load<f32>(x + i * 4);
    sum += sizes ? abs(v) : v;
  }
  return sum;
}

/** Rounds weights to -1, 0 or 1 times one over the inverse of their mean size (at least 1e-5). */
export function ternaryWeights(x: usize, length: i32, out: usize): void {
  const inverse: f32 = <f32> 1 / max<f32>(<f32> (total(x, length, true) / <f64> length), 1e-5);
  const scale: f32 = <f32> 1 / inverse;
  for (let i: usize = 0; i < <usize> length * 4; i += 4) {
    // Beyond 1/2 the nearest of -1, 0 and 1 is not 0; 1/2 itself rounds to the even 0.
    const v = load<f32>(x + i) * inverse;
    store<f32>(out + i, v > 0.5 ? scale : v < -0.5 ? -scale : 0);
  }
}

/** Rounds weights to their mean size, with the sign of their distance from the mean. */
export function signWeights(x: usize, length: i32, out: usize): void {
  const center = <f32> (total(x, length, false) / <f64> length);
  const scale = <f32> (total(x, length, true) / <f64> length);
  for (let i: usize = 0; i < <usize> length * 4; i += 4) {
    store<f32>(out + i, load<f32>(x + i) > center ? scale : -scale);
  }
}

/**
 * Rounds each row, in place, to 8 bits of its largest size (at least 1e-5): clamp(nearest(x s),
 * -128, 127) / s, s = 127 / size.
 */
export function roundActivations(x: usize, rows: i32, width: i32): void {
  const row = <usize> width * 4;
  for (let r = 0; r < rows; r++) {
    let top = f32x4.splat(1e-5);
    for (let i: usize = 0; i < row; i += 16) top = f32x4.pmax(top, f32x4.abs(v128.load(x + i)));
    top = f32x4.pmax(top, i32x4.shuffle(top, top, 2, 3, 0, 1));
    top = f32x4.pmax(top, i32x4.shuffle(top, top, 1, 0, 3, 2));
    const inverse = f32x4.div(f32x4.splat(127), top);
    for (let i: usize = 0; i < row; i += 16) {
      let code = f32x4.nearest(f32x4.mul(v128.load(x + i), inverse));
      code = f32x4.pmax(f32x4.splat(-128), f32x4.pmin(code, f32x4.splat(127)));
      v128.store(x + i, f32x4.div(code, inverse));
    }
    x += row;
  }
}

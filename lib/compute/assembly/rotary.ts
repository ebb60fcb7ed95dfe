// Rotary positions: in each head's query and key, value i and value i + turned / 2 of the first
// `turned` are a point in a plane, which is turned by an angle that grows with the position.

/**
 * Adds the bias (unless 0) to rows [query, key, value] per head, 3 headWidth values each, and turns
 * queries and keys. `angles` holds a row [cosines, sines] of `turned` values for each position; row
 * r stands at position r mod `length`.
 */
export function rotaryForward(
  x: usize,
  bias: usize,
  angles: usize,
  rows: i32,
  length: i32,
  heads: i32,
  headWidth: i32,
  turned: i32,
): void {
  const row = <usize> (heads * 3 * headWidth) * 4, head = <usize> headWidth * 4;
  const half = <usize> turned * 2;
  let position = 0;
  for (let r = 0; r < rows; r++) {
    if (bias) {
      for (let i: usize = 0; i < row; i += 16) {
        v128.store(x + i, f32x4.add(v128.load(x + i), v128.load(bias + i)));
      }
    }
    const angle = angles + <usize> (position * turned) * 4;
    for (let at = x; at < x + row; at += 3 * head) {
      turn(at, half, angle, false);
      turn(at + head, half, angle, false);
    }
    x += row;
    position = position + 1 == length ? 0 : position + 1;
  }
}

/**
 * Turns the gradients of queries and keys back, in place, and adds the column sums of all to the
 * gradient of the bias.
 */
export function rotaryBackward(
  gradient: usize,
  bias: usize,
  angles: usize,
  rows: i32,
  length: i32,
  heads: i32,
  headWidth: i32,
  turned: i32,
): void {
  const row = <usize> (heads * 3 * headWidth) * 4, head = <usize> headWidth * 4;
  const half = <usize> turned * 2;
  let position = 0;
  for (let r = 0; r < rows; r++) {
    const angle = angles + <usize> (position * turned) * 4;
    for (let at = gradient; at < gradient + row; at += 3 * head) {
      turn(at, half, angle, true);
      turn(at + head, half, angle, true);
    }
    if (bias) {
      for (let i: usize = 0; i < row; i += 16) {
        v128.store(bias + i, f32x4.add(v128.load(bias + i), v128.load(gradient + i)));
      }
    }
    gradient += row;
    position = position + 1 == length ? 0 : position + 1;
  }
}

/** Turns the pairs (i, i + half) at x by the angles, or back. `half` counts bytes. */
@inline
function turn(x: usize, half: usize, angle: usize, back: bool): void {
  let i: usize = 0;
  for (; i + 16 <= half; i += 16) {
    const cosine = v128.load(angle + i), sine = v128.load(angle + half + i);
    const a = v128.load(x + i), b = v128.load(x + half + i);
    const as = f32x4.mul(a, sine), bs = f32x4.mul(b, sine);
    const ac = f32x4.mul(a, cosine), bc = f32x4.mul(b, cosine);
    v128.store(x + i, back ? f32x4.add(ac, bs) : f32x4.sub(ac, bs));
    v128.store(x + half + i, back ? f32x4.sub(bc, as) : f32x4.add(bc, as));
  }
  for (; i < half; i += 4) {
    const cosine = load<f32>(angle + i);
    let sine = load<f32>(angle + half + i);
    if (back) sine = -sine;
    const a = load<f32>(x + i), b = load<f32>(x + half + i);
    store<f32>(x + i, a * cosine - b * sine);
    store<f32>(x + half + i, b * cosine + a * sine);
  }
}

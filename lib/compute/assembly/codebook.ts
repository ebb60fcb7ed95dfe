// Rounding to a table of levels: the code of x is how many thresholds lie below x, and so a tie goes to the lower level.
// Up to 16 levels a comparison with every threshold, 16 values at a time, beats any search: it has no branch and no
// dependent load. Longer tables are searched by halving. Bits are exact, as in rtn.ts.

import { TAIL } from "./memory";

/** How many of the `count` ascending thresholds lie below x. */
export function search(x: f32, thresholds: usize, count: i32): i32 {
  let low = 0;
  while (count > 0) {
    const half = (count + 1) >> 1;
    const above = load<f32>(thresholds + <usize> (low + half - 1) * 4) < x;
    low = above ? low + half : low;
    count = above ? count - half : half - 1;
  }
  return low;
}

/** One byte plane of the 16 f32 levels: byte `plane` of each. */
// @ts-ignore: decorator

function plane(levels: usize, plane: usize): v128 {
  for (let i: usize = 0; i < 16; i++) store<u8>(TAIL + 128 + i, load<u8>(levels + i * 4 + plane));
  return v128.load(TAIL + 128);
}

/** 16 values against up to 15 thresholds (padded to `count`), codes as bytes. */
// @ts-ignore: decorator

function sixteen(x: usize, scale: v128, thresholds: usize, count: usize): v128 {
  const x0 = f32x4.div(v128.load(x), scale), x1 = f32x4.div(v128.load(x, 16), scale);
  const x2 = f32x4.div(v128.load(x, 32), scale), x3 = f32x4.div(v128.load(x, 48), scale);
  let c0 = i32x4.splat(0), c1 = c0, c2 = c0, c3 = c0;
  const end = thresholds + count * 4;
  for (let t = thresholds; t < end; t += 4) {
    const threshold = v128.load32_splat(t);
    c0 = i32x4.sub(c0, f32x4.gt(x0, threshold));
    c1 = i32x4.sub(c1, f32x4.gt(x1, threshold));
    c2 = i32x4.sub(c2, f32x4.gt(x2, threshold));
    c3 = i32x4.sub(c3, f32x4.gt(x3, threshold));
  }
  return i8x16.narrow_i16x8_u(i16x8.narrow_i32x4_s(c0, c1), i16x8.narrow_i32x4_s(c2, c3));
}

/**
 * Rounds `groups` runs of `width` values to scale levels[code]. `count` thresholds, `count` + 1 levels, both ascending.
 * `codes` and `output` may be 0: no such result.
 */
export function roundLevels(
  values: usize,
  groups: i32,
  width: i32,
  scales: usize,
  levels: usize,
  thresholds: usize,
  count: i32,
  codes: usize,
  output: usize,
): void {
  if (count > 15) {
    roundTable(values, groups, width, scales, levels, thresholds, count, codes, output);
    return;
  }
  // The level of each code, looked up for 16 codes at once: one byte of the four at a time, then woven together.
  const p0 = plane(levels, 0), p1 = plane(levels, 1), p2 = plane(levels, 2), p3 = plane(levels, 3);
  for (let g: usize = 0; g < <usize> groups; g++) {
    const scale = v128.load32_splat(scales + g * 4);
    let left = width;
    while (left > 0) {
      const used = <usize> min(left, 16);
      let from = values;
      if (left < 16) {
        memory.copy(TAIL, values, used * 4);
        from = TAIL;
      }
      const code = sixteen(from, scale, thresholds, count);
      if (codes) {
        if (left < 16) {
          v128.store(TAIL + 64, code);
          memory.copy(codes, TAIL + 64, used);
        } else v128.store(codes, code);
        codes += used;
      }
      if (output) {
        const b0 = i8x16.swizzle(p0, code), b1 = i8x16.swizzle(p1, code);
        const b2 = i8x16.swizzle(p2, code), b3 = i8x16.swizzle(p3, code);
        const low = weaveLow(b0, b1), low2 = weaveLow(b2, b3);
        const high = weaveHigh(b0, b1), high2 = weaveHigh(b2, b3);
        const to = left < 16 ? TAIL : output;
        v128.store(to, f32x4.mul(scale, i16x8.shuffle(low, low2, 0, 8, 1, 9, 2, 10, 3, 11)));
        v128.store(to, f32x4.mul(scale, i16x8.shuffle(low, low2, 4, 12, 5, 13, 6, 14, 7, 15)), 16);
        v128.store(to, f32x4.mul(scale, i16x8.shuffle(high, high2, 0, 8, 1, 9, 2, 10, 3, 11)), 32);
        v128.store(
          to,
          f32x4.mul(scale, i16x8.shuffle(high, high2, 4, 12, 5, 13, 6, 14, 7, 15)),
          48,
        );
        if (left < 16) memory.copy(output, TAIL, used * 4);
        output += used * 4;
      }
      values += used * 4;
      left -= 16;
    }
  }
}

/** Bytes 0 to 7 of a and b in turn. */
// @ts-ignore: decorator

function weaveLow(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}

/** Bytes 8 to 15 of a and b in turn. */
// @ts-ignore: decorator

function weaveHigh(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}

/** roundLevels for any number of levels up to 256, one value at a time. */
function roundTable(
  values: usize,
  groups: i32,
  width: i32,
  scales: usize,
  levels: usize,
  thresholds: usize,
  count: i32,
  codes: usize,
  output: usize,
): void {
  for (let g: usize = 0; g < <usize> groups; g++) {
    const scale = load<f32>(scales + g * 4);
    for (let i = 0; i < width; i++) {
      const code = search(load<f32>(values) / scale, thresholds, count);
      if (codes) {
        store<u8>(codes, <u8> code);
        codes++;
      }
      if (output) {
        store<f32>(output, scale * load<f32>(levels + <usize> code * 4));
        output += 4;
      }
      values += 4;
    }
  }
}

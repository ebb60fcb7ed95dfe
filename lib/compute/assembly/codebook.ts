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
@inline
function plane(levels: usize, plane: usize): v128 {
  for (let i: usize = 0; i < 16; i++) store<u8>(TAIL + 128 + i, load<u8>(levels + i * 4 + plane));
  return v128.load(TAIL + 128);
}

/** Minus the code of each of 4 values: a comparison gives -1 where it holds. */
@inline
function minusCode(
  x: v128,
  t0: v128, t1: v128, t2: v128, t3: v128, t4: v128,
  t5: v128, t6: v128, t7: v128, t8: v128, t9: v128,
  t10: v128, t11: v128, t12: v128, t13: v128, t14: v128,
): v128 {
  const s0 = i32x4.add(f32x4.gt(x, t0), f32x4.gt(x, t1));
  const s1 = i32x4.add(f32x4.gt(x, t2), f32x4.gt(x, t3));
  const s2 = i32x4.add(f32x4.gt(x, t4), f32x4.gt(x, t5));
  const s3 = i32x4.add(f32x4.gt(x, t6), f32x4.gt(x, t7));
  const s4 = i32x4.add(f32x4.gt(x, t8), f32x4.gt(x, t9));
  const s5 = i32x4.add(f32x4.gt(x, t10), f32x4.gt(x, t11));
  const s6 = i32x4.add(f32x4.gt(x, t12), f32x4.gt(x, t13));
  const low = i32x4.add(i32x4.add(s0, s1), i32x4.add(s2, s3));
  const high = i32x4.add(i32x4.add(s4, s5), i32x4.add(s6, f32x4.gt(x, t14)));
  return i32x4.add(low, high);
}

/**
 * Rounds `groups` runs of `width` values to scale levels[code]. `count` thresholds, `count` + 1 levels, both ascending; up to
 * 15 thresholds are padded with infinity to 15, the levels to 16.
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
  // The thresholds stay in variables: a load from memory has its address checked, every time.
  const t0 = v128.load32_splat(thresholds, 0);
  const t1 = v128.load32_splat(thresholds, 4);
  const t2 = v128.load32_splat(thresholds, 8);
  const t3 = v128.load32_splat(thresholds, 12);
  const t4 = v128.load32_splat(thresholds, 16);
  const t5 = v128.load32_splat(thresholds, 20);
  const t6 = v128.load32_splat(thresholds, 24);
  const t7 = v128.load32_splat(thresholds, 28);
  const t8 = v128.load32_splat(thresholds, 32);
  const t9 = v128.load32_splat(thresholds, 36);
  const t10 = v128.load32_splat(thresholds, 40);
  const t11 = v128.load32_splat(thresholds, 44);
  const t12 = v128.load32_splat(thresholds, 48);
  const t13 = v128.load32_splat(thresholds, 52);
  const t14 = v128.load32_splat(thresholds, 56);
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
      const c0 = minusCode(
        f32x4.div(v128.load(from), scale),
        t0, t1, t2, t3, t4, t5, t6, t7, t8, t9, t10, t11, t12, t13, t14,
      );
      const c1 = minusCode(
        f32x4.div(v128.load(from, 16), scale),
        t0, t1, t2, t3, t4, t5, t6, t7, t8, t9, t10, t11, t12, t13, t14,
      );
      const c2 = minusCode(
        f32x4.div(v128.load(from, 32), scale),
        t0, t1, t2, t3, t4, t5, t6, t7, t8, t9, t10, t11, t12, t13, t14,
      );
      const c3 = minusCode(
        f32x4.div(v128.load(from, 48), scale),
        t0, t1, t2, t3, t4, t5, t6, t7, t8, t9, t10, t11, t12, t13, t14,
      );
      const code = i8x16.neg(
        i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(c0, c1), i16x8.narrow_i32x4_s(c2, c3)),
      );
      if (codes) {
        if (left < 16) {
          v128.store(TAIL + 64, code);
          memory.copy(codes, TAIL + 64, used);
        } else v128.store(codes, code);
        codes += used;
      }
      if (output) {
        const b0 = i8x16.relaxed_swizzle(p0, code), b1 = i8x16.relaxed_swizzle(p1, code);
        const b2 = i8x16.relaxed_swizzle(p2, code), b3 = i8x16.relaxed_swizzle(p3, code);
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
@inline
function weaveLow(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}

/** Bytes 8 to 15 of a and b in turn. */
@inline
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

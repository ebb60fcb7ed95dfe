// Rounding to a table of levels: the code of x is how many thresholds lie below x, and so a tie
// goes to the lower level. Bits are exact, as in rtn.ts.
//
// Short tables, such as the 16 levels of NF4, go without a search. The range of the thresholds is
// cut into 32 cells of equal width; if no cell holds two thresholds, the code of x is the number of
// thresholds in lower cells, plus one if x is above the threshold in its own. The cell is computed
// with a rounding (even a relaxed one), but by operations that never decrease when x grows, and the
// thresholds' own cells by the same ones: so the code is exact all the same. Tables of bytes are
// looked up 16 at a time. Long tables have more cells, or, when their thresholds lie far apart in some
// places and close together in others, cells of all numbers with the same sign, exponent and first
// bits of the fraction.

import { BLOCK_A, TABLES, TAIL } from "./memory";
import { inSteps, loadCodes, loadTail, storeCodes } from "./rtn";

/** Cells of a short table: two registers of bytes. */
const CELLS: usize = 32;

/** In TABLES: thresholds in lower cells (a byte a cell), then the cells' own thresholds (f32). */
const BASE: usize = TABLES;
const OWN: usize = TABLES + CELLS;

/** How many of the `count` ascending thresholds lie below x. */
export function search(x: f32, thresholds: usize, count: i32): i32 {
  let low = 0;
  while (count > 0) {
    const half = (count + 1) >> 1;
    const above = load<f32>(thresholds + <usize>(low + half - 1) * 4) < x;
    low = above ? low + half : low;
    count = above ? count - half : half - 1;
  }
  return low;
}

/**
 * The cells of 4 values: up to 31, and below 0 for values below the first threshold, which a
 * saturating narrowing makes 0.
 */
@inline
function cells(x: v128, perUnit: v128, offset: v128): v128 {
  const cell = f32x4.relaxed_madd(x, perUnit, offset);
  return i32x4.relaxed_trunc_f32x4_s(f32x4.pmin(cell, f32x4.splat(31)));
}

/** Fills the tables of the cells. False if a cell would hold two thresholds. */
function fillCells(thresholds: usize, count: i32, perUnit: v128, offset: v128): bool {
  if (count > 15) return false;
  let cell: usize = 0;
  for (let i = 0; i < count; i++) {
    const threshold = v128.load32_splat(thresholds + <usize> i * 4);
    const own = <usize> max(0, i32x4.extract_lane(cells(threshold, perUnit, offset), 0));
    if (i && own < cell) return false;
    while (cell <= own) {
      store<u8>(BASE + cell, <u8> i);
      store<f32>(OWN + cell * 4, cell < own ? <f32> Infinity : f32x4.extract_lane(threshold, 0));
      cell++;
    }
  }
  while (cell < CELLS) {
    store<u8>(BASE + cell, <u8> count);
    store<f32>(OWN + cell * 4, <f32> Infinity);
    cell++;
  }
  return true;
}

/** Byte `which` of each of the 16 f32 at `from`. */
@inline
function plane(from: usize, which: usize): v128 {
  for (let i: usize = 0; i < 16; i++) store<u8>(TAIL + i, load<u8>(from + i * 4 + which));
  return v128.load(TAIL);
}

/**
 * Looks 16 bytes up in a table of 32: `low` has its top bit set where the index is 16 or more,
 * `high` where it is less.
 */
@inline
function lookUp(table0: v128, low: v128, table1: v128, high: v128): v128 {
  return v128.or(i8x16.relaxed_swizzle(table0, low), i8x16.relaxed_swizzle(table1, high));
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

/** Pairs of bytes 0 to 3 of a and b in turn. */
@inline
function pairLow(a: v128, b: v128): v128 {
  return i16x8.shuffle(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
}

/** Pairs of bytes 4 to 7 of a and b in turn. */
@inline
function pairHigh(a: v128, b: v128): v128 {
  return i16x8.shuffle(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
}

/**
 * The codes of `groups` runs of `width` values: what `names` (bytes) has for the number of thresholds
 * below a value in steps of its group. `count` thresholds, ascending; `names` has room for 16 even
 * where there are fewer. `factors` (two f32 a group, see rtn.ts) may be 0: values are divided by the
 * scale.
 */
export function roundLevels(
  values: usize,
  groups: i32,
  width: i32,
  scales: usize,
  factors: usize,
  thresholds: usize,
  count: i32,
  names: usize,
  codes: usize,
): void {
  const first = load<f32>(thresholds), last = load<f32>(thresholds + <usize>(count - 1) * 4);
  const density: f32 = count > 1 ? 31 / (last - first) : 0;
  const perUnit = f32x4.splat(density), offset = f32x4.splat(density * -first);
  if (!fillCells(thresholds, count, perUnit, offset)) {
    roundLong(values, groups, width, scales, factors, thresholds, count, names, codes);
    return;
  }
  const base0 = v128.load(BASE), base1 = v128.load(BASE, 16), name = v128.load(names);
  const own00 = plane(OWN, 0), own01 = plane(OWN + 64, 0);
  const own10 = plane(OWN, 1), own11 = plane(OWN + 64, 1);
  const own20 = plane(OWN, 2), own21 = plane(OWN + 64, 2);
  const own30 = plane(OWN, 3), own31 = plane(OWN + 64, 3);
  for (let g: usize = 0; g < <usize> groups; g++) {
    const scale = v128.load32_splat(scales + g * 4);
    const lift = v128.load32_splat(factors + g * 8), factor = v128.load32_splat(factors + g * 8, 4);
    for (let left = width; left > 0; left -= 16) {
      const used = <usize> min(left, 16), from = loadTail(values, used);
      const x0 = inSteps(v128.load(from), scale, factors, lift, factor);
      const x1 = inSteps(v128.load(from, 16), scale, factors, lift, factor);
      const x2 = inSteps(v128.load(from, 32), scale, factors, lift, factor);
      const x3 = inSteps(v128.load(from, 48), scale, factors, lift, factor);
      const cell = i8x16.narrow_i16x8_u(
        i16x8.narrow_i32x4_s(cells(x0, perUnit, offset), cells(x1, perUnit, offset)),
        i16x8.narrow_i32x4_s(cells(x2, perUnit, offset), cells(x3, perUnit, offset)),
      );
      const low = v128.or(cell, i8x16.gt_s(cell, i8x16.splat(15)));
      const high = i8x16.sub(cell, i8x16.splat(16));
      // The 4 bytes of each threshold, woven together again.
      const b0 = lookUp(own00, low, own01, high), b1 = lookUp(own10, low, own11, high);
      const b2 = lookUp(own20, low, own21, high), b3 = lookUp(own30, low, own31, high);
      const t0 = weaveLow(b0, b1), t1 = weaveHigh(b0, b1);
      const t2 = weaveLow(b2, b3), t3 = weaveHigh(b2, b3);
      const above = i8x16.narrow_i16x8_s(
        i16x8.narrow_i32x4_s(f32x4.gt(x0, pairLow(t0, t2)), f32x4.gt(x1, pairHigh(t0, t2))),
        i16x8.narrow_i32x4_s(f32x4.gt(x2, pairLow(t1, t3)), f32x4.gt(x3, pairHigh(t1, t3))),
      );
      const level = i8x16.sub(lookUp(base0, low, base1, high), above);
      storeCodes(codes, i8x16.relaxed_swizzle(name, level), used);
      codes += used;
      values += used * 4;
    }
  }
}

/** Cells of a long table at most, and where they lie: as BASE and OWN. */
const LONG: i32 = 65536;
const LONG_BASE: usize = BLOCK_A;
const LONG_OWN: usize = BLOCK_A + <usize> LONG;

/** Cells of equal width that a long table has, if that many part its thresholds. */
const EVEN: i32 = 2048;

/** f32 as whole numbers in the same order; -0 comes just before 0. */
@inline
function ordered(x: v128): v128 {
  return v128.xor(x, i32x4.shr_u(i32x4.shr_s(x, 31), 1));
}

/**
 * The cells of 4 values in a long table, not yet held between the first and the last: of equal width
 * where `shift` is 0, and else all numbers that share their bits but the last `shift`.
 */
@inline
function longCells(x: v128, shift: i32, perUnit: v128, offset: v128): v128 {
  if (shift) return i32x4.shr_s(ordered(x), shift);
  const cell = f32x4.relaxed_madd(x, perUnit, offset);
  const least = f32x4.splat(0), most = f32x4.splat(<f32> EVEN);
  return i32x4.relaxed_trunc_f32x4_s(f32x4.pmin(f32x4.pmax(cell, least), most));
}

/** The cell of a threshold. -0 counts as 0. */
function cellOf(thresholds: usize, i: i32, shift: i32, perUnit: v128, offset: v128): i32 {
  const threshold = f32x4.splat(load<f32>(thresholds + <usize> i * 4) + 0);
  return i32x4.extract_lane(longCells(threshold, shift, perUnit, offset), 0);
}

/**
 * Fills the tables of a long table's cells. False if a cell would hold two thresholds, or if there
 * are too many.
 */
function fillLong(thresholds: usize, count: i32, shift: i32, perUnit: v128, offset: v128): bool {
  const first = cellOf(thresholds, 0, shift, perUnit, offset);
  let cell = first;
  for (let i = 0; i < count; i++) {
    const own = cellOf(thresholds, i, shift, perUnit, offset);
    if (own < cell || own - first >= LONG) return false;
    while (cell <= own) {
      const at = <usize>(cell - first), threshold = load<f32>(thresholds + <usize> i * 4);
      store<u8>(LONG_BASE + at, <u8> i);
      store<f32>(LONG_OWN + at * 4, cell < own ? <f32> Infinity : threshold);
      cell++;
    }
  }
  return true;
}

/** The code of a value in a cell of a long table. */
@inline
function longCode(x: f32, cell: usize, names: usize): u32 {
  const level = load<u8>(LONG_BASE + cell) + u32(x > load<f32>(LONG_OWN + cell * 4));
  return load<u8>(names + <usize> level);
}

/** roundLevels for any table of up to 256 levels. */
function roundLong(
  values: usize,
  groups: i32,
  width: i32,
  scales: usize,
  factors: usize,
  thresholds: usize,
  count: i32,
  names: usize,
  codes: usize,
): void {
  const low = load<f32>(thresholds), high = load<f32>(thresholds + <usize>(count - 1) * 4);
  const density: f32 = <f32>(EVEN - 1) / (high - low);
  const perUnit = f32x4.splat(density), offset = f32x4.splat(density * -low);
  // As few cells as will do.
  let shift = 0, parted = fillLong(thresholds, count, 0, perUnit, offset);
  for (let bits = 23; !parted && bits > 0; bits--) {
    parted = fillLong(thresholds, count, bits, perUnit, offset);
    shift = bits;
  }
  const first = cellOf(thresholds, 0, shift, perUnit, offset);
  const last = cellOf(thresholds, count - 1, shift, perUnit, offset);
  const least = i32x4.splat(first), most = i32x4.splat(last);
  for (let g: usize = 0; g < <usize> groups; g++) {
    const scale = v128.load32_splat(scales + g * 4);
    const lift = v128.load32_splat(factors + g * 8), factor = v128.load32_splat(factors + g * 8, 4);
    for (let left = width; left > 0; left -= 4) {
      const used = <usize> min(left, 4);
      const x = inSteps(v128.load(loadTail(values, used, 4)), scale, factors, lift, factor);
      if (parted) {
        const held = i32x4.min_s(i32x4.max_s(longCells(x, shift, perUnit, offset), least), most);
        const cell = i32x4.sub(held, least);
        const c0 = longCode(f32x4.extract_lane(x, 0), i32x4.extract_lane(cell, 0), names);
        const c1 = longCode(f32x4.extract_lane(x, 1), i32x4.extract_lane(cell, 1), names);
        const c2 = longCode(f32x4.extract_lane(x, 2), i32x4.extract_lane(cell, 2), names);
        const c3 = longCode(f32x4.extract_lane(x, 3), i32x4.extract_lane(cell, 3), names);
        store<u32>(TAIL, c0 | (c1 << 8) | (c2 << 16) | (c3 << 24));
      } else {
        v128.store(TAIL + 16, x);
        for (let i: usize = 0; i < 4; i++) {
          const level = <usize> search(load<f32>(TAIL + 16 + i * 4), thresholds, count);
          store<u8>(TAIL + i, load<u8>(names + level));
        }
      }
      if (used == 4) store<u32>(codes, load<u32>(TAIL));
      else memory.copy(codes, TAIL, used);
      codes += used;
      values += used * 4;
    }
  }
}

/**
 * The values of codes: scale times what `levels` (f32, one a code, at least 16) has for the code.
 * `count` codes.
 */
export function decodeLevels(
  codes: usize,
  groups: i32,
  width: i32,
  scales: usize,
  levels: usize,
  count: i32,
  output: usize,
): void {
  const level0 = plane(levels, 0), level1 = plane(levels, 1);
  const level2 = plane(levels, 2), level3 = plane(levels, 3);
  for (let g: usize = 0; g < <usize> groups; g++) {
    const scale = v128.load32_splat(scales + g * 4);
    for (let left = width; left > 0; left -= 16) {
      const used = <usize> min(left, 16), to = left < 16 ? TAIL : output;
      if (count > 16) {
        for (let i: usize = 0; i < used; i++) {
          const level = load<f32>(levels + <usize> load<u8>(codes + i) * 4);
          store<f32>(output + i * 4, f32x4.extract_lane(scale, 0) * level);
        }
      } else {
        const code = loadCodes(codes, used);
        const v0 = i8x16.relaxed_swizzle(level0, code), v1 = i8x16.relaxed_swizzle(level1, code);
        const v2 = i8x16.relaxed_swizzle(level2, code), v3 = i8x16.relaxed_swizzle(level3, code);
        const w0 = weaveLow(v0, v1), w1 = weaveHigh(v0, v1);
        const w2 = weaveLow(v2, v3), w3 = weaveHigh(v2, v3);
        v128.store(to, f32x4.mul(scale, pairLow(w0, w2)));
        v128.store(to, f32x4.mul(scale, pairHigh(w0, w2)), 16);
        v128.store(to, f32x4.mul(scale, pairLow(w1, w3)), 32);
        v128.store(to, f32x4.mul(scale, pairHigh(w1, w3)), 48);
        if (left < 16) memory.copy(output, TAIL, used * 4);
      }
      codes += used;
      output += used * 4;
    }
  }
}

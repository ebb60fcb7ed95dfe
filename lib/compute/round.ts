import { requireSizes, requireValues } from "./check.ts";
import type { Machine } from "./machine.ts";
import type { Arena } from "./memory.ts";
import type { DecodeOptions, Grid, RangesOptions, RoundOptions } from "./types.ts";

/** Values worked on at a time: with codes and results 576 KiB, which a second-level cache holds. */
const chunk = 65536;

/** A grid in the kernel's memory. Addresses are 0 where a uniform grid has nothing. */
export interface LocalGrid {
  readonly maxq: number;
  /** f32 [256]: the level of each code. */
  readonly levels: number;
  readonly thresholds: number;
  /** How many thresholds. */
  readonly count: number;
  /** u8 [256]: the code of each level. */
  readonly names: number;
  /** The largest code. */
  readonly largest: number;
}

/** Checks a grid and copies its tables into the kernel's memory. */
export function localGrid(arena: Arena, task: string, grid: Grid): LocalGrid {
  if ("maxq" in grid) {
    const { maxq } = grid;
    if (!(Number.isInteger(maxq) && maxq >= 1 && maxq <= 255)) {
      throw new RangeError(`${task}: maxq must be a whole number from 1 to 255: got ${maxq}`);
    }
    return { maxq, levels: 0, thresholds: 0, count: 0, names: 0, largest: maxq };
  }
  const { levels, thresholds, codes = levels.map((_, i) => i) } = grid;
  const count = levels.length - 1;
  if (!(count >= 1 && count <= 255 && thresholds.length === count)) {
    throw new RangeError(
      `${task}: give 2 to 256 levels and one threshold between each two: ` +
        `got ${levels.length} levels and ${thresholds.length} thresholds`,
    );
  }
  for (const [name, table] of Object.entries({ levels, thresholds })) {
    const at = table.findIndex((value, i) => !(i === 0 || value > (table[i - 1] ?? NaN)));
    if (at >= 0) {
      throw new RangeError(
        `${task}: ${name} must ascend: got ${table[at - 1]} before ${table[at]} at index ${at}`,
      );
    }
  }
  requireValues(task, "the grid's codes", codes, levels.length);
  const [local, bounds, names] = [arena.float32(256), arena.float32(count), arena.uint8(256)];
  bounds.set(thresholds);
  levels.forEach((level, i) => {
    names[i] = codes[i]!;
    local[names[i]!] = level;
  });
  return {
    maxq: 0,
    levels: local.byteOffset,
    thresholds: bounds.byteOffset,
    count,
    names: names.byteOffset,
    largest: names.reduce((most, code) => Math.max(most, code)),
  };
}

/** How many groups of `width` values there are. */
function countGroups(task: string, values: Float32Array | Uint8Array, width: number): number {
  requireSizes(task, { width }, 1);
  if (values.length % width !== 0) {
    throw new RangeError(
      `${task}: the number of values must be a multiple of the width ${width}: got ${values.length}`,
    );
  }
  return values.length / width;
}

/** Consecutive groups that fit a chunk, or a part of one group that is larger than a chunk. */
interface Segment {
  /** The first group, and how many. */
  group: number;
  groups: number;
  /** Index of the first value, and values of each group in this segment. */
  start: number;
  width: number;
}

function* segments(groups: number, width: number): Generator<Segment> {
  if (width <= chunk) {
    const per = Math.floor(chunk / width);
    for (let group = 0; group < groups; group += per) {
      yield { group, groups: Math.min(per, groups - group), start: group * width, width };
    }
    return;
  }
  for (let group = 0; group < groups; group++) {
    for (let at = 0; at < width; at += chunk) {
      yield { group, groups: 1, start: group * width + at, width: Math.min(chunk, width - at) };
    }
  }
}

/** The smallest and the largest value of each group. */
export function ranges(machine: Machine, options: RangesOptions): void {
  const { arena, wasm } = machine;
  const { values, width, minimum, maximum } = options;
  const task = "Cannot find the ranges of groups";
  const groups = countGroups(task, values, width);
  requireValues(task, "minimum", minimum, groups);
  requireValues(task, "maximum", maximum, groups);
  const most = Math.min(groups, Math.max(1, Math.floor(chunk / width)));
  arena.scope(() => {
    const [low, high] = [arena.float32(most), arena.float32(most)];
    for (const segment of segments(groups, width)) {
      const first = segment.start === segment.group * width;
      arena.scope(() => {
        const local = arena.bring(part(values, segment));
        const addresses = [low.byteOffset, high.byteOffset] as const;
        wasm.ranges(local.byteOffset, segment.groups, segment.width, ...addresses);
      });
      const { group, groups: count } = segment;
      if (first) {
        minimum.set(low.subarray(0, count), group);
        maximum.set(high.subarray(0, count), group);
      } else {
        minimum[group] = Math.min(minimum[group] ?? NaN, low[0] ?? NaN);
        maximum[group] = Math.max(maximum[group] ?? NaN, high[0] ?? NaN);
      }
    }
  });
}

/**
 * Round-to-nearest of groups, a chunk at a time: its grids, codes and values are made while it is
 * in the cache.
 */
export function round(machine: Machine, options: RoundOptions): void {
  const { arena, wasm } = machine;
  const { values, width, scale, zero, find, multiplier, codes, output } = options;
  const task = "Cannot round groups";
  const groups = countGroups(task, values, width);
  requireValues(task, "scale", scale, groups);
  if (zero) requireValues(task, "zero", zero, groups);
  if (codes) requireValues(task, "codes", codes, values.length);
  if (output) requireValues(task, "output", output, values.length);
  const most = Math.min(groups, Math.max(1, Math.floor(chunk / width)));
  arena.scope(() => {
    const grid = localGrid(arena, task, options.grid);
    const [scales, zeros] = [arena.float32(most), arena.float32(most)];
    const factors = multiplier && arena.float32(2 * most);
    for (const segment of segments(groups, width)) {
      const { group, groups: count, start } = segment;
      const [localScale, localZero] = [scales.subarray(0, count), zeros.subarray(0, count)];
      arena.scope(() => {
        const local = arena.bring(part(values, segment));
        if (!find) {
          localScale.set(scale.subarray(group, group + count));
          if (zero) localZero.set(zero.subarray(group, group + count));
        } else if (start === group * width) {
          const whole = segment.width === width ? local : values.subarray(start, start + width);
          localZero.fill(0);
          find(whole, width, localScale, localZero);
          scale.set(localScale, group);
          zero?.set(localZero, group);
        }
        if (factors) splitFactors(factors, localScale, multiplier);
        const here = codes ? target(arena, codes, segment) : arena.uint8(local.length);
        const at = [local.byteOffset, count, segment.width, scales.byteOffset] as const;
        const f = factors?.byteOffset ?? 0;
        const { maxq, levels, thresholds, names } = grid;
        if (!levels) wasm.roundUniform(...at, f, zeros.byteOffset, maxq, here.byteOffset);
        else wasm.roundLevels(...at, f, thresholds, grid.count, names, here.byteOffset);
        if (codes) hand(codes, here, segment);
        if (output) {
          const grids = { grid, scales: scales.byteOffset, zeros: zeros.byteOffset, unit: 1 };
          decodeSegment(machine, segment, here, grids, output);
        }
      });
    }
  });
}

/** Multipliers, each in two parts of float32: a power of two, and the rest. */
function splitFactors(
  factors: Float32Array,
  scale: Float32Array,
  multiplier: (scale: number) => number,
): void {
  for (let i = 0; i < scale.length; i++) {
    const whole = multiplier(scale[i]!);
    const lift = Math.fround(whole) < Infinity ? 1 : 2 ** 64;
    factors[2 * i] = lift;
    factors[2 * i + 1] = whole / lift;
  }
}

/** The values of codes, a chunk at a time. */
export function decode(machine: Machine, options: DecodeOptions): void {
  const { arena } = machine;
  const { codes, width, scale, zero, unit = 1, output } = options;
  const task = "Cannot decode groups";
  const groups = countGroups(task, codes, width);
  requireValues(task, "scale", scale, groups);
  if (zero) requireValues(task, "zero", zero, groups);
  requireValues(task, "output", output, codes.length);
  arena.scope(() => {
    const grid = localGrid(arena, task, options.grid);
    const scales = arena.bring(scale).byteOffset;
    const zeros = (zero ? arena.bring(zero) : arena.float32(groups)).byteOffset;
    for (const segment of segments(groups, width)) {
      const at = 4 * segment.group;
      arena.scope(() => {
        const here = arena.bring(part(codes, segment));
        const grids = { grid, scales: scales + at, zeros: zeros + at, unit };
        decodeSegment(machine, segment, here, grids, output);
      });
    }
  });
}

/** The grids of a segment's groups, in the kernel's memory. */
interface SegmentGrids {
  readonly grid: LocalGrid;
  readonly scales: number;
  readonly zeros: number;
  readonly unit: number;
}

/** The values of one segment's codes, which lie in the kernel's memory. */
function decodeSegment(
  { arena, wasm }: Machine,
  segment: Segment,
  codes: Uint8Array,
  { grid, scales, zeros, unit }: SegmentGrids,
  output: Float32Array,
): void {
  const here = target(arena, output, segment);
  const at = [codes.byteOffset, segment.groups, segment.width, scales] as const;
  if (!grid.levels) wasm.decodeUniform(...at, zeros, unit, here.byteOffset);
  else wasm.decodeLevels(...at, grid.levels, grid.largest + 1, here.byteOffset);
  hand(output, here, segment);
}

/** Where a segment's results go: in place, or in the kernel's memory to be handed over. */
function target<A extends Float32Array | Uint8Array>(arena: Arena, array: A, segment: Segment): A {
  const wanted = part(array, segment);
  return arena.holds(wanted) ? wanted : arena.like(wanted);
}

/** Hands a segment's results over, unless they are in place. */
function hand<A extends Float32Array | Uint8Array>(array: A, results: A, segment: Segment): void {
  if (array.buffer !== results.buffer) array.set(results, segment.start);
}

/** The values of a segment. */
function part<A extends Float32Array | Uint8Array>(array: A, segment: Segment): A {
  const { start, groups, width } = segment;
  return array.subarray(start, start + groups * width) as A;
}

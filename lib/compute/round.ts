import { requireSizes, requireValues } from "./check.ts";
import type { Machine } from "./machine.ts";
import type { Arena } from "./memory.ts";
import type { Grid, RangesOptions, RoundOptions } from "./types.ts";

/** Values worked on at a time: with codes and results 576 KiB, which a second-level cache holds. */
const chunk = 65536;

/** A grid in the kernel's memory. Addresses are 0 where a uniform grid has nothing. */
export interface LocalGrid {
  readonly maxq: number;
  readonly levels: number;
  readonly thresholds: number;
  /** How many thresholds. */
  readonly count: number;
}

/** Checks a grid and copies its tables into the kernel's memory, with room for 16 levels. */
export function localGrid(arena: Arena, task: string, grid: Grid): LocalGrid {
  if ("maxq" in grid) {
    const { maxq } = grid;
    if (!(Number.isInteger(maxq) && maxq >= 1 && maxq <= 255)) {
      throw new RangeError(`${task}: maxq must be a whole number from 1 to 255: got ${maxq}`);
    }
    return { maxq, levels: 0, thresholds: 0, count: 0 };
  }
  const { levels, thresholds } = grid;
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
  const local = arena.float32(Math.max(16, levels.length));
  local.set(levels);
  const bounds = arena.float32(count);
  bounds.set(thresholds);
  return { maxq: 0, levels: local.byteOffset, thresholds: bounds.byteOffset, count };
}

/** How many groups of `width` values there are. */
function countGroups(task: string, values: Float32Array, width: number): number {
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
  const { arena } = machine;
  const { values, width, scale, zero, find, codes, output } = options;
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
        const at = [local.byteOffset, scales.byteOffset, zeros.byteOffset] as const;
        roundSegment(machine, grid, segment, at, codes, output);
      });
    }
  });
}

/** Rounds one segment whose values, scales and zero points lie at the given addresses. */
function roundSegment(
  { arena, wasm }: Machine,
  { maxq, levels, thresholds, count }: LocalGrid,
  segment: Segment,
  [values, scales, zeros]: readonly [number, number, number],
  codes: Uint8Array | undefined,
  output: Float32Array | undefined,
): void {
  const { groups, width, start } = segment;
  const [codesHere, outputHere] = [codes, output].map((array) => {
    const wanted = array && part(array, segment);
    return wanted && !arena.holds(wanted) ? arena.like(wanted) : wanted;
  });
  const [c, o] = [codesHere?.byteOffset ?? 0, outputHere?.byteOffset ?? 0];
  if (levels) wasm.roundLevels(values, groups, width, scales, levels, thresholds, count, c, o);
  else wasm.roundUniform(values, groups, width, scales, zeros, maxq, c, o);
  if (codes && codesHere && !arena.holds(codes)) codes.set(codesHere, start);
  if (output && outputHere && !arena.holds(output)) output.set(outputHere, start);
}

/** The values of a segment. */
function part<A extends Float32Array | Uint8Array>(array: A, segment: Segment): A {
  const { start, groups, width } = segment;
  return array.subarray(start, start + groups * width) as A;
}

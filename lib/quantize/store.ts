/** From codes and scales on a grid to what is stored of them, and the weights that come back. */
import { columnsOf } from "./columns.ts";
import type { Grid } from "./grid.ts";
import type { Encoded, Matrix } from "./method.ts";

/** What a method found for weights whose columns are a whole number of groups. */
export interface GridCodes {
  readonly rows: number;
  readonly columns: number;
  /** Whole-number codes, or indices of levels, [rows, columns]. */
  readonly indices: Uint8Array;
  /** [rows, groups of a row]. */
  readonly scales: Float32Array;
  readonly zeros: Float32Array;
  /** The group of each column, when groups are not consecutive columns. */
  readonly groupOf?: Int32Array;
}

/**
 * Stores the scales, and decodes the weights as the stored scales give them back. width: columns
 * to keep, when the rest only filled up the last group.
 */
export function storeGrid(found: GridCodes, grid: Grid, width = found.columns): Encoded {
  const { rows, columns } = found;
  const stored = grid.store(found.scales, found.zeros);
  const { codeOfLevel } = grid;
  const codes = codeOfLevel ? found.indices.map((index) => codeOfLevel[index]!) : found.indices;
  const cut = <T extends Float32Array | Uint8Array>(data: T) =>
    columnsOf({ rows, columns, data }, { width }).data;
  const kept = cut(codes);
  return {
    weights: cut(decodeGrid({ ...found, ...stored }, grid)),
    codes: kept,
    scales: stored.scales,
    zeroPoints: stored.zeroPoints,
    storage: [{ name: "codes", values: kept, bits: grid.bits }, ...stored.parts],
    report: {},
  };
}

/** The values of codes [rows, columns], one scale and zero point for each group of a row. */
function decodeGrid(
  { rows, columns, indices, scales, zeroPoints, groupOf }: GridCodes & {
    readonly zeroPoints?: Float32Array;
  },
  { steps, group }: Grid,
): Float32Array {
  const perRow = scales.length / rows;
  const levels = "levels" in steps
    ? steps.levels
    : Float32Array.from({ length: steps.maxq + 1 }, (_, code) => code);
  const values = new Float32Array(indices.length);
  const table = new Float32Array(levels.length);
  // Runs of columns that share a scale.
  const width = groupOf ? 1 : group;
  for (let row = 0; row < rows; row++) {
    for (let from = 0; from < columns; from += width) {
      const at = row * perRow + (groupOf ? groupOf[from]! : from / width);
      const scale = scales[at]!;
      const zero = zeroPoints ? zeroPoints[at]! : 0;
      const start = row * columns + from;
      if (width < levels.length) {
        for (let i = start; i < start + width; i++) {
          values[i] = scale * (levels[indices[i]!]! - zero);
        }
      } else {
        for (let i = 0; i < levels.length; i++) table[i] = scale * (levels[i]! - zero);
        for (let i = start; i < start + width; i++) values[i] = table[indices[i]!]!;
      }
    }
  }
  return values;
}

/** Groups in a row. Throws when groups do not divide the columns and must. */
export function groupsPerRow(columns: number, grid: Grid): number {
  if (!grid.ragged) checkGroup(columns, grid.group);
  return Math.ceil(columns / grid.group);
}

/** Throws unless the group divides the columns. */
export function checkGroup(columns: number, group: number): void {
  if (columns % group !== 0) {
    throw new Error(
      `Cannot use groups of ${group}: needs a divisor of the ${columns} columns, or group=row`,
    );
  }
}

/** A layer at 16 bits: the weights as they are. */
export function keepWeights(weights: Matrix): Encoded {
  return {
    weights: weights.data.slice(),
    codes: new Uint8Array(0),
    scales: new Float32Array(0),
    storage: [{ name: "weights", values: weights.data, bits: 16 }],
    report: {},
  };
}

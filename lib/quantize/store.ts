/** From codes and scales on a grid to what is stored of them, and the weights that come back. */
import { columnsOf, permuteColumns } from "./columns.ts";
import type { Grid } from "./grid.ts";
import { kernel } from "./kernel.ts";
import type { Encoded, Matrix } from "./method.ts";

/** What a method found for weights whose columns are a whole number of groups. */
export interface GridCodes {
  readonly rows: number;
  readonly columns: number;
  /** [rows, columns], each group in consecutive columns. */
  readonly codes: Uint8Array;
  /** [rows, groups of a row]. */
  readonly scales: Float32Array;
  readonly zeros: Float32Array;
  /** Where each column of the weights is among those of the codes, when they were moved. */
  readonly places?: Int32Array;
}

/**
 * Stores the scales, and decodes the weights as the stored scales give them back. width: columns
 * to keep, when the rest only filled up the last group.
 */
export function storeGrid(found: GridCodes, grid: Grid, width = found.columns): Encoded {
  const { rows, columns, codes, places } = found;
  const { scales, zeroPoints, parts } = grid.store(found.scales, found.zeros);
  const weights = new Float32Array(codes.length);
  const shape = { width: grid.group, grid: grid.steps, scale: scales, zero: zeroPoints };
  kernel().decode({ codes, ...shape, output: weights });
  const inPlace = <T extends Float32Array | Uint8Array>(data: T) => {
    const moved = { rows, columns, data };
    return columnsOf(places ? permuteColumns(moved, places) : moved, { width }).data;
  };
  const kept = inPlace(codes);
  return {
    weights: inPlace(weights),
    codes: kept,
    scales,
    zeroPoints,
    storage: [{ name: "codes", values: kept, bits: grid.bits }, ...parts],
    report: {},
  };
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

/** Round to nearest: each weight goes to the closest value of its group's grid. */
import { decode, encode, type Grid, integerGrid } from "./grid.ts";
import { integerOptions } from "./integer_options.ts";
import { defineMethod, type Encoded, type Matrix } from "./method.ts";

/**
 * Rounds every weight to the nearest value of a grid, group by group along the rows.
 * weights: [rows, columns]. Scales come back as [rows, groups of a row], row-major.
 */
export function roundToGrid(weights: Matrix, grid: Grid): Encoded {
  const { rows, columns, data } = weights;
  const perRow = groupsPerRow(columns, grid);
  const indices = new Uint8Array(data.length);
  const scales = new Float32Array(rows * perRow);
  const zeros = new Float32Array(rows * perRow);
  for (let row = 0; row < rows; row++) {
    for (let index = 0; index < perRow; index++) {
      const group = row * perRow + index;
      const start = row * columns + index * grid.group;
      const end = Math.min(start + grid.group, (row + 1) * columns);
      const scale = scales.subarray(group, group + 1);
      const zero = zeros.subarray(group, group + 1);
      grid.find(data.subarray(start, end), end - start, scale, zero);
      const shared = { scale: scale[0]!, zero: zero[0]! };
      for (let i = start; i < end; i++) indices[i] = encode(grid.steps, data[i]!, shared);
    }
  }
  return storeGrid({ rows, columns, indices, scales, zeros }, grid);
}

/** Level indices [rows, columns] and the scales [rows, groups] they were found with. */
export interface GridCodes {
  readonly rows: number;
  readonly columns: number;
  readonly indices: Uint8Array;
  readonly scales: Float32Array;
  readonly zeros: Float32Array;
  /** The group of each column; consecutive groups unless given. */
  readonly groupOf?: Uint32Array;
}

/** Stores the scales, and decodes the weights as the stored scales give them back. */
export function storeGrid(found: GridCodes, grid: Grid): Encoded {
  const { rows, columns, indices, groupOf } = found;
  const { scales, zeroPoints, parts } = grid.store(found.scales, found.zeros);
  const perRow = Math.ceil(columns / grid.group);
  const weights = new Float32Array(indices.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const i = row * columns + column;
      const group = row * perRow + (groupOf?.[column] ?? Math.floor(column / grid.group));
      const shared = { scale: scales[group]!, zero: zeroPoints?.[group] ?? 0 };
      weights[i] = decode(grid.steps, indices[i]!, shared);
    }
  }
  const { codeOfLevel } = grid;
  const codes = codeOfLevel ? indices.map((index) => codeOfLevel[index]!) : indices;
  return {
    weights,
    codes,
    scales,
    zeroPoints,
    storage: [{ name: "codes", values: codes, bits: grid.bits }, ...parts],
    report: {},
  };
}

/** Groups in a row; throws when groups do not divide the columns and must. */
export function groupsPerRow(columns: number, grid: Grid): number {
  if (!grid.ragged && columns % grid.group !== 0) {
    throw new Error(
      `Cannot use groups of ${grid.group}: needs a divisor of the ${columns} columns, or group=row`,
    );
  }
  return Math.ceil(columns / grid.group);
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

/** Round to nearest on the integer grid. */
export const rtn = defineMethod({
  name: "rtn",
  title: "Round to nearest",
  source: "arXiv 2210.17323 (its baseline), IST-DASLab/gptq quant.py",
  needs: "nothing",
  options: {
    ...integerOptions,
    group: { ...integerOptions.group, words: ["row", "tensor"] },
  },
  presets: { paper: { symmetric: true, group: 128 } },
  run(weights, { bits, group, symmetric, scales }) {
    if (bits === 16) return keepWeights(weights);
    const { columns, data } = weights;
    if (group === "tensor") {
      const grid = integerGrid({ bits, group: data.length, symmetric, scales });
      return roundToGrid({ rows: 1, columns: data.length, data }, grid);
    }
    const width = group === "row" ? columns : group;
    return roundToGrid(weights, integerGrid({ bits, group: width, symmetric, scales }));
  },
});

/** Round to nearest: each weight goes to the closest value of its group's grid. */
import { type Grid, integerGrid } from "./grid.ts";
import { defineMethod, type Encoded, type Matrix, type Report } from "./method.ts";

/**
 * Rounds every weight to the nearest value of a grid, group by group along the rows.
 * weights: [rows, columns]. Scales come back as [rows, groups of a row], row-major.
 */
export function roundToGrid(weights: Matrix, grid: Grid, report: Report = {}): Encoded {
  const { rows, columns, data } = weights;
  const group = checkGroup(columns, grid);
  const perRow = Math.ceil(columns / group);
  const codes = new Uint8Array(data.length);
  const scales = new Float32Array(rows * perRow);
  const zeros = new Float32Array(rows * perRow);
  for (let row = 0; row < rows; row++) {
    for (let index = 0; index < perRow; index++) {
      const start = row * columns + index * group;
      const end = Math.min(start + group, (row + 1) * columns);
      const { scale, zero } = grid.fit(data.subarray(start, end));
      scales[row * perRow + index] = scale;
      zeros[row * perRow + index] = zero;
      for (let i = start; i < end; i++) codes[i] = grid.encode(data[i]!, scale, zero);
    }
  }
  const stored = grid.store(scales, zeros);
  return {
    weights: decodeGrid({ rows, columns, codes }, grid, stored),
    codes,
    scales: stored.scales,
    zeroPoints: stored.zeroPoints,
    storage: [{ name: "codes", values: codes, bits: grid.bits }, ...stored.parts],
    report,
  };
}

/** The values of codes [rows, columns] on a grid, with one scale for each group of a row. */
export function decodeGrid(
  coded: { rows: number; columns: number; codes: Uint8Array },
  grid: Grid,
  stored: { scales: Float32Array; zeroPoints?: Float32Array },
): Float32Array {
  const { rows, columns, codes } = coded;
  const perRow = Math.ceil(columns / grid.group);
  const values = new Float32Array(codes.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const index = row * perRow + Math.floor(column / grid.group);
      const i = row * columns + column;
      values[i] = grid.decode(codes[i]!, stored.scales[index]!, stored.zeroPoints?.[index] ?? 0);
    }
  }
  return values;
}

/** The grid's group size; throws when it does not divide the columns and must. */
export function checkGroup(columns: number, grid: Grid): number {
  if (!grid.ragged && columns % grid.group !== 0) {
    throw new Error(
      `Cannot quantize groups of ${grid.group}: needs a divisor of the ${columns} columns`,
    );
  }
  return grid.group;
}

/** A layer that 16 bits leave as it is. */
export function keepWeights(weights: Matrix): Encoded {
  return {
    weights: weights.data.slice(),
    codes: new Uint8Array(0),
    scales: new Float32Array(0),
    storage: [{ name: "weights", values: weights.data, bits: 16 }],
    report: { kept: true },
  };
}

/** Round to nearest on the integer grid. */
export const rtn = defineMethod({
  name: "rtn",
  title: "Round to nearest",
  source: "IST-DASLab/gptq quant.py (the baseline of arXiv 2210.17323)",
  needs: "nothing",
  options: {
    bits: {
      kind: "integer",
      default: 4,
      minimum: 1,
      maximum: 8,
      also: [16],
      meaning: "bits of a code; 16 keeps the weights as they are",
    },
    group: {
      kind: "integer",
      default: 128,
      minimum: 1,
      maximum: Number.MAX_SAFE_INTEGER,
      words: ["row", "tensor"],
      meaning: "weights of a row that share a scale, or one scale a row or a tensor",
    },
    symmetric: {
      kind: "flag",
      default: true,
      meaning: "one range on both sides of zero; otherwise from the least to the greatest weight",
    },
    scales: {
      kind: "choice",
      default: "f16",
      allowed: ["f16", "f32"],
      meaning: "how a scale is kept; codes are always found with the float32 scale",
    },
  },
  presets: {},
  run(weights, { bits, group, symmetric, scales }) {
    if (bits === 16) return keepWeights(weights);
    const length = weights.data.length;
    if (group === "tensor") {
      const flat = { rows: 1, columns: length, data: weights.data };
      return roundToGrid(flat, integerGrid({ bits, group: length, symmetric, scales }));
    }
    const size = group === "row" ? weights.columns : group;
    return roundToGrid(weights, integerGrid({ bits, group: size, symmetric, scales }));
  },
});

/** Round to nearest: each weight goes to the closest value of its group's grid. */
import { columnsOf } from "./columns.ts";
import { type Grid, integerGrid } from "./grid.ts";
import { integerOptions } from "./integer_options.ts";
import { kernel } from "./kernel.ts";
import { defineMethod, type Encoded, type Matrix } from "./method.ts";
import { groupsPerRow, keepWeights, storeGrid } from "./store.ts";

/**
 * Rounds every weight to the nearest value of a grid, group by group along the rows.
 * weights: [rows, columns]. Scales come back as [rows, groups of a row], row-major. multiplier: from a
 * scale to what weights are multiplied by, where they would be divided by the scale.
 */
export function roundToGrid(
  weights: Matrix,
  grid: Grid,
  multiplier?: (scale: number) => number,
): Encoded {
  const perRow = groupsPerRow(weights.columns, grid);
  const { rows, columns, data } = columnsOf(weights, { width: perRow * grid.group });
  const codes = new Uint8Array(data.length);
  const scales = new Float32Array(rows * perRow);
  const zeros = new Float32Array(rows * perRow);
  kernel().round({
    values: data,
    width: grid.group,
    grid: grid.steps,
    scale: scales,
    zero: zeros,
    find: grid.find,
    multiplier,
    codes,
  });
  return storeGrid({ rows, columns, codes, scales, zeros }, grid, weights.columns);
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

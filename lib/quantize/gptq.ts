/**
 * GPTQ: columns are rounded one after another, and the error of each is made up for by the columns
 * that are not rounded yet. Source: arXiv 2210.17323, IST-DASLab/gptq gptq.py.
 */
import { type Grid, integerGrid } from "./grid.ts";
import { gptqLoop } from "./gptq_loop.ts";
import { grids } from "./grids.ts";
import { deadColumns, descendingDiagonal, factorHessian } from "./hessian.ts";
import { integerOptions } from "./integer_options.ts";
import { defineMethod, type Encoded, type Hessian, type Matrix } from "./method.ts";
import { groupsPerRow, keepWeights, storeGrid } from "./rtn.ts";

/** What GPTQ needs beside the weights and the grid. */
export interface GptqOptions {
  /** [in, in]; see `HessianAccumulator`. */
  readonly hessian: Hessian;
  /** Added to the Hessian's diagonal, as a share of its mean. */
  readonly damping: number;
  /** Columns in descending order of the Hessian's diagonal ("act-order"). */
  readonly order: boolean;
  /** Scales from the given weights, before any column is rounded ("static groups"). */
  readonly staticGroups: boolean;
  /** Columns of a block. */
  readonly block: number;
}

/**
 * Quantizes weights [out, in] on a grid so that the layer's output on its calibration inputs
 * changes little.
 *
 * A group's scale comes from the weights as they stand at the start of the block in which the group
 * begins, as in the reference; a block of one group is therefore never stale. With one group a row,
 * or static groups, it comes from the given weights. The weights of a column whose diagonal is 0
 * (no input ever reached it) are set to 0.
 *
 * When the damped Hessian cannot be factored the damping is raised; see `factorHessian`.
 */
export function gptqOnGrid(weights: Matrix, grid: Grid, options: GptqOptions): Encoded {
  const { rows, columns } = weights;
  const { hessian, block } = options;
  const perRow = groupsPerRow(columns, grid);
  const dead = deadColumns(hessian);
  const order = options.order ? descendingDiagonal(hessian) : undefined;
  const factored = factorHessian(hessian, { damping: options.damping, order });

  const alive = { rows, columns, data: weights.data.slice() };
  for (const column of dead) {
    for (let row = 0; row < rows; row++) alive.data[row * columns + column] = 0;
  }
  const scale = new Float32Array(rows * perRow);
  const zero = new Float32Array(rows * perRow);
  // One scale a row comes from the weights before the dead columns are set to 0, as there.
  const fixed = options.staticGroups || perRow === 1;
  if (fixed) findScales(perRow === 1 ? weights : alive, grid, { scale, zero });

  const { indices } = gptqLoop({
    weights: order ? permuteColumns(alive, order) : alive.data,
    rows,
    columns,
    factor: factored.upper,
    steps: grid.steps,
    group: grid.group,
    groupOf: fixed && order ? order.map((column) => Math.floor(column / grid.group)) : undefined,
    scale,
    zero,
    find: fixed ? undefined : grid.find,
    block,
  });

  const back = order && inverse(order);
  const groupOf = back && !fixed ? back.map((place) => Math.floor(place / grid.group)) : undefined;
  const encoded = storeGrid({
    rows,
    columns,
    indices: back ? permuteColumns({ rows, columns, data: indices }, back) : indices,
    scales: scale,
    zeros: zero,
    groupOf,
  }, grid);
  return {
    ...encoded,
    storage: groupOf
      ? [...encoded.storage, { name: "group_of_column", values: groupOf, bits: 32 }]
      : encoded.storage,
    report: {
      damping: factored.damping,
      ...(factored.raised && { dampingRaisedFrom: options.damping }),
      deadColumns: dead.length,
      block,
    },
  };
}

/** GPTQ on the integer grid, or on the grid of another format. */
export const gptq = defineMethod({
  name: "gptq",
  title: "GPTQ",
  source: "arXiv 2210.17323, IST-DASLab/gptq",
  needs: "hessian",
  options: {
    ...integerOptions,
    damping: {
      kind: "number",
      default: 0.01,
      minimum: 0,
      maximum: 1e6,
      meaning: "added to the Hessian's diagonal, as a share of its mean",
    },
    order: {
      kind: "flag",
      default: false,
      meaning: "columns in descending order of the Hessian's diagonal (act-order)",
    },
    static: {
      kind: "flag",
      default: false,
      meaning: "scales from the given weights, before any column is rounded (static groups)",
    },
    block: {
      kind: "integer",
      default: 128,
      minimum: 1,
      maximum: Number.MAX_SAFE_INTEGER,
      words: ["group"],
      meaning: "columns between updates of the scales' source; group: micro-blocks of one group",
    },
    grid: {
      kind: "choice",
      default: "int",
      allowed: ["int", ...Object.keys(grids)],
      meaning: "what to round to: integers, or a format with its own bits and scales",
    },
  },
  // The paper also quantizes in sequence within a transformer block: the Hessian of each layer is
  // taken with the layers before it already quantized. The calibration pass does that, not a layer.
  presets: { paper: { symmetric: true, group: 128, damping: 0.1 } },
  run(weights, { bits, group, symmetric, scales, grid: format, block, ...options }, inputs) {
    if (bits === 16) return keepWeights(weights);
    let grid: Grid;
    if (format === "int") {
      const width = group === "row" ? weights.columns : group;
      grid = integerGrid({ bits, group: width, symmetric, scales });
    } else {
      grid = grids[format]!(group === "row" ? undefined : group);
    }
    const micro = block === "group" || grid.microBlocks;
    return gptqOnGrid(weights, grid, {
      hessian: inputs.hessian!,
      damping: options.damping,
      order: options.order,
      staticGroups: options.static,
      block: micro ? grid.group : block,
    });
  },
});

function findScales(
  { rows, columns, data }: Matrix,
  grid: Grid,
  { scale, zero }: { scale: Float32Array; zero: Float32Array },
): void {
  const perRow = groupsPerRow(columns, grid);
  for (let group = 0; group < rows * perRow; group++) {
    const start = Math.floor(group / perRow) * columns + (group % perRow) * grid.group;
    const width = Math.min(grid.group, columns - (group % perRow) * grid.group);
    const one = [group, group + 1] as const;
    grid.find(
      data.subarray(start, start + width),
      width,
      scale.subarray(...one),
      zero.subarray(...one),
    );
  }
}

/** Column i of the result is column order[i] of the given values [rows, columns]. */
function permuteColumns<T extends Float32Array | Uint8Array>(
  { rows, columns, data }: { rows: number; columns: number; data: T },
  order: Uint32Array,
): T {
  const moved = data.slice() as T;
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < columns; i++) moved[row * columns + i] = data[row * columns + order[i]!]!;
  }
  return moved;
}

function inverse(order: Uint32Array): Uint32Array {
  const back = new Uint32Array(order.length);
  order.forEach((column, place) => back[column] = place);
  return back;
}

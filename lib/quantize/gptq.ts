/**
 * GPTQ: columns are rounded one after another, and the error of each is made up for by the columns
 * that are not rounded yet. Source: arXiv 2210.17323, IST-DASLab/gptq gptq.py.
 */
import { columnsOf, permuteColumns } from "./columns.ts";
import { deadColumns, descendingDiagonal, factorHessian } from "./factor.ts";
import { type Grid, integerGrid } from "./grid.ts";
import { grids } from "./grids.ts";
import { integerOptions } from "./integer_options.ts";
import { kernel } from "./kernel.ts";
import { defineMethod, type Encoded, type Hessian, type Matrix } from "./method.ts";
import { groupsPerRow, keepWeights, storeGrid } from "./store.ts";

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
  const { rows } = weights;
  const { hessian, damping, block } = options;
  const perRow = groupsPerRow(weights.columns, grid);
  // Columns that fill up the last group are 0, never seen and never looked at.
  const columns = perRow * grid.group;
  const dead = deadColumns(hessian);
  const order = options.order ? descendingDiagonal(hessian, columns) : undefined;
  const given = columnsOf(weights, { width: columns });
  const alive = withoutColumns(given, dead);

  const scale = new Float32Array(rows * perRow);
  const zero = new Float32Array(rows * perRow);
  // One scale a row comes from the weights before the dead columns are set to 0, as there.
  const fixed = options.staticGroups || perRow === 1;
  if (fixed) grid.find(perRow === 1 ? given.data : alive.data, grid.group, scale, zero);
  const groupsOf = (places: Int32Array) => places.map((place) => Math.floor(place / grid.group));

  const codes = new Uint8Array(rows * columns);
  const report = kernel().scope(() => {
    const upper = kernel().float64(columns ** 2);
    const factored = factorHessian(hessian, { damping, order, columns, upper });
    const { loss } = kernel().gptq({
      weights: order ? permuteColumns(alive, order).data : alive.data,
      rows,
      columns,
      factor: upper,
      grid: grid.steps,
      group: grid.group,
      groupOf: fixed && order ? groupsOf(order) : undefined,
      scale,
      zero,
      find: fixed ? undefined : grid.find,
      block,
      codes,
    });
    return {
      damping: factored.damping,
      ...(factored.raised && { dampingRaisedFrom: damping }),
      deadColumns: dead.length,
      block,
      // Half of trace(E H E^T) with the damped Hessian.
      loss: loss / factored.unit,
    };
  });

  const back = order && inverse(order);
  // Groups are of the given columns when scales were fixed before these were moved.
  const places = fixed ? undefined : back;
  const inGroups = back && fixed
    ? permuteColumns({ rows, columns, data: codes }, back).data
    : codes;
  const found = { rows, columns, codes: inGroups, scales: scale, zeros: zero, places };
  const encoded = storeGrid(found, grid, weights.columns);
  const storage = [...encoded.storage];
  if (places) {
    storage.push({ name: "group_of_column", values: new Uint32Array(groupsOf(places)), bits: 32 });
  }
  return { ...encoded, storage, report };
}

/**
 * GPTQ on the integer grid, or on the grid of another format.
 *
 * The preset `paper` has the settings of arXiv 2411.17691. Its calibration is also sequential
 * within a transformer block: the Hessian of each layer is taken with the layers before it in the
 * block already quantized. That is the calibration pass's to do, and does not change how one layer
 * is quantized.
 */
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
  presets: { paper: { symmetric: true, group: 128, damping: 0.1 } },
  run(weights, options, { hessian }) {
    if (options.bits === 16) return keepWeights(weights);
    const grid = gridOf(weights, options);
    return gptqOnGrid(weights, grid, {
      hessian: hessian!,
      damping: options.damping,
      order: options.order,
      staticGroups: options.static,
      block: options.block === "group" || grid.microBlocks ? grid.group : options.block,
    });
  },
});

/** Options that say what to round to. */
interface GridOptions {
  readonly grid: string;
  readonly bits: number;
  readonly group: number | "row";
  readonly symmetric: boolean;
  readonly scales: "f16" | "f32";
}

function gridOf({ columns }: Matrix, { grid, group, ...options }: GridOptions): Grid {
  if (grid === "int") {
    return integerGrid({ ...options, group: group === "row" ? columns : group });
  }
  const own = ["bits", "symmetric", "scales"] as const;
  const changed = own.find((name) => options[name] !== integerOptions[name].default);
  if (changed) {
    throw new Error(`Cannot use ${changed}=${options[changed]} with grid=${grid}: it has its own`);
  }
  return grids[grid]!(group === "row" ? undefined : group);
}

/** A copy with these columns set to 0. */
function withoutColumns({ rows, columns, data }: Matrix, removed: readonly number[]): Matrix {
  const kept = data.slice();
  for (const column of removed) {
    for (let row = 0; row < rows; row++) kept[row * columns + column] = 0;
  }
  return { rows, columns, data: kept };
}

function inverse(order: Int32Array): Int32Array {
  const back = new Int32Array(order.length);
  order.forEach((column, place) => back[column] = place);
  return back;
}

/**
 * The two searches of AWQ: channel scales, and the range of each group.
 * Source: arXiv 2306.00978; mit-han-lab/llm-awq auto_scale.py, auto_clip.py, quantizer.py;
 * casper-hansen/AutoAWQ for `duo`.
 */
import { clampGroups, columnsOf, scaleColumns, unscaleColumns } from "./columns.ts";
import { type Grid, integerParts, largestOf, rangesOf, roundHalfEven } from "./grid.ts";
import { hessianError, hessianOf, rowErrors } from "./hessian.ts";
import type { Matrix } from "./method.ts";
import { roundToGrid } from "./rtn.ts";
import { checkGroup } from "./store.ts";
import { errorSums, mseOf } from "./sqnr.ts";

/** How AWQ quantizes. */
export interface AwqOptions {
  /** 1 to 8. */
  readonly bits: number;
  /** Weights of a row that share a scale. */
  readonly group: number;
  /** How group and channel scales are kept. */
  readonly scales: "f16" | "f32";
  /** Channel scales x^r / (w^(1-r) + 1e-4), w the mean share of a group's largest weight. */
  readonly duo: boolean;
  /** Search the range of each group. */
  readonly clip: boolean;
}

/** Linear layers that share an input, and so their channel scales. */
export interface AwqLinears {
  /** [out, in] each. */
  readonly weights: readonly Matrix[];
  /** Their input, [tokens, in]. */
  readonly activations: Matrix;
  /**
   * The output whose error counts, given the layers' weights: that of the module that holds them.
   * The layers' own outputs unless given.
   */
  readonly inspect?: (weights: readonly Matrix[]) => Float32Array;
}

/** What the scale search found. */
export interface AwqScales {
  /** One a channel, [in]. */
  readonly scales: Float32Array;
  /** The exponent of the mean absolute input. */
  readonly ratio: number;
  /** Mean squared output error at the exponents 0, 0.05, .. 0.95. */
  readonly losses: readonly number[];
}

const exponents = 20;
const clipSteps = 10;
const clipTokens = 512;
const fround = Math.fround;

/** Searches 20 exponents for the channel scales with the least output error. */
export function searchScales(linears: AwqLinears, options: AwqOptions): AwqScales {
  const { weights, activations } = linears;
  for (const { columns } of weights) checkGroup(columns, options.group);
  const loss = outputLoss(linears);
  const input = meanAbsolute(activations);
  const share = options.duo ? meanShare(weights, options.group) : undefined;
  const grid = awqGrid({ ...options, scales: "f32" });
  const tries = Array.from({ length: exponents }, (_, step) => {
    const ratio = step / exponents;
    const scales = channelScales(input, ratio, share);
    const after = weights.map((layer) => {
      const rounded = roundToGrid(scaleColumns(layer, scales), grid);
      return unscaleColumns({ ...layer, data: rounded.weights }, scales);
    });
    return { scales, ratio, loss: loss(after) };
  });
  const best = tries.reduce((a, b) => b.loss < a.loss ? b : a);
  return { scales: best.scales, ratio: best.ratio, losses: tries.map(({ loss }) => loss) };
}

/**
 * Searches the greatest absolute weight to keep in each group: 1, 0.95, .. 0.55 of the group's own,
 * by the output error on up to 512 of the tokens. Returns [rows, groups], row-major.
 */
export function searchClip(
  weights: Matrix,
  { activations, ...options }: AwqOptions & { readonly activations: Matrix },
): Float32Array {
  const { rows, columns } = weights;
  const { group } = options;
  const perRow = columns / group;
  const grid = awqGrid({ ...options, scales: "f32" });
  const tokens = sampled(activations);
  const limits = new Float32Array(rows * perRow);
  for (let index = 0; index < perRow; index++) {
    // A group's share of the output has the squared error e G e^T, G the moments of its inputs.
    const place = { from: index * group, width: group };
    const part = columnsOf(weights, place);
    const moments = hessianOf(columnsOf(tokens, place));
    const most = largestOf(part.data, group);
    const best = new Float64Array(rows).fill(Infinity);
    for (let step = 0; step < clipSteps; step++) {
      const limit = most.map((value) => value * (1 - step / (2 * clipSteps)));
      const after = roundToGrid(clampGroups(part, limit), grid).weights;
      const errors = rowErrors(part, after, moments);
      for (let row = 0; row < rows; row++) {
        if (errors[row]! < best[row]!) {
          best[row] = errors[row]!;
          limits[row * perRow + index] = limit[row]!;
        }
      }
    }
  }
  return limits;
}

/** AWQ's grid: whole numbers from the least to the greatest weight, which need not include 0. */
export function awqGrid(options: { bits: number; group: number; scales: "f16" | "f32" }): Grid {
  const maxq = 2 ** options.bits - 1;
  return {
    name: "awq",
    ...integerParts(options),
    find(values, width, scale, zero) {
      const { low, high } = rangesOf(values, width);
      for (let group = 0; group < scale.length; group++) {
        const range = fround(high[group]! - low[group]!);
        const step = fround(Math.max(range, fround(1e-5)) / maxq);
        scale[group] = step;
        zero[group] = Math.min(Math.max(-roundHalfEven(fround(low[group]! / step)), 0), maxq);
      }
    },
  };
}

function channelScales(input: Float64Array, ratio: number, share?: Float64Array): Float32Array {
  const raw = input.map((value, i) => {
    const weight = share ? share[i]! ** (1 - ratio) + 1e-4 : 1;
    return Math.max(value ** ratio / weight, 1e-4);
  });
  const [low, high] = [...raw].reduce(([a, b], x) => [Math.min(a, x), Math.max(b, x)], [
    Infinity,
    0,
  ]);
  return Float32Array.from(raw, (value) => value / Math.sqrt(low * high));
}

/** Mean absolute value of each column. */
function meanAbsolute({ rows, columns, data }: Matrix): Float64Array {
  const means = new Float64Array(columns);
  for (let i = 0; i < data.length; i++) means[i % columns]! += Math.abs(data[i]!) / rows;
  return means;
}

/** Mean over all rows of |w| as a share of the greatest in its group. */
function meanShare(weights: readonly Matrix[], group: number): Float64Array {
  const columns = weights[0]!.columns;
  const total = weights.reduce((sum, { rows }) => sum + rows, 0);
  const share = new Float64Array(columns);
  for (const { data } of weights) {
    const most = largestOf(data, group);
    for (let i = 0; i < data.length; i++) {
      share[i % columns]! += Math.abs(data[i]!) / (most[Math.floor(i / group)]! + 1e-6) / total;
    }
  }
  return share;
}

/** Mean squared error of the output that counts, given the layers' weights after. */
function outputLoss(
  { weights, activations, inspect }: AwqLinears,
): (after: readonly Matrix[]) => number {
  if (inspect) {
    const before = inspect(weights);
    return (after) => mseOf(errorSums(before, inspect(after)));
  }
  // One sequence's Hessian is 2 X^T X, so trace(E H E^T) is twice the squared error of X E^T.
  const hessian = hessianOf(activations);
  const outputs = activations.rows * weights.reduce((sum, { rows }) => sum + rows, 0);
  return (after) =>
    weights.reduce((sum, layer, i) => sum + hessianError(layer, after[i]!.data, hessian), 0) /
    (2 * outputs);
}

/** Every n-th row, so that about `clipTokens` are left. */
function sampled({ rows, columns, data }: Matrix): Matrix {
  const stride = Math.max(Math.floor(rows / clipTokens), 1);
  const left = Math.ceil(rows / stride);
  const kept = new Float32Array(left * columns);
  for (let row = 0; row < left; row++) {
    const from = row * stride * columns;
    kept.set(data.subarray(from, from + columns), row * columns);
  }
  return { rows: left, columns, data: kept };
}

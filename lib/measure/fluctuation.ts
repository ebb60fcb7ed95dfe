/** Weight fluctuation: how far the weights of linear maps move between two checkpoints (paper A, Figure 12). */
import { quantileSorted } from "simple-statistics";
import { openWeights, type Weights } from "../checkpoint/mod.ts";
import { type Matrix, quantize } from "../quantize/mod.ts";
import { changeQuantiles } from "../suite_tables.ts";

/** The changes of one matrix between two checkpoints. */
export interface MatrixChange {
  readonly layer: number;
  /** "attention.query_key_value", "attention.dense", "mlp.dense_h_to_4h" or "mlp.dense_4h_to_h". */
  readonly matrix: string;
  /** How many weights it has. */
  readonly weights: number;
  /** Quantiles of w(after) - w(before), by the names of `changeQuantiles`. */
  readonly quantiles: Readonly<Record<keyof typeof changeQuantiles, number>>;
  /** Root mean squares of the change, and of the weights before it. */
  readonly rmsChange: number;
  readonly rmsWeight: number;
  /** Median over groups of 32 of the distance between two levels of round-to-nearest, by bit width, after the change. */
  readonly steps: Readonly<Record<2 | 3 | 4, number>>;
}

const name = /^gpt_neox\.layers\.(\d+)\.(.+)\.weight$/;
const matrices = /^(attention\.(query_key_value|dense)|mlp\.dense_(h_to_4h|4h_to_h))$/;
const group = 32;

/** The changes of all linear maps of the blocks between the checkpoints in two folders. */
export function weightChanges(before: string, after: string): MatrixChange[] {
  using earlier = openWeights(before);
  using later = openWeights(after);
  return earlier.names.flatMap((full) => {
    const [, layer, matrix = ""] = name.exec(full) ?? [];
    if (!matrices.test(matrix)) return [];
    const [was, is] = [earlier, later].map((weights) => matrixOf(weights, full));
    return [{ layer: Number(layer), matrix, ...changeOf(was!, is!) }];
  });
}

/** The change of a matrix whose rows are whole groups of 32. Throws when the shapes differ. */
export function changeOf(before: Matrix, after: Matrix): Omit<MatrixChange, "layer" | "matrix"> {
  if (before.rows !== after.rows || before.columns !== after.columns) {
    const shapes = [before, after].map(({ rows, columns }) => `[${rows}, ${columns}]`);
    throw new RangeError(`Cannot compare weights: needs one shape: got ${shapes.join(" and ")}`);
  }
  const change = Float64Array.from(after.data, (value, i) => value - before.data[i]!);
  const sorted = Array.from(change.toSorted());
  const quantiles = Object.fromEntries(
    Object.entries(changeQuantiles).map(([name, p]) => [name, quantileSorted(sorted, p)]),
  ) as MatrixChange["quantiles"];
  const steps = Object.fromEntries(
    ([2, 3, 4] as const).map((bits) => [bits, medianStep(after, bits)]),
  ) as MatrixChange["steps"];
  return {
    weights: change.length,
    quantiles,
    rmsChange: rootMeanSquare(change),
    rmsWeight: rootMeanSquare(before.data),
    steps,
  };
}

/** Median distance between two levels of the paper's grid. */
function medianStep(weights: Matrix, bits: number): number {
  const { scales } = quantize(weights, `rtn:paper,group=${group},bits=${bits}`);
  return quantileSorted(Array.from(scales!.toSorted()), 0.5);
}

function matrixOf(weights: Weights, name: string): Matrix {
  const { shape: [rows = 0, columns = 0], data } = weights.tensor(name);
  return { rows, columns, data };
}

function rootMeanSquare(values: Float32Array | Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return Math.sqrt(sum / values.length);
}

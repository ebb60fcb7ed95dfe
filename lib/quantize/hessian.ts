/**
 * The layer's Hessian: gathered from activations, checked, factored for GPTQ, and the error it
 * measures.
 */
import { kernel } from "./kernel.ts";
import type { Hessian, Matrix } from "./method.ts";

/**
 * Gathers H = 2/n sum of x x^T over batches of a layer's inputs, as a running mean: n counts
 * sequences, not tokens. Source: IST-DASLab/gptq gptq.py, `add_batch`.
 */
export class HessianAccumulator implements Hessian {
  readonly rows: number;
  readonly columns: number;
  readonly data: Float64Array;
  #sequences = 0;

  /** columns: the layer's input width. */
  constructor(columns: number) {
    this.rows = columns;
    this.columns = columns;
    this.data = new Float64Array(columns * columns);
  }

  /** Sequences seen so far. */
  get sequences(): number {
    return this.#sequences;
  }

  /** Adds activations [tokens, in] of `sequences` sequences, 1 unless told. */
  add(activations: Matrix, sequences = 1): void {
    if (activations.columns !== this.columns) {
      throw new Error(
        `Cannot add activations: needs ${this.columns} columns: got ${activations.columns}`,
      );
    }
    const before = this.#sequences;
    this.#sequences += sequences;
    kernel().hessian({
      inputs: activations.data,
      rows: activations.rows,
      columns: this.columns,
      hessian: this.data,
      scale: 2 / this.#sequences,
      beta: before / this.#sequences,
    });
  }
}

/** The Hessian of activations [tokens, in] taken as one sequence. */
export function hessianOf(activations: Matrix): Hessian {
  const hessian = new HessianAccumulator(activations.columns);
  hessian.add(activations);
  return hessian;
}

/** Throws unless the Hessian is finite, symmetric, [columns, columns], with no negative diagonal. */
export function checkHessian({ rows, columns: width, data }: Hessian, columns: number): void {
  if (rows !== columns || width !== columns || data.length !== columns * columns) {
    throw new Error(
      `Cannot use the Hessian: needs [${columns}, ${columns}]: got [${rows}, ${width}] with ` +
        `${data.length} values`,
    );
  }
  for (let i = 0; i < columns; i++) {
    const diagonal = data[i * columns + i]!;
    if (!(diagonal >= 0)) {
      throw new Error(
        `Cannot use the Hessian: needs a diagonal of 0 or more: got ${diagonal} at ${i}`,
      );
    }
    for (let j = 0; j <= i; j++) {
      const below = data[i * columns + j]!;
      const above = data[j * columns + i]!;
      const tolerance = 1e-3 * Math.sqrt(diagonal * data[j * columns + j]!) + 1e-30;
      if (!(Math.abs(below - above) <= tolerance)) {
        throw new Error(
          `Cannot use the Hessian: needs a finite symmetric matrix: got ${below} at [${i}, ${j}] ` +
            `and ${above} at [${j}, ${i}]`,
        );
      }
    }
  }
}

/** Columns that no input reached: their diagonal is 0. */
export function deadColumns({ columns, data }: Hessian): number[] {
  const dead: number[] = [];
  for (let i = 0; i < columns; i++) if (data[i * columns + i] === 0) dead.push(i);
  return dead;
}

/**
 * Columns in descending order of their diagonal, where 0 counts as 1; equal ones keep their order,
 * and `columns` beyond the Hessian's come last.
 */
export function descendingDiagonal(hessian: Hessian, columns: number): Int32Array {
  const diagonal = diagonalOf(hessian);
  const value = (column: number) => diagonal[column] ?? -1;
  return Int32Array.from({ length: columns }, (_, i) => i).sort((a, b) => value(b) - value(a));
}

/** The factor of an inverse Hessian, and how it came about. */
export interface HessianFactor {
  /** U, upper, [in, in]: U^T U = (H + damping mean(diag H) I)^-1, up to a power of 4. */
  readonly upper: Float64Array;
  /** The damping that was used. */
  readonly damping: number;
  /** True when that is more than was asked for. */
  readonly raised: boolean;
}

/** How to factor a Hessian. */
export interface FactorOptions {
  /** Added to the diagonal, as a share of its mean. */
  readonly damping: number;
  /** Row and column i of the factored matrix are row and column order[i] of the Hessian. */
  readonly order?: Int32Array;
  /** Width to fill up to, with columns that have nothing to do with any other. */
  readonly columns?: number;
}

/**
 * Factors the inverse of the damped Hessian, in float64. A diagonal of 0 counts as 1.
 *
 * When that fails, damping is raised tenfold, and to at least 0.01, until it succeeds or would be
 * above 10. Then it throws and names a damping that is enough (by Gershgorin's theorem). The
 * Hessian is first scaled by a power of 4, which changes nothing in GPTQ and keeps the factor in
 * float32's range.
 */
export function factorHessian(hessian: Hessian, options: FactorOptions): HessianFactor {
  const diagonal = diagonalOf(hessian);
  const mean = diagonal.reduce((sum, value) => sum + value / diagonal.length, 0);
  const unit = 4 ** -Math.round(Math.log2(mean) / 2);
  let { damping } = options;
  for (;;) {
    const upper = dampedMatrix(hessian, { ...options, damping: damping * mean, unit });
    const failure = kernel().inverseFactor({ a: upper, n: options.columns ?? hessian.columns });
    if (!failure && inFloat32(upper)) {
      return { upper, damping, raised: damping > options.damping };
    }
    const next = Math.max(damping * 10, 0.01);
    if (next > 10) {
      throw new Error(
        `Cannot factor the Hessian: not positive definite with a damping of ${damping}: ` +
          `try damping=${enoughDamping(hessian, mean)}, or more calibration tokens`,
      );
    }
    damping = next;
  }
}

/** unit (H + damping I), in the given order and filled up to the given width. */
function dampedMatrix(
  hessian: Hessian,
  { damping, order, columns = hessian.columns, unit }: FactorOptions & { readonly unit: number },
): Float64Array {
  const width = hessian.columns;
  const diagonal = diagonalOf(hessian);
  const damped = new Float64Array(columns * columns);
  for (let i = 0; i < columns; i++) {
    const row = order ? order[i]! : i;
    const to = damped.subarray(i * columns, (i + 1) * columns);
    if (row < width) {
      const from = hessian.data.subarray(row * width, (row + 1) * width);
      for (let j = 0; j < columns; j++) to[j] = unit * (from[order ? order[j]! : j] ?? 0);
    }
    to[i] = unit * ((diagonal[row] ?? 0) + damping);
    if (to[i] === 0) to[i] = 1;
  }
  return damped;
}

/** The diagonal; 0 counts as 1. */
function diagonalOf({ columns, data }: Hessian): Float64Array {
  return Float64Array.from({ length: columns }, (_, i) => data[i * columns + i]! || 1);
}

function inFloat32(values: Float64Array): boolean {
  return values.every((value) => Math.abs(value) < 1e38);
}

/** A damping with which the diagonal outweighs the rest of every row, to two digits. */
function enoughDamping({ columns, data }: Hessian, mean: number): string {
  let most = 10;
  for (let i = 0; i < columns; i++) {
    let rest = 0;
    for (let j = 0; j < columns; j++) if (j !== i) rest += Math.abs(data[i * columns + j]!);
    most = Math.max(most, (rest - data[i * columns + i]!) / mean);
  }
  return String(Number((most * 1.1).toPrecision(2)));
}

/** trace(E H E^T) with E = before - after; see `rowErrors`. */
export function hessianError(before: Matrix, after: Float32Array, hessian: Hessian): number {
  return rowErrors(before, after, hessian).reduce((sum, value) => sum + value, 0);
}

/**
 * e H e^T for each row e of E = before - after. The products E H are in float32, their sums with
 * E in float64.
 */
export function rowErrors(before: Matrix, after: Float32Array, hessian: Hessian): Float64Array {
  const { rows, columns, data } = before;
  const errors = new Float64Array(rows);
  const strip = Math.max(1, Math.floor(2 ** 22 / columns));
  kernel().scope(() => {
    const h = kernel().float32(columns * columns);
    h.set(hessian.data);
    const e = kernel().float32(strip * columns);
    const product = kernel().float32(strip * columns);
    for (let start = 0; start < rows; start += strip) {
      const m = Math.min(strip, rows - start);
      const from = start * columns;
      for (let i = 0; i < m * columns; i++) e[i] = data[from + i]! - after[from + i]!;
      kernel().gemm({ a: e, b: h, c: product, m, n: columns, k: columns });
      for (let row = 0; row < m; row++) {
        let sum = 0;
        for (let i = row * columns; i < (row + 1) * columns; i++) sum += e[i]! * product[i]!;
        errors[start + row] = sum;
      }
    }
  });
  return errors;
}

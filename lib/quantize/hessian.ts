/**
 * The layer's Hessian: gathered from activations, checked, factored for GPTQ, and the error it
 * measures.
 */
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
    const keep = before / this.#sequences;
    for (let i = 0; i < this.data.length; i++) this.data[i]! *= keep;
    addOuterProducts(this.data, activations, 2 / this.#sequences);
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

/** Columns in descending order of their diagonal, dead ones as 1; equal ones keep their order. */
export function descendingDiagonal({ columns, data }: Hessian): Uint32Array {
  const diagonal = Float64Array.from({ length: columns }, (_, i) => data[i * columns + i]! || 1);
  return Uint32Array.from(diagonal.keys()).sort((a, b) => diagonal[b]! - diagonal[a]!);
}

/** The factor of an inverse Hessian, and how it came about. */
export interface HessianFactor {
  /** U, upper triangular, [in, in], U^T U = (H + damping mean(diag H) I)^-1 up to a power of 4. */
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
  readonly order?: Uint32Array;
}

/**
 * Factors the inverse of the damped Hessian, in float64. A diagonal of 0 counts as 1.
 *
 * When that fails, damping is raised tenfold, and to at least 0.01, until it succeeds or would be
 * above 10. Then it throws and names the damping that is enough for any such matrix (by
 * Gershgorin's theorem). The Hessian is first scaled by a power of 4, which changes nothing in GPTQ
 * and keeps the factor in float32's range.
 */
export function factorHessian(hessian: Hessian, { damping, order }: FactorOptions): HessianFactor {
  const { columns } = hessian;
  const diagonal = Float64Array.from(
    { length: columns },
    (_, i) => hessian.data[i * columns + i]! || 1,
  );
  const mean = diagonal.reduce((sum, value) => sum + value / columns, 0);
  const unit = 4 ** -Math.round(Math.log2(mean) / 2);
  let tried = damping;
  for (;;) {
    const upper = new Float64Array(columns * columns);
    for (let i = 0; i < columns; i++) {
      const row = (order?.[i] ?? i) * columns;
      for (let j = 0; j < columns; j++) {
        upper[i * columns + j] = unit * hessian.data[row + (order?.[j] ?? j)]!;
      }
      upper[i * columns + i] = unit * (diagonal[order?.[i] ?? i]! + tried * mean);
    }
    const failure = inverseFactor(upper, columns);
    if (!failure && inFloat32(upper)) return { upper, damping: tried, raised: tried > damping };
    const next = Math.max(tried * 10, 0.01);
    if (next > 10) {
      throw new Error(
        `Cannot factor the Hessian: not positive definite with a damping of ${tried}: ` +
          `try damping=${enoughDamping(hessian, mean)}, or more calibration tokens`,
      );
    }
    tried = next;
  }
}

function inFloat32(upper: Float64Array): boolean {
  return upper.every((value) => Math.abs(value) < 1e38);
}

/** A damping with which every row's diagonal outweighs the rest of the row, two digits. */
function enoughDamping({ columns, data }: Hessian, mean: number): string {
  let most = 10;
  for (let i = 0; i < columns; i++) {
    let rest = 0;
    for (let j = 0; j < columns; j++) if (j !== i) rest += Math.abs(data[i * columns + j]!);
    most = Math.max(most, (rest - data[i * columns + i]!) / mean);
  }
  return (most * 1.1).toPrecision(2);
}

/** trace(E H E^T) with E = before - after, in float64. */
export function hessianError(before: Matrix, after: Float32Array, hessian: Hessian): number {
  const { rows, columns, data } = before;
  const error = new Float64Array(columns);
  let trace = 0;
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < columns; i++) {
      error[i] = data[row * columns + i]! - after[row * columns + i]!;
    }
    for (let i = 0; i < columns; i++) {
      if (error[i] === 0) continue;
      let sum = 0;
      for (let j = 0; j < columns; j++) sum += hessian.data[i * columns + j]! * error[j]!;
      trace += error[i]! * sum;
    }
  }
  return trace;
}

/** a [n, n], lower triangle of a symmetric matrix, to U upper with U^T U = a^-1, in place. */
function inverseFactor(a: Float64Array, n: number): boolean {
  // Cholesky of the matrix with rows and columns reversed gives an upper R with R R^T = a.
  const upper = new Float64Array(n * n);
  for (let j = n - 1; j >= 0; j--) {
    for (let i = j; i >= 0; i--) {
      let sum = a[j * n + i]!;
      for (let k = j + 1; k < n; k++) sum -= upper[i * n + k]! * upper[j * n + k]!;
      if (i === j) {
        if (!(sum > 0)) return true;
        upper[j * n + j] = Math.sqrt(sum);
      } else upper[i * n + j] = sum / upper[j * n + j]!;
    }
  }
  // U = R^-1.
  a.fill(0);
  for (let j = 0; j < n; j++) {
    a[j * n + j] = 1 / upper[j * n + j]!;
    for (let i = j - 1; i >= 0; i--) {
      let sum = 0;
      for (let k = i + 1; k <= j; k++) sum += upper[i * n + k]! * a[k * n + j]!;
      a[i * n + j] = -sum / upper[i * n + i]!;
    }
  }
  return false;
}

function addOuterProducts(
  into: Float64Array,
  { rows, columns, data }: Matrix,
  factor: number,
): void {
  for (let row = 0; row < rows; row++) {
    const x = data.subarray(row * columns, (row + 1) * columns);
    for (let i = 0; i < columns; i++) {
      const left = factor * x[i]!;
      for (let j = 0; j < columns; j++) into[i * columns + j]! += left * x[j]!;
    }
  }
}

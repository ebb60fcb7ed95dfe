/** The layer's Hessian: gathered from activations, checked, and the error it measures. */
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
  }
  // In tiles, because one of the two triangles is read down its columns.
  const tile = 32;
  for (let top = 0; top < columns; top += tile) {
    for (let left = 0; left <= top; left += tile) {
      for (let i = top; i < Math.min(top + tile, columns); i++) {
        for (let j = left; j < Math.min(left + tile, i + 1); j++) checkPair(data, columns, i, j);
      }
    }
  }
}

function checkPair(data: Hessian["data"], columns: number, i: number, j: number): void {
  const below = data[i * columns + j]!;
  const above = data[j * columns + i]!;
  const difference = Math.abs(below - above);
  if (difference === 0) return;
  const scale = Math.sqrt(data[i * columns + i]! * data[j * columns + j]!);
  if (!(difference <= 1e-3 * scale)) {
    throw new Error(
      `Cannot use the Hessian: needs a finite symmetric matrix: got ${below} at [${i}, ${j}] ` +
        `and ${above} at [${j}, ${i}]`,
    );
  }
}

/** trace(E H E^T) with E = before - after; see `rowErrors`. */
export function hessianError(before: Matrix, after: Float32Array, hessian: Hessian): number {
  return rowErrors(before, after, hessian).reduce((sum, value) => sum + value, 0);
}

/**
 * e H e^T for each row e of E = before - after. Products of E are in float32, their sums with E in
 * float64.
 */
export function rowErrors(before: Matrix, after: Float32Array, hessian: Hessian): Float64Array {
  const { rows, columns, data } = before;
  const errors = new Float64Array(rows);
  const strip = Math.min(rows, Math.max(1, Math.floor(2 ** 22 / columns)));
  kernel().scope(() => {
    // By symmetry e H e^T is twice e T e^T, T the upper triangle with half the diagonal.
    const triangle = kernel().float32(columns * columns);
    for (let i = 0; i < columns; i++) {
      const at = i * columns + i;
      triangle.set(hessian.data.subarray(at, (i + 1) * columns), at);
      triangle[at]! /= 2;
    }
    const e = kernel().float32(strip * columns);
    const product = kernel().float32(strip * columns);
    for (let start = 0; start < rows; start += strip) {
      const m = Math.min(strip, rows - start);
      const from = start * columns;
      for (let i = 0; i < m * columns; i++) e[i] = data[from + i]! - after[from + i]!;
      multiplyTriangle(e, triangle, product, m, columns);
      for (let row = 0; row < m; row++) {
        let sum = 0;
        for (let i = row * columns; i < (row + 1) * columns; i++) sum += e[i]! * product[i]!;
        errors[start + row] = 2 * sum;
      }
    }
  });
  return errors;
}

/** product = e T, [m, n], for an upper triangle T [n, n]: no product with the zeros below. */
function multiplyTriangle(
  e: Float32Array,
  triangle: Float32Array,
  product: Float32Array,
  m: number,
  n: number,
): void {
  const width = 256;
  for (let start = 0; start < n; start += width) {
    const end = Math.min(start + width, n);
    const shape = { m, n: end - start, k: end, lda: n, ldb: n, ldc: n };
    kernel().gemm({ a: e, b: triangle.subarray(start), c: product.subarray(start), ...shape });
  }
}

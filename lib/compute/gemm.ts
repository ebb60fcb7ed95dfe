import { requireSizes, requireValues } from "./check.ts";
import type { FullProduct, Machine } from "./machine.ts";
import type { Product } from "./types.ts";

/** Checks a product, fills in its defaults, and computes it. */
export function gemm(
  machine: Machine,
  product: Product<Float32Array> | Product<Float64Array>,
): void {
  const { m, n, k, transposeA = false, transposeB = false, alpha = 1, beta = 0 } = product;
  const task = "Cannot multiply matrices";
  requireSizes(task, { m, n, k }, 0);
  const { lda = transposeA ? m : k, ldb = transposeB ? k : n, ldc = n } = product;
  const kind = product.c instanceof Float32Array ? Float32Array : Float64Array;
  for (const [name, array] of Object.entries({ a: product.a, b: product.b })) {
    if (!(array instanceof kind)) {
      throw new TypeError(
        `${task}: A, B and C must be all f32 or all f64: ${name.toUpperCase()} is ` +
          `${array.constructor.name} and C is ${product.c.constructor.name}`,
      );
    }
  }
  requireMatrix(task, "A", product.a, transposeA ? [k, m] : [m, k], lda);
  requireMatrix(task, "B", product.b, transposeB ? [n, k] : [k, n], ldb);
  requireMatrix(task, "C", product.c, [m, n], ldc);
  if (m === 0 || n === 0) return;
  if (k === 0) return rescale(product.c, m, n, ldc, beta);
  const full = { ...product, transposeA, transposeB, alpha, beta, lda, ldb, ldc };
  machine.multiply(full as FullProduct);
}

/** C = beta C: the product of empty matrices is 0. */
function rescale(
  c: Float32Array | Float64Array,
  m: number,
  n: number,
  ldc: number,
  beta: number,
): void {
  for (let i = 0; i < m; i++) {
    const row = c.subarray(i * ldc, i * ldc + n);
    if (beta === 0) row.fill(0);
    else row.forEach((value, j) => row[j] = beta * value);
  }
}

/** A stored matrix needs room for its last row's last value. */
function requireMatrix(
  task: string,
  name: string,
  array: Float32Array | Float64Array,
  [rows, columns]: [number, number],
  stride: number,
): void {
  if (!(Number.isInteger(stride) && stride >= columns)) {
    throw new RangeError(
      `${task}: rows of ${name} [${rows}, ${columns}] must be at least ${columns} values apart: got ${stride}`,
    );
  }
  const shape = `[${rows}, ${columns}]` + (stride === columns ? "" : ` with rows ${stride} apart`);
  const needed = rows && columns ? (rows - 1) * stride + columns : 0;
  requireValues(task, `${name} ${shape}`, array, needed);
}

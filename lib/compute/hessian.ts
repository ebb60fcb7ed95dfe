import { requireSizes, requireValues } from "./check.ts";
import { gemm } from "./gemm.ts";
import type { Machine } from "./machine.ts";
import type { HessianOptions } from "./types.ts";

/** Rows of X that are summed in f32 before the sum is added to H in f64. */
const depth = 512;

/** Rows of H that one product computes: only those right of the diagonal block are wanted. */
const strip = 128;

/** H = beta H + scale X^T X: the upper triangle by products of strips, the lower one copied. */
export function hessian(machine: Machine, options: HessianOptions): void {
  const { arena, wasm } = machine;
  const { inputs, rows, columns, scale = 1, beta = 1 } = options;
  const task = "Cannot accumulate the Hessian";
  requireSizes(task, { rows }, 0);
  requireSizes(task, { columns }, 1);
  requireValues(task, `X [${rows}, ${columns}]`, inputs, rows * columns);
  requireValues(task, `H [${columns}, ${columns}]`, options.hessian, columns * columns);
  arena.scope(() => {
    const h = beta === 0 && !arena.holds(options.hessian)
      ? arena.float64(columns * columns)
      : arena.bring(options.hessian);
    const part = arena.float32(strip * columns);
    const copy = arena.holds(inputs) ? undefined : arena.float32(depth * columns);
    // No rows still means H = beta H: one pass over nothing.
    for (let from = 0; from < Math.max(rows, 1); from += depth) {
      const k = Math.min(depth, rows - from);
      let x = inputs.subarray(from * columns, (from + k) * columns);
      if (copy) {
        copy.set(x);
        x = copy;
      }
      for (let i = 0; i < columns; i += strip) {
        const [m, n] = [Math.min(strip, columns - i), columns - i];
        const operand = x.subarray(i);
        if (k > 0) {
          const [lda, ldb] = [columns, columns];
          gemm(machine, { a: operand, b: operand, c: part, m, n, k, lda, ldb, transposeA: true });
        }
        const corner = h.byteOffset + (i * columns + i) * 8;
        const keep = from === 0 ? beta : 1;
        wasm.accumulate(corner, columns, part.byteOffset, n, m, n, scale, keep);
      }
    }
    wasm.mirror(h.byteOffset, columns);
    if (h !== options.hessian) options.hessian.set(h);
  });
}

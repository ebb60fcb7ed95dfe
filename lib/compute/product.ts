import type { Machine } from "./machine.ts";

/** Which of A and B are transposed (T) and which are not (N). */
type Form = "NN" | "NT" | "TN";

/**
 * C = alpha op(A) op(B) + beta C without any checks, for operations that have checked their arrays and call it often. The
 * order is that of BLAS: form, sizes, and each matrix with the length of its stored rows.
 */
export function product(
  { multiply }: Machine,
  form: Form,
  m: number,
  n: number,
  k: number,
  alpha: number,
  a: Float32Array,
  lda: number,
  b: Float32Array,
  ldb: number,
  beta: number,
  c: Float32Array,
  ldc: number,
): void {
  const [transposeA, transposeB] = [form === "TN", form === "NT"];
  multiply({ m, n, k, transposeA, transposeB, alpha, a, lda, b, ldb, beta, c, ldc });
}

import type { FullProduct, Multiply } from "./machine.ts";

/**
 * Shapes [m, n, k] that reach the parts of a matrix product which go wrong on their own: one value, ragged edges of every
 * tile, small sizes and large ones (libraries switch to other code between them), and a depth of more than one block.
 */
const shapes = [
  ...[[1, 1, 1], [7, 5, 3], [33, 65, 17], [64, 64, 64], [49, 31, 300]] as const,
  ...[[200, 130, 70], [40, 50, 1000]] as const,
];

/**
 * Computes products in f32 and f64, in all four forms, and compares every value with a plain sum.
 *
 * Throws with the form, the shape and the values when one is wrong. The tolerance is (k + 4) roundings of the sum of the
 * absolute products, which any order of summation keeps to.
 */
export function testMultiply(name: string, multiply: Multiply): void {
  for (const [m, n, k] of shapes) {
    for (const transposeA of [false, true]) {
      for (const transposeB of [false, true]) {
        // Stored rows are longer than needed, and C holds NaN where beta says that it is not read.
        const [lda, ldb, ldc] = [(transposeA ? m : k) + 1, (transposeB ? k : n) + 2, n + 3];
        const sizes = { m, n, k, transposeA, transposeB, lda, ldb, ldc };
        const [a, b] = [numbers((transposeA ? k : m) * lda), numbers((transposeB ? n : k) * ldb)];
        const c = numbers(m * ldc);
        const unread = c.map(() => NaN);
        for (const [alpha, beta, old] of [[1, 0, unread], [-0.75, 1, c]] as const) {
          const options = { ...sizes, alpha, beta };
          const single = {
            ...{ a: Float32Array.from(a), b: Float32Array.from(b), c: Float32Array.from(old) },
            ...options,
          };
          compare(name, multiply, single, 2 ** -24);
          compare(name, multiply, { a, b, c: Float64Array.from(old), ...options }, 2 ** -53);
        }
      }
    }
  }
}

/** Values from -1 to 1 that single precision holds exactly, without a pattern that a wrong index would keep. */
function numbers(length: number): Float64Array {
  let state = length;
  return Float64Array.from({ length }, () => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return (state >> 15) / 32768 - 1;
  });
}

function compare(name: string, multiply: Multiply, product: FullProduct, rounding: number): void {
  const { a, b, m, n, k, transposeA, transposeB, alpha, beta, lda, ldb, ldc } = product;
  const before = product.c.slice();
  multiply(product);
  const [aRow, aStep] = transposeA ? [1, lda] : [lda, 1];
  const [bStep, bColumn] = transposeB ? [1, ldb] : [ldb, 1];
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < ldc; j++) {
      const at = i * ldc + j;
      const [old, got] = [before[at] ?? NaN, product.c[at] ?? NaN];
      let [sum, size] = [0, 0];
      for (let l = 0; l < k && j < n; l++) {
        const term = (a[i * aRow + l * aStep] ?? NaN) * (b[l * bStep + j * bColumn] ?? NaN);
        sum += term;
        size += Math.abs(term);
      }
      const expected = j < n ? alpha * sum + (beta === 0 ? 0 : beta * old) : old;
      const tolerance = (k + 4) * rounding * (size + Math.abs(expected));
      if (Math.abs(got - expected) <= tolerance || Object.is(got, expected)) continue;
      const form = (transposeA ? "T" : "N") + (transposeB ? "T" : "N");
      const kind = product.c instanceof Float32Array ? "f32" : "f64";
      throw new Error(
        `${name} computes matrix products wrong: ${kind}, form ${form}, [${m}, ${n}, ${k}], value ${i}, ${j}: ` +
          `expected ${expected}: got ${got}`,
      );
    }
  }
}

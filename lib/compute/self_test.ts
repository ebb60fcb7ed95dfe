import type { FullProduct, Multiply } from "./machine.ts";

/**
 * Shapes [m, n, k] that reach the parts of a matrix product which go wrong on their own: one value,
 * ragged edges of every tile, small sizes and large ones (libraries switch to other code between
 * them), and a depth of more than one block.
 */
const shapes = [
  ...[[1, 1, 1], [7, 5, 3], [33, 65, 17], [64, 64, 64], [49, 31, 300]] as const,
  ...[[200, 130, 70], [40, 50, 1000]] as const,
];

/**
 * Computes products in f32 and f64, in all four forms, and compares every value with a plain sum.
 *
 * Throws with the form, the shape and the values when one is wrong. The tolerance is (k + 4)
 * roundings of the sum of the absolute products, which any order of summation keeps to.
 */
export function testMultiply(name: string, multiply: Multiply): void {
  for (const [m, n, k] of shapes) {
    for (const transposeA of [false, true]) {
      for (const transposeB of [false, true]) {
        // Stored rows are longer than needed, and C holds NaN where beta says that it is not read.
        const [lda, ldb, ldc] = [(transposeA ? m : k) + 1, (transposeB ? k : n) + 2, n + 3];
        const sizes = { m, n, k, transposeA, transposeB, lda, ldb, ldc };
        const [a, b] = [numbers((transposeA ? k : m) * lda), numbers((transposeB ? n : k) * ldb)];
        const [single, double] = [{ a: new Float32Array(a), b: new Float32Array(b) }, { a, b }];
        const c = numbers(m * ldc);
        const unread = c.map(() => NaN);
        const expected = plainSums({ ...double, c, ...sizes, alpha: 1, beta: 0 });
        for (const [alpha, beta, old] of [[1, 0, unread], [-0.75, 1, c]] as const) {
          const options = { ...sizes, alpha, beta };
          for (
            const product of [
              { ...single, c: new Float32Array(old), ...options },
              { ...double, c: old.slice(), ...options },
            ]
          ) {
            multiply(product);
            compare(name, product, old, expected);
          }
        }
      }
    }
  }
}

/**
 * Values from -1 to 1 that single precision holds exactly, without a pattern that a wrong index
 * would keep.
 */
function numbers(length: number): Float64Array {
  let state = length;
  return Float64Array.from({ length }, () => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return (state >> 15) / 32768 - 1;
  });
}

/** op(A) op(B) by plain sums, and the sums of the absolute products: [m, n] each. */
interface Sums {
  readonly sums: Float64Array;
  readonly sizes: Float64Array;
}

function plainSums({ a, b, m, n, k, transposeA, transposeB, lda, ldb }: FullProduct): Sums {
  const [aRow, aStep] = transposeA ? [1, lda] : [lda, 1];
  const [bStep, bColumn] = transposeB ? [1, ldb] : [ldb, 1];
  const [sums, sizes] = [new Float64Array(m * n), new Float64Array(m * n)];
  for (let at = 0; at < m * n; at++) {
    const [row, column] = [Math.floor(at / n) * aRow, at % n * bColumn];
    let [sum, size] = [0, 0];
    for (let l = 0; l < k; l++) {
      const term = (a[row + l * aStep] ?? NaN) * (b[column + l * bStep] ?? NaN);
      sum += term;
      size += Math.abs(term);
    }
    sums[at] = sum;
    sizes[at] = size;
  }
  return { sums, sizes };
}

/** Throws unless C is right, and unchanged between its rows. */
function compare(name: string, product: FullProduct, before: Float64Array, plain: Sums): void {
  const { c, m, n, k, alpha, beta, ldc, transposeA, transposeB } = product;
  const [kind, rounding] = c instanceof Float32Array ? ["f32", 2 ** -24] : ["f64", 2 ** -53];
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < ldc; j++) {
      const [old, got] = [before[i * ldc + j] ?? NaN, c[i * ldc + j] ?? NaN];
      const inside = j < n ? i * n + j : -1;
      const [sum, size] = [plain.sums[inside] ?? 0, plain.sizes[inside] ?? 0];
      const expected = inside < 0 ? old : alpha * sum + (beta === 0 ? 0 : beta * old);
      const tolerance = (k + 4) * rounding * (size + Math.abs(expected));
      if (Math.abs(got - expected) <= tolerance || Object.is(got, expected)) continue;
      const form = (transposeA ? "T" : "N") + (transposeB ? "T" : "N");
      throw new Error(
        `${name} computes matrix products wrong: ${kind}, form ${form}, [${m}, ${n}, ${k}], ` +
          `value ${i}, ${j}: expected ${expected}: got ${got}`,
      );
    }
  }
}

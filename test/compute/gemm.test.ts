import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { loadKernel, type Product } from "../../lib/compute/mod.ts";
import { everyBackend, matrix, normals, plainProduct } from "./reference.ts";

const roundings = { f32: 2 ** -24, f64: 2 ** -53 };

/**
 * A product of normal values; C starts as normal values too, or as NaN where nothing of it may be
 * read.
 */
function example(
  kind: "f32" | "f64",
  sizes: Omit<Product<Float32Array>, "a" | "b" | "c">,
  padding = 0,
): Product<Float32Array> | Product<Float64Array> {
  const { m, n, k, transposeA, transposeB, beta } = sizes;
  const lda = (transposeA ? m : k) + padding;
  const ldb = (transposeB ? k : n) + padding;
  const ldc = n + padding;
  const values = [
    normals(1, (transposeA ? k : m) * lda),
    normals(2, (transposeB ? n : k) * ldb),
    normals(3, m * ldc).map((x) => beta ? x : NaN),
  ] as const;
  const strides = { lda, ldb, ldc };
  if (kind === "f32") {
    const [a, b, c] = values;
    return { a, b, c, ...sizes, ...strides };
  }
  const [a, b, c] = [
    Float64Array.from(values[0]),
    Float64Array.from(values[1]),
    Float64Array.from(values[2]),
  ];
  return { a, b, c, ...sizes, ...strides };
}

/** The largest error of a product, as a part of what (k + 4) roundings of its terms allow. */
function worstError(
  product: Product<Float32Array> | Product<Float64Array>,
  old: Float32Array | Float64Array,
): number {
  const { c, m, n, k, alpha = 1, beta = 0, ldc = n } = product;
  const rounding = c instanceof Float32Array ? roundings.f32 : roundings.f64;
  const { sums, sizes } = plainProduct(product);
  let worst = 0;
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      const kept = beta === 0 ? 0 : beta * old[i * ldc + j]!;
      const expected = alpha * sums[i * n + j]! + kept;
      const allowed = (k + 4) * rounding * (Math.abs(alpha) * sizes[i * n + j]! + Math.abs(kept));
      const error = Math.abs(c[i * ldc + j]! - expected);
      worst = Math.max(worst, Number.isNaN(error) ? Infinity : error / Math.max(allowed, 1e-300));
    }
  }
  return worst;
}

const size = fc.oneof(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 6, max: 45 }));
const anySizes = fc.record({
  m: size,
  n: size,
  k: size,
  transposeA: fc.boolean(),
  transposeB: fc.boolean(),
  alpha: fc.constantFrom(1, -1, 0, 0.3),
  beta: fc.constantFrom(0, 1, -0.5),
});

describe.each(everyBackend())("gemm ($name)", ({ kernel, reason }) => {
  if (!kernel) return it.skip(`no library: ${reason}`);

  it.each(["f32", "f64"] as const)("agrees with plain sums for any shape and form: %s", (kind) => {
    fc.assert(
      fc.property(anySizes, fc.integer({ min: 0, max: 3 }), (sizes, padding) => {
        const product = example(kind, sizes, padding);
        const old = product.c.slice();
        kernel.gemm(product);
        expect(worstError(product, old)).toBeLessThanOrEqual(1);
        // What lies between the rows of C stays as it was.
        const { n, ldc = n } = product;
        expect(product.c.filter((_, at) => at % ldc >= n))
          .toEqual(old.filter((_, at) => at % ldc >= n));
      }),
      { seed: 1, numRuns: 200 },
    );
  });

  it.each([
    [161, 70, 513, false, false],
    [30, 1030, 300, false, true],
    [330, 20, 257, true, false],
    [12, 1100, 270, true, true],
  ])("crosses every block: [%i, %i, %i], %s, %s", (m, n, k, transposeA, transposeB) => {
    for (const kind of ["f32", "f64"] as const) {
      const product = example(kind, { m, n, k, transposeA, transposeB, alpha: 2, beta: 0.5 });
      const old = product.c.slice();
      kernel.gemm(product);
      expect(worstError(product, old)).toBeLessThanOrEqual(1);
    }
  });

  it("keeps a matrix times the identity exactly", () => {
    const [m, n] = [23, 37];
    const a = normals(1, m * n);
    const b = Float32Array.from(matrix(n, n, (i, j) => Number(i === j)));
    const c = new Float32Array(m * n);
    kernel.gemm({ a, b, c, m, n, k: n });
    expect(c).toEqual(a);
  });

  it("gives (A B)^T = B^T A^T", () => {
    const [m, n, k] = [19, 26, 33];
    const [a, b] = [normals(1, m * k), normals(2, k * n)];
    const [c, d] = [new Float32Array(m * n), new Float32Array(n * m)];
    kernel.gemm({ a, b, c, m, n, k });
    kernel.gemm({ a: b, b: a, c: d, m: n, n: m, k, transposeA: true, transposeB: true });
    const transposed = Float32Array.from(matrix(m, n, (i, j) => d[j * m + i]!));
    c.forEach((value, at) => expect(value).toBeCloseTo(transposed[at]!, 4));
  });

  it("carries a NaN into its row only", () => {
    const [m, n, k] = [11, 9, 7];
    const [a, b, c] = [normals(1, m * k), normals(2, k * n), new Float32Array(m * n)];
    a[4 * k + 2] = NaN;
    kernel.gemm({ a, b, c, m, n, k });
    expect([...c].map(Number.isNaN)).toEqual([...c].map((_, at) => Math.floor(at / n) === 4));
  });

  it("gives the same bytes for arrays inside the kernel's memory and outside, and every time", () => {
    const [m, n, k] = [37, 45, 290];
    const [a, b] = [normals(1, m * k), normals(2, k * n)];
    const [first, second] = [new Float32Array(m * n), new Float32Array(m * n)];
    kernel.gemm({ a, b, c: first, m, n, k });
    kernel.scope(() => {
      const [x, y, z] = [kernel.float32(m * k), kernel.float32(k * n), kernel.float32(m * n)];
      x.set(a);
      y.set(b);
      kernel.gemm({ a: x, b: y, c: z, m, n, k });
      second.set(z);
    });
    expect(second).toEqual(first);
  });
});

describe("gemm", () => {
  const kernel = loadKernel();
  const [a, b, c] = [new Float32Array(6), new Float32Array(6), new Float32Array(4)];

  it.each([
    [{ m: 2.5 }, "Cannot multiply matrices: m must be a whole number of at least 0: got 2.5"],
    [{ k: 4 }, "Cannot multiply matrices: A [2, 4] needs 8 values: got 6"],
    [{ n: 3 }, "Cannot multiply matrices: B [3, 3] needs 9 values: got 6"],
    [{ transposeB: true, ldb: 4 }, "B [2, 3] with rows 4 apart needs 7 values: got 6"],
    [{ c: new Float32Array(3) }, "Cannot multiply matrices: C [2, 2] needs 4 values: got 3"],
    [{ lda: 2 }, "rows of A [2, 3] must be at least 3 values apart: got 2"],
    [
      { b: new Float64Array(6) as Float32Array | Float64Array as Float32Array },
      "A, B and C must be all f32 or all f64: B is Float64Array and C is Float32Array",
    ],
  ])("refuses what does not fit: %j", (change, message) => {
    expect(() => kernel.gemm({ a, b, c, m: 2, n: 2, k: 3, ...change })).toThrow(message);
  });

  it("gives zeros, or beta C, for a product over nothing", () => {
    const c = Float32Array.of(1, 2, 3, 4);
    kernel.gemm({ a: c.subarray(0, 0), b: c.subarray(0, 0), c, m: 2, n: 2, k: 0, beta: 2 });
    expect([...c]).toEqual([2, 4, 6, 8]);
    kernel.gemm({ a: c.subarray(0, 0), b: c.subarray(0, 0), c, m: 2, n: 2, k: 0 });
    expect([...c]).toEqual([0, 0, 0, 0]);
  });
});

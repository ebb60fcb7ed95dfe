import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { everyBackend, matrix, normals, plainProduct } from "./reference.ts";

/** X^T X + n I for normal X: symmetric, positive definite, well conditioned. */
function positiveDefinite(n: number, seed = 1): Float64Array {
  const x = Float64Array.from(normals(seed, n * n));
  const a = plainProduct({ a: x, b: x, c: x, m: n, n, k: n, transposeA: true }).sums;
  for (let i = 0; i < n; i++) a[i * n + i]! += n;
  return a;
}

/** The largest difference of two matrices over the largest value of the second. */
function difference(a: Float64Array, b: Float64Array): number {
  const largest = b.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return a.reduce((most, x, at) => Math.max(most, Math.abs(x - b[at]!)), 0) / (largest || 1);
}

const identity = (n: number) => matrix(n, n, (i, j) => Number(i === j));

/** A B, or A B^T, for square matrices. */
function times(a: Float64Array, b: Float64Array, n: number, form: "AB" | "ABt" | "AtB" = "AB") {
  const [transposeA, transposeB] = [form === "AtB", form === "ABt"];
  return plainProduct({ a, b, c: a, m: n, n, k: n, transposeA, transposeB }).sums;
}

describe.each(everyBackend())("factorisations ($name)", ({ kernel, reason }) => {
  if (!kernel) return it.skip(`no library: ${reason}`);
  // Below, at and beyond one block of 64 columns and one strip of 96.
  const sizes = [1, 2, 5, 63, 64, 65, 130, 200, 321];

  it.each(sizes)("cholesky: L L^T = A, n = %i", (n) => {
    const a = positiveDefinite(n);
    const l = a.slice();
    expect(kernel.cholesky({ a: l, n })).toBeUndefined();
    expect(difference(times(l, l, n, "ABt"), a)).toBeLessThan(n * 2 ** -52);
    expect(matrix(n, n, (i, j) => j > i ? l[i * n + j]! : 0)).toEqual(new Float64Array(n * n));
    for (let i = 0; i < n; i++) expect(l[i * n + i]).toBeGreaterThan(0);
  });

  it.each(sizes)("invertLower: L^-1 L = I, n = %i", (n) => {
    const l = positiveDefinite(n);
    kernel.cholesky({ a: l, n });
    const inverse = l.slice();
    expect(kernel.invertLower({ a: inverse, n })).toBeUndefined();
    expect(difference(times(inverse, l, n), identity(n))).toBeLessThan(n * 2 ** -50);
  });

  it.each(sizes)("inverseFactor: U upper and U^T U H = I, n = %i", (n) => {
    const h = positiveDefinite(n);
    const u = h.slice();
    expect(kernel.inverseFactor({ a: u, n })).toBeUndefined();
    expect(matrix(n, n, (i, j) => j < i ? u[i * n + j]! : 0)).toEqual(new Float64Array(n * n));
    for (let i = 0; i < n; i++) expect(u[i * n + i]).toBeGreaterThan(0);
    const inverse = times(u, u, n, "AtB");
    expect(difference(times(inverse, h, n), identity(n))).toBeLessThan(n * 2 ** -49);
  });

  it("factors a matrix known by heart", () => {
    // The usual textbook example: L = [[2], [6, 1], [-8, 5, 3]].
    const a = Float64Array.of(4, 12, -16, 12, 37, -43, -16, -43, 98);
    kernel.cholesky({ a, n: 3 });
    expect([...a]).toEqual([2, 0, 0, 6, 1, 0, -8, 5, 3]);
    kernel.invertLower({ a, n: 3 });
    [0.5, 0, 0, -3, 1, 0, 19 / 3, -5 / 3, 1 / 3]
      .forEach((value, at) => expect(a[at]).toBeCloseTo(value, 14));
  });

  it("agrees with the exact inverse of the Hilbert matrix as well as its condition allows", () => {
    // Inverse of the 5 x 5 Hilbert matrix, first row and corner, in whole numbers; condition number
    // 4.8e5.
    const n = 5;
    const u = matrix(n, n, (i, j) => 1 / (i + j + 1));
    kernel.inverseFactor({ a: u, n });
    const inverse = times(u, u, n, "AtB");
    const known = [25, -300, 1050, -1400, 630];
    known.forEach((value, at) => expect(inverse[at]! / value).toBeCloseTo(1, 8));
    expect(inverse[24]! / 44100).toBeCloseTo(1, 8);
  });

  it("reads only one triangle", () => {
    const n = 70;
    const a = positiveDefinite(n);
    const [whole, lower] = [a.slice(), matrix(n, n, (i, j) => j <= i ? a[i * n + j]! : NaN)];
    kernel.cholesky({ a: whole, n });
    kernel.cholesky({ a: lower, n });
    expect(lower).toEqual(whole);
    const [full, upper] = [a.slice(), matrix(n, n, (i, j) => j >= i ? a[i * n + j]! : NaN)];
    kernel.inverseFactor({ a: full, n });
    kernel.inverseFactor({ a: upper, n });
    expect(upper).toEqual(full);
  });

  it("scales as it must: H / c gives sqrt(c) U", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 80 }), fc.integer({ min: -20, max: 20 }), (n, e) => {
        const h = positiveDefinite(n, 5);
        const scaled = h.map((value) => value * 4 ** -e);
        kernel.inverseFactor({ a: h, n });
        kernel.inverseFactor({ a: scaled, n });
        // A power of 4 is exact at every step.
        expect(scaled).toEqual(h.map((value) => value * 2 ** e));
      }),
      { seed: 2, numRuns: 30 },
    );
  });

  it.each([0, 3, 64, 100, 199])("reports the column that is not positive: %i", (column) => {
    const n = 200;
    const a = identity(n);
    a[column * (n + 1)] = -2;
    expect(kernel.cholesky({ a: a.slice(), n })).toEqual({ column, pivot: -2 });
    expect(kernel.inverseFactor({ a: a.slice(), n })).toEqual({ column, pivot: -2 });
    a[column * (n + 1)] = 0;
    expect(kernel.cholesky({ a: a.slice(), n })).toEqual({ column, pivot: 0 });
    expect(kernel.invertLower({ a: a.slice(), n })).toEqual({ column, pivot: 0 });
  });

  it("reports NaN and infinity as failed pivots, never as numbers", () => {
    for (const bad of [NaN, Infinity]) {
      const a = positiveDefinite(90);
      a[70 * 91] = bad;
      expect(kernel.cholesky({ a: a.slice(), n: 90 })).toEqual({ column: 70, pivot: bad });
      expect(kernel.inverseFactor({ a: a.slice(), n: 90 })?.column).toBe(70);
    }
  });

  it("finds a rank-deficient Hessian", () => {
    // Two equal columns: the second has nothing left of its own.
    const a = Float64Array.of(4, 2, 2, 2, 5, 5, 2, 5, 5);
    expect(kernel.cholesky({ a, n: 3 })).toEqual({ column: 2, pivot: 0 });
  });

  it("takes 0 x 0 and refuses a short array", () => {
    expect(kernel.cholesky({ a: new Float64Array(0), n: 0 })).toBeUndefined();
    expect(() => kernel.inverseFactor({ a: new Float64Array(8), n: 3 })).toThrow(
      "Cannot factor the inverse Hessian: A [3, 3] needs 9 values: got 8",
    );
  });
});

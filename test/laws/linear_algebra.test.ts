import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  backSubstitute,
  cholesky,
  type FactorOptions,
  householder,
  type Triangle,
} from "../../lib/laws/linear_algebra.ts";

/** A tall system from its columns and its right-hand side. */
function tall(columns: readonly number[][], b: readonly number[]) {
  return {
    rows: b.length,
    columns: columns.length,
    data: Float64Array.from([...columns.flat(), ...b]),
  };
}

/** The products of all columns with each other, b for the last. */
function gram(columns: readonly number[][], b: readonly number[]): Float64Array {
  const all = [...columns, b];
  return Float64Array.from(all.flatMap((x) => all.map((y) => dot(x, y))));
}

/** Entry (i, j) of R'R, which is that of A'A with the columns in pivot order. */
function product({ r, rank, order }: Triangle, i: number, j: number): number {
  let sum = 0;
  for (let k = 0; k < rank; k++) sum += r[k * order.length + i]! * r[k * order.length + j]!;
  return sum;
}

const dot = (a: readonly number[], b: readonly number[]) =>
  a.reduce((sum, value, i) => sum + value * b[i]!, 0);

// Columns of lengths that differ by powers of ten, so that every pivot order and both factorisations occur.
const vector = fc.array(fc.integer({ min: -1000, max: 1000 }), {
  minLength: 7,
  maxLength: 7,
});
const scaled = fc.tuple(vector, fc.integer({ min: -8, max: 8 }))
  .map(([values, power]) => values.map((value) => value * 10 ** power));
const systems = fc.tuple(fc.array(scaled, { minLength: 1, maxLength: 4 }), vector);

const ways: [
  string,
  (columns: number[][], b: number[], options: FactorOptions) => Triangle | undefined,
][] = [
  ["cholesky", (columns, b, options) => cholesky(gram(columns, b), options)],
  ["householder", (columns, b, options) => householder(tall(columns, b), options)],
];

describe.each(ways)("%s", (name, factor) => {
  it("gives R with R'R = A'A and R'c = A'b, and keeps the length of b", () => {
    let solved = 0;
    fc.assert(
      fc.property(systems, fc.nat(4), ([columns, b], first) => {
        const leading = Math.min(first, columns.length);
        const triangle = factor(columns, b, { first: leading });
        if (triangle === undefined) return;
        solved++;
        const { order, r, c, rank, rest } = triangle;
        expect([...order].sort()).toEqual(columns.map((_, i) => i));
        for (let i = 0; i < order.length; i++) {
          const a = columns[order[i]!]!;
          const size = Math.sqrt(dot(a, a));
          for (let j = 0; j < order.length; j++) {
            const other = columns[order[j]!]!;
            const error = Math.abs(product(triangle, i, j) - dot(a, other));
            expect(error).toBeLessThanOrEqual(1e-13 * size * Math.sqrt(dot(other, other)));
          }
          let against = 0;
          for (let k = 0; k < rank; k++) against += r[k * order.length + i]! * c[k]!;
          expect(Math.abs(against - dot(a, b))).toBeLessThanOrEqual(
            1e-13 * size * Math.sqrt(dot(b, b)),
          );
        }
        expect((rest + dot([...c], [...c])) / (dot(b, b) || 1)).toBeCloseTo(
          dot(b, b) === 0 ? 0 : 1,
          12,
        );
        expect([...order.slice(0, triangle.leading)].every((j) => j < leading)).toBe(true);
      }),
      { numRuns: 300, seed: 1 },
    );
    expect(solved).toBeGreaterThan(name === "cholesky" ? 200 : 299);
  });
});

describe("householder", () => {
  it("solves a system whose columns are nearly dependent to what a double holds", () => {
    // Läuchli's matrix, of condition 1e7: A'A is singular in double precision. A x = (1, e, 0, 0) at x = (1, 0, 0).
    const e = 1e-9;
    const columns = [[1, e, 0, 0], [1, 0, e, 0], [1, 0, 0, e]];
    expect(cholesky(gram(columns, [-1, -e, 0, 0]))).toBeUndefined();
    const triangle = householder(tall(columns, [-1, -e, 0, 0]));
    expect(triangle.rank).toBe(3);
    const x = backSubstitute(triangle);
    triangle.order.forEach((column, i) => {
      expect(x[i]!).toBeCloseTo(column === 0 ? 1 : 0, 6);
    });
  });

  it("finds the rank, and which of the first columns depend on others", () => {
    const columns = [[1, 2, 3, 4], [2, 4, 6, 8], [1, 1, 1, 1], [0, 0, 0, 0]];
    const triangle = householder(tall(columns, [1, 0, 0, 1]), { first: 2 });
    expect(triangle).toMatchObject({ rank: 2, leading: 1 });
    expect([...triangle.order.slice(0, 2)].sort()).toEqual([0, 2]);
  });
});

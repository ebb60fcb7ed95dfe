import { describe, expect, it } from "vitest";
import { quadraticForms, signVector } from "../../lib/measure/mod.ts";

/** w^T A w / 2, whose Hessian is A. */
function quadratic(matrix: readonly (readonly number[])[]) {
  const parameters = Float32Array.from(matrix, (_, i) => 0.3 * i - 0.5);
  const gradient = () =>
    Float32Array.from(matrix, (row) => row.reduce((sum, a, j) => sum + a * parameters[j]!, 0));
  return { parameters, gradient };
}

const matrix = [[4, 1, 0, 2], [1, 3, -1, 0], [0, -1, 5, 1], [2, 0, 1, -2]];
const groups = [{ offset: 0, length: 2 }, { offset: 2, length: 2 }];

describe("quadratic forms", () => {
  it("are v (A v) by group, and leave the parameters as they were", () => {
    const loss = quadratic(matrix);
    const before = loss.parameters.slice();
    const vector = Float32Array.of(1, -2, 0.5, 3);
    const forms = quadraticForms(loss, vector, { groups, difference: 0.1 });
    // A v = (8, -5.5, 7.5, -3.5) by hand.
    expect(forms[0]).toBeCloseTo(1 * 8 + -2 * -5.5, 3);
    expect(forms[1]).toBeCloseTo(0.5 * 7.5 + 3 * -3.5, 3);
    expect(loss.parameters).toEqual(before);
  });

  it("have the trace of each group's block as their mean over all vectors of signs", () => {
    const loss = quadratic(matrix);
    const sums = [0, 0];
    for (let code = 0; code < 16; code++) {
      const signs = Float32Array.from({ length: 4 }, (_, i) => (code >> i) % 2 ? 1 : -1);
      quadraticForms(loss, signs, { groups, difference: 0.1 }).forEach((form, i) => {
        sums[i]! += form / 16;
      });
    }
    expect(sums[0]).toBeCloseTo(4 + 3, 3);
    expect(sums[1]).toBeCloseTo(5 - 2, 3);
  });

  it("have no variance for a diagonal Hessian", () => {
    const loss = quadratic([[7, 0, 0, 0], [0, 1, 0, 0], [0, 0, 2, 0], [0, 0, 0, 4]]);
    for (const seed of [1, 2, 3]) {
      const vector = signVector(4, { groups, seed });
      const forms = quadraticForms(loss, vector, { groups, difference: 0.1 });
      expect(forms[0]).toBeCloseTo(8, 3);
      expect(forms[1]).toBeCloseTo(6, 3);
    }
  });

  it("refuse a vector of zeros", () => {
    expect(() => quadraticForms(quadratic(matrix), new Float32Array(4), { groups, difference: 1 }))
      .toThrow("needs a vector that is not 0");
  });
});

describe("vectors of signs", () => {
  it("are 1 or -1 in the groups, 0 elsewhere, about half of each, and the same for a seed", () => {
    const options = { groups: [{ offset: 10, length: 1000 }], seed: 3 };
    const vector = signVector(1200, options);
    expect(signVector(1200, options)).toEqual(vector);
    const inside = vector.subarray(10, 1010);
    expect(new Set(inside)).toEqual(new Set([1, -1]));
    expect(Math.abs(inside.reduce((sum, sign) => sum + sign, 0))).toBeLessThan(130);
    expect([...vector.subarray(0, 10), ...vector.subarray(1010)].every((value) => value === 0))
      .toBe(true);
  });
});

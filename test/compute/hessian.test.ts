import { describe, expect, it } from "vitest";
import { everyBackend, normals, plainProduct } from "./reference.ts";

describe.each(everyBackend())("hessian ($name)", ({ kernel, reason }) => {
  if (!kernel) return it.skip(`no library: ${reason}`);

  it.each([[1, 1], [3, 7], [40, 33], [600, 50], [20, 250]])(
    "is scale X^T X in both triangles: %i rows, %i columns",
    (rows, columns) => {
      const inputs = normals(1, rows * columns);
      const hessian = new Float64Array(columns * columns).fill(NaN);
      kernel.hessian({ inputs, rows, columns, hessian, scale: 2 / rows, beta: 0 });
      const product = { m: columns, n: columns, k: rows, transposeA: true };
      const { sums, sizes } = plainProduct({ a: inputs, b: inputs, c: inputs, ...product });
      hessian.forEach((value, at) => {
        const [i, j] = [Math.floor(at / columns), at % columns];
        expect(value).toBe(hessian[j * columns + i]);
        // At most 512 terms are summed in f32.
        const allowed = (Math.min(rows, 512) + 4) * 2 ** -24 * sizes[at]! * 2 / rows;
        expect(Math.abs(value - sums[at]! * 2 / rows)).toBeLessThanOrEqual(allowed);
      });
    },
  );

  it("accumulates: two halves give the whole", () => {
    const [rows, columns] = [1024, 20];
    const inputs = normals(2, rows * columns);
    const [whole, halves] = [new Float64Array(columns ** 2), new Float64Array(columns ** 2)];
    kernel.hessian({ inputs, rows, columns, hessian: whole });
    const half = rows / 2;
    kernel.hessian({ inputs, rows: half, columns, hessian: halves });
    kernel.hessian({
      inputs: inputs.subarray(half * columns),
      rows: half,
      columns,
      hessian: halves,
    });
    expect(halves).toEqual(whole);
  });

  it("makes a running mean with beta: beta H + scale X^T X", () => {
    const hessian = Float64Array.of(8, 0, 0, 4);
    kernel.hessian({
      inputs: Float32Array.of(1, 3),
      rows: 1,
      columns: 2,
      hessian,
      scale: 2,
      beta: 0.5,
    });
    expect([...hessian]).toEqual([6, 6, 6, 20]);
    kernel.hessian({ inputs: new Float32Array(0), rows: 0, columns: 2, hessian, beta: 0.5 });
    expect([...hessian]).toEqual([3, 3, 3, 10]);
  });

  it("refuses shapes that do not fit", () => {
    const [inputs, hessian] = [new Float32Array(5), new Float64Array(4)];
    expect(() => kernel.hessian({ inputs, rows: 3, columns: 2, hessian })).toThrow(
      "Cannot accumulate the Hessian: X [3, 2] needs 6 values: got 5",
    );
    expect(() => kernel.hessian({ inputs, rows: 1, columns: 3, hessian })).toThrow(
      "Cannot accumulate the Hessian: H [3, 3] needs 9 values: got 4",
    );
  });
});

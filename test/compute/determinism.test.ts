import { describe, expect, it } from "vitest";
import { loadKernel } from "../../lib/compute/mod.ts";
import { normals } from "./reference.ts";

const n = 67;
const values = normals(1, n * n);

/** Bytes of everything that a backend may round in its own way. */
function results(kernel = loadKernel({ memory: 2 ** 24 })): Uint8Array[] {
  const c = new Float32Array(n * n);
  kernel.gemm({ a: values, b: values, c, m: n, n, k: n, transposeA: true, alpha: 0.7 });
  const hessian = new Float64Array(n * n);
  kernel.hessian({ inputs: values, rows: n, columns: n, hessian, beta: 0 });
  for (let i = 0; i < n; i++) hessian[i * (n + 1)]! += 1;
  const factor = hessian.slice();
  kernel.inverseFactor({ a: factor, n });
  return [c, hessian, factor].map((array) => new Uint8Array(array.buffer));
}

describe("on one machine", () => {
  it("the first call, later ones and another kernel give the same bytes", () => {
    // The first call runs code that was compiled in haste; the engine replaces it after some
    // hundred calls.
    const kernel = loadKernel({ memory: 2 ** 24 });
    const first = results(kernel);
    for (let call = 0; call < 500; call++) results(kernel);
    expect(results(kernel)).toEqual(first);
    expect(results()).toEqual(first);
  });
});

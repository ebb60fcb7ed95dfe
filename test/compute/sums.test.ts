import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { loadKernel } from "../../lib/compute/mod.ts";
import { normals } from "./reference.ts";

const kernel = loadKernel();

describe("sums and squares", () => {
  it("are exact where float64 is, for any length", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer(), fc.integer()), { maxLength: 40 }), (pairs) => {
        // Whole numbers up to 2^20: no sum is rounded.
        const [x, y] = [0, 1].map((i) => Float32Array.from(pairs, (pair) => pair[i]! >> 11));
        let [sum, size, signal, noise] = [0, 0, 0, 0];
        x!.forEach((value, i) => {
          sum += value;
          size += Math.abs(value);
          signal += value ** 2;
          noise += (value - y![i]!) ** 2;
        });
        expect(kernel.sums(x!)).toEqual({ sum, size });
        expect(kernel.squares(x!, y!)).toEqual({ signal, noise });
      }),
      { seed: 1 },
    );
  });

  it("are the same inside the kernel's memory and outside, over many chunks", () => {
    const [x, y] = [normals(1, 200_003), normals(2, 200_003)];
    kernel.scope(() => {
      const [a, b] = [kernel.float32(x.length), kernel.float32(y.length)];
      a.set(x);
      b.set(y);
      expect(kernel.sums(a)).toEqual(kernel.sums(x));
      expect(kernel.squares(a, b)).toEqual(kernel.squares(x, y));
    });
    const { signal } = kernel.squares(x, y);
    expect(signal / x.reduce((sum, value) => sum + value ** 2, 0)).toBeCloseTo(1, 12);
  });

  it("tell a value that is not finite, wherever it is, and take the largest", () => {
    const largest = Math.fround(3.4028234663852886e38);
    const values = new Float32Array(1003).fill(largest);
    expect(kernel.sums(values).size).toBe(1003 * largest);
    for (const at of [0, 501, 1000, 1002]) {
      for (const value of [NaN, Infinity, -Infinity]) {
        values[at] = value;
        expect(kernel.sums(values).size).not.toBeLessThan(Infinity);
        values[at] = 1;
      }
    }
  });

  it("need equal lengths", () => {
    expect(() => kernel.squares(new Float32Array(2), new Float32Array(3)))
      .toThrow("Cannot sum squares: x and y need equal lengths: got 2 and 3");
  });
});

import { describe, expect, it } from "vitest";
import { loadKernel } from "../../lib/compute/mod.ts";

const kernel = loadKernel({ memory: 2 ** 23 });

describe("the kernel's memory", () => {
  it("hands out aligned arrays of zeros that do not overlap", () => {
    kernel.scope(() => {
      const arrays = [
        ...[kernel.uint8(3), kernel.float32(5), kernel.float64(7)],
        ...[kernel.int32(0), kernel.float32(9)],
      ];
      arrays.forEach((array, i) => array.fill(i + 1));
      arrays.forEach((array, i) => {
        expect(array.byteOffset % 64).toBe(0);
        expect(array.every((value) => value === i + 1)).toBe(true);
      });
    });
  });

  it("frees what a scope made, also when it throws, and clears it for the next one", () => {
    const addresses: number[] = [];
    for (let round = 0; round < 3; round++) {
      expect(() =>
        kernel.scope(() => {
          const array = kernel.float32(100_000);
          expect(array.every((value) => value === 0)).toBe(true);
          addresses.push(array.fill(NaN).byteOffset);
          throw new Error("inside");
        })
      ).toThrow("inside");
    }
    expect(new Set(addresses).size).toBe(1);
  });

  it("keeps what was made before the scope, and returns its result", () => {
    kernel.scope(() => {
      const kept = kernel.float32(10).fill(1);
      expect(kernel.scope(() => kernel.float32(10).fill(2)[3])).toBe(2);
      kernel.float32(10).fill(3);
      expect(kept).toEqual(new Float32Array(10).fill(1));
    });
  });

  it("says what is free when it is full, and takes no wrong length", () => {
    expect(() => kernel.float64(2 ** 20)).toThrow(
      /^Cannot fit 8388608 bytes into the kernel's memory: \d+ of 8388608 are free: load the kernel/,
    );
    expect(() => kernel.float32(1.5)).toThrow("the length must be a whole number: got 1.5");
  });

  it.each([1000, 2 ** 33, NaN])("refuses %s bytes", (memory) => {
    expect(() => loadKernel({ memory })).toThrow(
      `Cannot reserve memory for the kernel: give 4194304 to 4294901760 bytes: got ${memory}`,
    );
  });
});

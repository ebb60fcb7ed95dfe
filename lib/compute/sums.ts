import type { Machine } from "./machine.ts";
import type { Squares, Sums } from "./types.ts";

/** Values worked on at a time: twice 256 KiB, which a second-level cache holds. */
const chunk = 65536;

/** The sum of values and of their sizes. */
export function sums({ arena, wasm }: Machine, values: Float32Array): Sums {
  return arena.scope(() => {
    const total = arena.float64(2);
    for (let start = 0; start < values.length; start += chunk) {
      arena.scope(() => {
        const x = arena.bring(values.subarray(start, start + chunk));
        wasm.addSums(x.byteOffset, x.length, total.byteOffset);
      });
    }
    const [sum = NaN, size = NaN] = total;
    return { sum, size };
  });
}

/** The sums of x^2 and of (x - y)^2. */
export function squares({ arena, wasm }: Machine, x: Float32Array, y: Float32Array): Squares {
  if (x.length !== y.length) {
    throw new RangeError(
      `Cannot sum squares: x and y need equal lengths: got ${x.length} and ${y.length}`,
    );
  }
  return arena.scope(() => {
    const total = arena.float64(2);
    for (let start = 0; start < x.length; start += chunk) {
      arena.scope(() => {
        const a = arena.bring(x.subarray(start, start + chunk));
        const b = arena.bring(y.subarray(start, start + chunk));
        wasm.addSquares(a.byteOffset, b.byteOffset, a.length, total.byteOffset);
      });
    }
    const [signal = NaN, noise = NaN] = total;
    return { signal, noise };
  });
}

// What the kernels must compute, written as plainly as possible.

import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { loadKernel, type MatrixKernel } from "../../lib/compute/mod.ts";
import type { GptqOptions, Grid, Product } from "../../lib/compute/mod.ts";

const fround = Math.fround;

/** Standard normal values (Box and Muller). */
export function normals(seed: number, length: number): Float32Array {
  const generator = xoroshiro128plus(seed);
  return Float32Array.from({ length }, () => {
    const radius = Math.sqrt(-2 * Math.log(1 - uniformFloat64(generator)));
    return radius * Math.cos(2 * Math.PI * uniformFloat64(generator));
  });
}

/**
 * The WebAssembly kernel, and the BLAS one where the system has a library, with the reason where it
 * has not.
 */
export function everyBackend(): { name: string; kernel?: MatrixKernel; reason: string }[] {
  const wasm = { name: "wasm", kernel: loadKernel(), reason: "" };
  try {
    return [wasm, { name: "blas", kernel: loadKernel({ backend: "blas" }), reason: "" }];
  } catch (error) {
    return [wasm, { name: "blas", reason: String(error) }];
  }
}

/** A value for each index pair. */
export function matrix(
  rows: number,
  columns: number,
  value: (i: number, j: number) => number,
): Float64Array {
  return Float64Array.from(
    { length: rows * columns },
    (_, at) => value(Math.floor(at / columns), at % columns),
  );
}

/**
 * op(A) op(B) by plain sums, and beside each sum the sum of absolute products, which bounds its
 * rounding error.
 */
export function plainProduct(product: Product<Float32Array> | Product<Float64Array>) {
  const { a, b, m, n, k, transposeA, transposeB } = product;
  const { lda = transposeA ? m : k, ldb = transposeB ? k : n } = product;
  const [aRow, aStep] = transposeA ? [1, lda] : [lda, 1];
  const [bStep, bColumn] = transposeB ? [1, ldb] : [ldb, 1];
  const [sums, sizes] = [new Float64Array(m * n), new Float64Array(m * n)];
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let [sum, size] = [0, 0];
      for (let l = 0; l < k; l++) {
        const term = a[i * aRow + l * aStep]! * b[l * bStep + j * bColumn]!;
        sum += term;
        size += Math.abs(term);
      }
      sums[i * n + j] = sum;
      sizes[i * n + j] = size;
    }
  }
  return { sums, sizes };
}

/** Rounds an f32 to a whole number, ties to even. */
function nearestEven(x: number): number {
  const shift = 3 * 2 ** 51;
  return Math.abs(x) < 2 ** 23 ? x + shift - shift : x;
}

/** The code and the value of one weight, every operation rounded to f32. */
export function quantizeOne(
  w: number,
  grid: Grid,
  scale: number,
  zero: number,
): { code: number; value: number } {
  const x = fround(w / scale);
  if ("maxq" in grid) {
    const code = Math.min(Math.max(fround(nearestEven(x) + zero), 0), grid.maxq);
    return { code, value: fround(scale * fround(code - zero)) };
  }
  const code = grid.thresholds.filter((threshold) => x > threshold).length;
  return { code, value: fround(scale * (grid.levels[code] ?? NaN)) };
}

/** GPTQ one column after the other over whole rows: no blocks, no tiles. Grids are given. */
export function plainGptq(options: GptqOptions) {
  const { rows, columns, factor, grid, scale, zero } = options;
  const group = options.group ?? columns;
  const groups = columns / group;
  const weights = options.weights.slice();
  const codes = new Uint8Array(rows * columns);
  const u = (i: number, j: number) => fround(factor[i * columns + j] ?? NaN);
  let loss = 0;
  for (let row = 0; row < rows; row++) {
    const w = weights.subarray(row * columns, (row + 1) * columns);
    for (let i = 0; i < columns; i++) {
      const before = w[i] ?? NaN;
      const g = row * groups + (options.groupOf?.[i] ?? Math.floor(i / group));
      const { code, value } = quantizeOne(before, grid, scale[g] ?? NaN, zero?.[g] ?? 0);
      const error = fround(fround(before - value) / u(i, i));
      for (let j = i + 1; j < columns; j++) w[j] = (w[j] ?? NaN) - fround(error * u(i, j));
      w[i] = value;
      codes[row * columns + i] = code;
      loss += error * error / 2;
    }
  }
  return { weights, codes, loss };
}

/** What the tests of formats share: PyTorch's vectors, seeded normal weights, and obvious loops. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import fc from "fast-check";

interface FormatVectors {
  fp8: Record<"fp8_e4m3" | "fp8_e5m2", string>;
  mx: Record<string, string>;
  nf4: Record<string, string>;
  fp4: Record<string, string>;
  dynamicMap: number[];
  double: { codes: string; scales: number[] };
  int8: { codes: string; values: string };
  bitnet: { "b1.58": string; b1: string; activations: string };
}

/** Written by vectors/formats.py. */
export const vectors = JSON.parse(
  readFileSync(new URL("./vectors/formats.json", import.meta.url), "utf8"),
) as FormatVectors;

/** SHA-256 of the bytes, with -0 taken as 0. */
export function sha256(values: Float32Array | Uint8Array): string {
  return createHash("sha256").update(new Uint8Array(values.map((x) => x + 0).buffer)).digest("hex");
}

/** Standard normal numbers from a seed (Box-Muller). */
export function normal(count: number, seed: number): Float32Array {
  const random = xoroshiro128plus(seed);
  const values = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    const radius = Math.sqrt(-2 * Math.log(1 - uniformFloat64(random)));
    values[i] = radius * Math.cos(2 * Math.PI * uniformFloat64(random));
  }
  return values;
}

/** One row. */
export function row(...values: number[]) {
  return { rows: 1, columns: values.length, data: Float32Array.from(values) };
}

/** Weights far from the ends of float32, so that a product with 2^20 is exact. */
export const weight = fc.oneof(
  fc.constant(0),
  fc.float({ noNaN: true, min: -1024, max: 1024 }).filter((x) => Math.abs(x) > 2 ** -60),
  fc.integer({ min: -64, max: 64 }).map((x) => x / 16),
);

export const weights = fc.array(weight, { minLength: 1, maxLength: 80 });

/** Equal as numbers: 0 and -0 are. */
export function same(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  return a.length === b.length && Array.from(a).every((x, i) => x === b[i]);
}

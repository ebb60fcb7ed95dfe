// Written by hand: pure-rand draws uniform numbers only.
/** Seeded random numbers for figures, notebooks and tests. */
import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

/**
 * Independent standard normal numbers, the same for the same seed (Box and Muller 1958).
 *
 * ```ts
 * import assert from "node:assert/strict";
 * import { normals } from "./random.ts";
 *
 * assert.deepEqual(normals(4, { seed: 1 }), normals(4, { seed: 1 }));
 * ```
 */
export function normals(count: number, options: { seed: number }): Float32Array {
  const random = xoroshiro128plus(options.seed);
  return Float32Array.from({ length: count }, () => {
    const radius = Math.sqrt(-2 * Math.log(1 - uniformFloat64(random)));
    return radius * Math.cos(2 * Math.PI * uniformFloat64(random));
  });
}

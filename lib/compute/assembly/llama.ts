// What the Llama family has beside the operations of GPT-NeoX: a gated activation, and queries, keys
// and values that come from three maps, with several queries to a key.

import { exp4 } from "./vector";

/** out = gate / (1 + e^-gate) * up over `length` values, a multiple of 4. `out` may be `gate`. */
export function siluGate(gate: usize, up: usize, length: i32, out: usize): void {
  const end = <usize> length * 4, one = f32x4.splat(1), most = f32x4.splat(80);
  for (let i: usize = 0; i < end; i += 16) {
    const x = v128.load(gate + i);
    const e = exp4(f32x4.pmin(f32x4.neg(x), most));
    const y = f32x4.mul(x, v128.load(up + i));
    v128.store(out + i, f32x4.div(y, f32x4.add(one, e)));
  }
}

/**
 * Rows of queries [heads x headWidth], keys and values [keyHeads x headWidth] each, to rows that hold
 * [query, key, value] for each head, as attention reads them: a key stands beside each of its
 * heads / keyHeads queries.
 */
export function joinHeads(
  query: usize,
  key: usize,
  value: usize,
  rows: i32,
  heads: i32,
  keyHeads: i32,
  headWidth: i32,
  out: usize,
): void {
  const width = <usize> headWidth * 4, shared = heads / keyHeads;
  for (let r = 0; r < rows; r++) {
    for (let h = 0; h < heads; h++) {
      const at = <usize> (h / shared) * width;
      memory.copy(out, query + <usize> h * width, width);
      memory.copy(out + width, key + at, width);
      memory.copy(out + 2 * width, value + at, width);
      out += 3 * width;
    }
    query += <usize> heads * width;
    key += <usize> keyHeads * width;
    value += <usize> keyHeads * width;
  }
}

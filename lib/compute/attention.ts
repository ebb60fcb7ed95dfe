import { addresses } from "./address.ts";
import type { Machine } from "./machine.ts";
import type {
  AttentionBackwardOptions,
  AttentionOptions,
  ProbabilitiesOptions,
} from "./network_types.ts";

/**
 * Queries that are worked on together. They need the keys up to their own end only, so that nearly
 * half of all products is left out; smaller blocks leave out more, and pay for more calls.
 */
const block = 64;

/** Values from one row of probabilities to the next: rows start at whole vectors of 4. */
function strideOf(length: number): number {
  return Math.ceil(length / 4) * 4;
}

/** Values that the probabilities take: of all sequences and heads, or of one block of queries. */
export function probabilitiesLength(options: ProbabilitiesOptions): number {
  const { sequences, heads, length, keep = true } = options;
  return keep ? sequences * heads * length * strideOf(length) : block * strideOf(length);
}

/** Forward: see {@linkcode NetworkKernel.attention}. */
export function attention(machine: Machine, options: AttentionOptions): void {
  const { x, probabilities, output, length, heads, headWidth, keep = true } = options;
  const { wasm, multiplySingle } = machine;
  check(machine, options);
  const [row, outputRow, stride] = [3 * heads * headWidth, heads * headWidth, strideOf(length)];
  const scale = 1 / Math.sqrt(headWidth);
  for (const { query, key, value, out, p } of headsOf(options)) {
    const [k, v] = [x.subarray(key), x.subarray(value)];
    for (let start = 0; start < length; start += block) {
      const rows = Math.min(block, length - start);
      const keys = start + rows;
      const scores = probabilities.subarray(keep ? p + start * stride : 0);
      const q = x.subarray(query + start * row);
      const o = output.subarray(out + start * outputRow);
      multiplySingle("NT", rows, keys, headWidth, scale, q, row, k, row, 0, scores, stride);
      wasm.softmaxForward(scores.byteOffset, rows, start + 1, keys, stride);
      multiplySingle("NN", rows, headWidth, keys, 1, scores, stride, v, row, 0, o, outputRow);
    }
  }
}

/** Backward: see {@linkcode NetworkKernel.attentionBackward}. */
export function attentionBackward(machine: Machine, options: AttentionBackwardOptions): void {
  const { x, probabilities, output, length, heads, headWidth, outputGradient, xGradient } = options;
  const { arena, wasm, multiplySingle } = machine;
  check(machine, options);
  check(machine, { ...options, x: xGradient, output: outputGradient });
  const [row, outputRow, stride] = [3 * heads * headWidth, heads * headWidth, strideOf(length)];
  const scale = 1 / Math.sqrt(headWidth);
  arena.scope(() => {
    const ds = arena.float32(Math.min(block, length) * stride);
    for (const { query, key, value, out, p } of headsOf(options)) {
      const [k, v] = [x.subarray(key), x.subarray(value)];
      const [dk, dv] = [xGradient.subarray(key), xGradient.subarray(value)];
      // The last block sees all keys and writes their gradients; the others add to them.
      let beta = 0;
      for (let start = Math.floor((length - 1) / block) * block; start >= 0; start -= block) {
        const rows = Math.min(block, length - start);
        const keys = start + rows;
        const pr = probabilities.subarray(p + start * stride);
        const q = x.subarray(query + start * row);
        const dq = xGradient.subarray(query + start * row);
        const o = output.subarray(out + start * outputRow);
        const dO = outputGradient.subarray(out + start * outputRow);
        multiplySingle("NT", rows, keys, headWidth, 1, dO, outputRow, v, row, 0, ds, stride);
        multiplySingle("TN", keys, headWidth, rows, 1, pr, stride, dO, outputRow, beta, dv, row);
        // deno-fmt-ignore
        wasm.softmaxBackward(
          ds.byteOffset, pr.byteOffset, rows, keys, stride,
          o.byteOffset, dO.byteOffset, headWidth, outputRow, scale,
        );
        multiplySingle("NN", rows, headWidth, keys, 1, ds, stride, k, row, 0, dq, row);
        multiplySingle("TN", keys, headWidth, rows, 1, ds, stride, q, row, beta, dk, row);
        beta = 1;
      }
    }
  });
}

/** Where the values of each sequence and head begin. */
function* headsOf({ sequences, length, heads, headWidth }: ProbabilitiesOptions) {
  for (let sequence = 0; sequence < sequences; sequence++) {
    for (let head = 0; head < heads; head++) {
      const first = sequence * length * heads + head;
      const query = first * 3 * headWidth;
      const p = (sequence * heads + head) * length * strideOf(length);
      yield {
        ...{ query, key: query + headWidth, value: query + 2 * headWidth },
        ...{ out: first * headWidth, p },
      };
    }
  }
}

function check({ arena }: Machine, options: AttentionOptions): void {
  const at = addresses(arena, options);
  const values = options.sequences * options.length * options.heads * options.headWidth;
  at("x", 3 * values);
  at("output", values);
  at("probabilities", probabilitiesLength(options));
}

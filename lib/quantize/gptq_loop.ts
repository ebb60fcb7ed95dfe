/** The column loop of GPTQ. */
import { decode, encode, type FindScales, type Steps } from "./grid.ts";

export interface LoopInput {
  weights: Float32Array;
  rows: number;
  columns: number;
  factor: Float64Array;
  steps: Steps;
  group: number;
  groupOf?: Uint32Array;
  scale: Float32Array;
  zero: Float32Array;
  find?: FindScales;
  block: number;
}

const fround = Math.fround;

export function gptqLoop(input: LoopInput): { indices: Uint8Array } {
  const { weights, rows, columns, factor, steps, group, groupOf, scale, zero, find, block } = input;
  const perRow = Math.ceil(columns / group);
  const indices = new Uint8Array(rows * columns);
  const upper = Float32Array.from(factor);
  for (let start = 0; start < columns; start += block) {
    const end = Math.min(start + block, columns);
    if (find) {
      for (let g = Math.ceil(start / group); g * group < end; g++) {
        const width = Math.min(group, columns - g * group);
        for (let row = 0; row < rows; row++) {
          const from = row * columns + g * group;
          const at = row * perRow + g;
          find(
            weights.subarray(from, from + width),
            width,
            scale.subarray(at, at + 1),
            zero.subarray(at, at + 1),
          );
        }
      }
    }
    for (let row = 0; row < rows; row++) {
      const w = weights.subarray(row * columns, (row + 1) * columns);
      for (let i = start; i < end; i++) {
        const at = row * perRow + (groupOf?.[i] ?? Math.floor(i / group));
        const shared = { scale: scale[at]!, zero: zero[at]! };
        const index = encode(steps, w[i]!, shared);
        indices[row * columns + i] = index;
        const value = decode(steps, index, shared);
        const error = fround(fround(w[i]! - value) / upper[i * columns + i]!);
        w[i] = value;
        for (let j = i + 1; j < columns; j++) {
          w[j] = w[j]! - fround(error * upper[i * columns + j]!);
        }
      }
    }
  }
  return { indices };
}

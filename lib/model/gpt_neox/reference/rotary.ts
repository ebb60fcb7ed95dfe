import type { ModelConfig } from "../../config.ts";
import type { Operation } from "./operation.ts";

/**
 * Turns queries and keys by their positions (Su et al., arXiv 2104.09864). `input` holds rows of
 * [query, key, value] per head; row r stands at position r mod `length`. In each query and key,
 * values i and i + width / 2 of the first `rotary.width` are a point in a plane, which turns by
 * position / base^(2 i / width).
 *
 * The derivative of a turn is the turn itself, so that gradients are turned back.
 */
export function rotary(
  input: Float64Array,
  length: number,
  config: Pick<ModelConfig, "heads" | "headWidth" | "rotary">,
): Operation {
  return {
    value: turn(input, length, config, 1),
    backward: (gradient) => turn(gradient, length, config, -1),
  };
}

function turn(
  input: Float64Array,
  length: number,
  { heads, headWidth, rotary }: Pick<ModelConfig, "heads" | "headWidth" | "rotary">,
  direction: 1 | -1,
): Float64Array {
  const output = input.slice();
  const half = rotary.width / 2;
  const row = heads * 3 * headWidth;
  for (let start = 0; start < input.length; start += headWidth) {
    const isValue = (start / headWidth) % 3 === 2;
    if (isValue) continue;
    const position = Math.floor(start / row) % length;
    for (let i = 0; i < half; i++) {
      const angle = direction * position / rotary.base ** (i / half);
      const [a, b] = [input[start + i]!, input[start + half + i]!];
      output[start + i] = a * Math.cos(angle) - b * Math.sin(angle);
      output[start + half + i] = b * Math.cos(angle) + a * Math.sin(angle);
    }
  }
  return output;
}

import type { ModelConfig } from "../../config.ts";
import type { Operation } from "./operation.ts";

/**
 * Causal attention: output_i = sum over j <= i of p_ij value_j, p_i = softmax over j <= i of
 * (query_i . key_j / sqrt(headWidth)), for each head of each sequence. `input` holds rows of
 * [query, key, value] per head, `length` rows a sequence.
 *
 * With dp_ij = doutput_i . value_j, the softmax gives ds_ij = p_ij (dp_ij - sum over k of p_ik
 * dp_ik).
 */
export function attention(
  input: Float64Array,
  length: number,
  { heads, headWidth }: Pick<ModelConfig, "heads" | "headWidth">,
): Operation {
  const rows = input.length / (heads * 3 * headWidth);
  const scale = 1 / Math.sqrt(headWidth);
  const value = new Float64Array(rows * heads * headWidth);
  const probabilities: Float64Array[] = [];

  /** Index of the first value of a head's query (part 0), key (1) or value (2) in a row. */
  const at = (row: number, head: number, part: number) =>
    ((row * heads + head) * 3 + part) * headWidth;
  const dot = (a: Float64Array, i: number, b: Float64Array, j: number) => {
    let sum = 0;
    for (let n = 0; n < headWidth; n++) sum += a[i + n]! * b[j + n]!;
    return sum;
  };
  const addScaled = (
    to: Float64Array,
    i: number,
    factor: number,
    from: Float64Array,
    j: number,
  ) => {
    for (let n = 0; n < headWidth; n++) to[i + n]! += factor * from[j + n]!;
  };

  for (let row = 0; row < rows; row++) {
    const first = row - row % length;
    for (let head = 0; head < heads; head++) {
      const scores = Float64Array.from(
        { length: row - first + 1 },
        (_, j) => scale * dot(input, at(row, head, 0), input, at(first + j, head, 1)),
      );
      const p = softmax(scores);
      p.forEach((weight, j) =>
        addScaled(value, (row * heads + head) * headWidth, weight, input, at(first + j, head, 2))
      );
      probabilities.push(p);
    }
  }
  return {
    value,
    backward(gradient) {
      const inputGradient = new Float64Array(input.length);
      for (let row = 0; row < rows; row++) {
        const first = row - row % length;
        for (let head = 0; head < heads; head++) {
          const p = probabilities[row * heads + head]!;
          const output = (row * heads + head) * headWidth;
          const dp = p.map((_, j) => dot(gradient, output, input, at(first + j, head, 2)));
          const mean = dp.reduce((sum, v, j) => sum + v * p[j]!, 0);
          p.forEach((weight, j) => {
            const ds = scale * weight * (dp[j]! - mean);
            const [query, key] = [at(row, head, 0), at(first + j, head, 1)];
            addScaled(inputGradient, at(first + j, head, 2), weight, gradient, output);
            addScaled(inputGradient, query, ds, input, key);
            addScaled(inputGradient, key, ds, input, query);
          });
        }
      }
      return inputGradient;
    },
  };
}

/** e^s over their sum. */
export function softmax(scores: Float64Array): Float64Array {
  const largest = scores.reduce((a, b) => Math.max(a, b));
  const exponentials = scores.map((score) => Math.exp(score - largest));
  const sum = exponentials.reduce((a, b) => a + b);
  return exponentials.map((e) => e / sum);
}

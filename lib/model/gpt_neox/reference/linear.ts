import type { Operation, Parameter } from "./operation.ts";

/** The parameters of y = W x + b. */
export interface LinearParameters {
  /** W [out, in]. */
  readonly weight: Parameter;
  /** b [out]. */
  readonly bias?: Parameter;
}

/**
 * y = W x + b for each row x of `input` [rows, width].
 *
 * dx = W^T dy, dW = sum over rows of dy x^T, db = sum over rows of dy.
 */
export function linear(
  input: Float64Array,
  width: number,
  { weight, bias }: LinearParameters,
): Operation {
  const rows = input.length / width;
  const out = weight.value.length / width;
  const value = new Float64Array(rows * out);
  for (let row = 0; row < rows; row++) {
    for (let o = 0; o < out; o++) {
      let sum = bias ? bias.value[o]! : 0;
      for (let i = 0; i < width; i++) {
        sum += weight.value[o * width + i]! * input[row * width + i]!;
      }
      value[row * out + o] = sum;
    }
  }
  return {
    value,
    backward(gradient) {
      const inputGradient = new Float64Array(input.length);
      for (let row = 0; row < rows; row++) {
        for (let o = 0; o < out; o++) {
          const dy = gradient[row * out + o]!;
          if (bias) bias.gradient[o]! += dy;
          for (let i = 0; i < width; i++) {
            weight.gradient[o * width + i]! += dy * input[row * width + i]!;
            inputGradient[row * width + i]! += dy * weight.value[o * width + i]!;
          }
        }
      }
      return inputGradient;
    },
  };
}

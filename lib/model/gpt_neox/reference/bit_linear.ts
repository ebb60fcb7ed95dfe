import { linear, type LinearParameters } from "./linear.ts";
import type { Operation } from "./operation.ts";

/** How BitNet rounds; each returns new values. */
export interface Quantizers {
  /** The weights of one linear map. */
  weights(values: Float64Array): Float64Array;
  /** Rows of activations [rows, width], each with its own scale. */
  activations(values: Float64Array, width: number): Float64Array;
}

/**
 * BitNet's linear map: y = Q(W) Q(x) + b for each row x of `input`.
 *
 * Rounding has a derivative of 0 almost everywhere, so the gradient goes straight through it: it is
 * that of y = (W + c) (x + d) + b with c = Q(W) - W and d = Q(x) - x held fixed (Bengio et al.,
 * arXiv 1308.3432).
 */
export function bitLinear(
  input: Float64Array,
  width: number,
  { weight, bias }: LinearParameters,
  quantizers: Quantizers,
): Operation {
  const rounded = { value: quantizers.weights(weight.value), gradient: weight.gradient };
  return linear(quantizers.activations(input, width), width, {
    weight: rounded,
    ...(bias ? { bias } : {}),
  });
}

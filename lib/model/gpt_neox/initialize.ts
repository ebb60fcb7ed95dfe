import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import type { ModelConfig } from "../config.ts";
import type { TensorSlot } from "../tensors.ts";

/**
 * Fills the parameters as Pythia's were (`small_init` and `wang_init` of EleutherAI/gpt-neox):
 * tables and the maps into a block normal with standard deviation sqrt(2 / (5 d)); the two maps
 * that add to the residual stream, `dense` and `dense_4h_to_h`, normal with 2 / (L sqrt(d)), small
 * in a deep model; norms 1; biases 0. The same seed gives the same parameters everywhere.
 */
export function initialize(
  parameters: Float32Array,
  layout: readonly TensorSlot[],
  { width, layers, seed }: Pick<ModelConfig, "width" | "layers"> & { seed: number },
): void {
  const normal = normals(seed);
  const small = Math.sqrt(2 / (5 * width));
  const residual = 2 / (layers * Math.sqrt(width));
  for (const { name, shape, offset, length } of layout) {
    const values = parameters.subarray(offset, offset + length);
    if (shape.length === 1) {
      values.fill(name.endsWith("norm.weight") ? 1 : 0);
      continue;
    }
    const deviation = /\.(dense|dense_4h_to_h)\.weight$/.test(name) ? residual : small;
    for (let i = 0; i < length; i++) values[i] = deviation * normal();
  }
}

/** Standard normal values, two from each pair of uniform ones (Box and Muller). */
function normals(seed: number): () => number {
  const generator = xoroshiro128plus(seed);
  let kept: number | undefined;
  return () => {
    if (kept !== undefined) {
      const value = kept;
      kept = undefined;
      return value;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - uniformFloat64(generator)));
    const angle = 2 * Math.PI * uniformFloat64(generator);
    kept = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  };
}

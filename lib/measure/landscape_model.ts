/** A checkpoint whose linear maps are moved about: what the landscape measurements run. */
import { type LanguageModel, layoutOf, type TensorSlot } from "../model/mod.ts";
import { normals } from "../random.ts";
import { normOf } from "./curvature.ts";

/** The linear maps of the blocks, which are what quantization changes. */
export function quantizedSlots(config: LanguageModel["config"]): TensorSlot[] {
  return layoutOf(config).filter(({ name, shape }) =>
    name.startsWith("gpt_neox.layers.") && shape.length === 2
  );
}

/** Reads all tensors of a model, so that it can be made in a kernel's memory, and given back with its scope. */
export async function readTensors(
  { config, source }: LanguageModel,
): Promise<ReadonlyMap<string, Float32Array>> {
  const tensors = new Map<string, Float32Array>();
  for (const { name } of layoutOf(config)) tensors.set(name, (await source.tensor(name)).data);
  return tensors;
}

/**
 * A random direction from the weights: normal numbers in each linear map, scaled to the norm of its weights, and 0
 * elsewhere. Moving the weights by r times the direction is noise of -20 log10 r dB in every layer.
 */
export function randomDirection(
  parameters: Float32Array,
  { slots, seed }: { slots: readonly TensorSlot[]; seed: number },
): Float32Array {
  const direction = new Float32Array(parameters.length);
  const drawn = normals(slots.reduce((sum, { length }) => sum + length, 0), { seed });
  let first = 0;
  for (const { offset, length } of slots) {
    const values = drawn.subarray(first, first + length);
    const scale = normOf(parameters.subarray(offset, offset + length)) / normOf(values);
    for (let i = 0; i < length; i++) direction[offset + i] = scale * values[i]!;
    first += length;
  }
  return direction;
}

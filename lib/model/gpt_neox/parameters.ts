import type { MatrixKernel } from "../../compute/mod.ts";
import type { ModelConfig } from "../config.ts";
import type { TensorSlot } from "../tensors.ts";

/** A parameter tensor and its gradient, both views of the flat arrays. */
export interface Parameter {
  readonly value: Float32Array;
  readonly gradient: Float32Array;
}

/** The parameters of a linear map. */
export interface Linear {
  readonly out: number;
  /** Values in a row of the input. */
  readonly width: number;
  /** [out, width]. */
  readonly weight: Parameter;
  /**
   * The weights that inputs are multiplied by: those of `weight` themselves, or with BitNet rounded
   * ones.
   */
  readonly used: Float32Array;
  readonly bias?: Parameter;
}

/** The parameters of a layer normalisation. */
export interface Norm {
  readonly weight: Parameter;
  readonly bias: Parameter;
}

/** The parameters of a block, by what they do. */
export interface Block {
  readonly attentionNorm: Norm;
  readonly mlpNorm: Norm;
  readonly queryKeyValue: Linear;
  readonly dense: Linear;
  readonly up: Linear;
  readonly down: Linear;
  /** Weights of BitNet's norms before `dense` and `down`. */
  readonly attentionSubNorm?: Parameter;
  readonly mlpSubNorm?: Parameter;
}

/** All parameters. */
export interface Parameters {
  readonly embedIn: Parameter;
  readonly blocks: readonly Block[];
  readonly finalNorm: Norm;
  readonly embedOut: Linear;
}

/** The flat arrays of a model. */
export interface FlatArrays {
  readonly layout: readonly TensorSlot[];
  readonly parameters: Float32Array;
  readonly gradients: Float32Array;
}

/** Finds each parameter in the flat arrays, and makes room for BitNet's rounded weights. */
export function bindParameters(
  kernel: MatrixKernel,
  { layers, bitLinear }: ModelConfig,
  { layout, parameters, gradients }: FlatArrays,
): Parameters {
  const slots = new Map(layout.map((slot) => [slot.name, slot]));
  const find = (name: string): Parameter | undefined => {
    const slot = slots.get(name);
    if (!slot) return undefined;
    const [start, end] = [slot.offset, slot.offset + slot.length];
    return { value: parameters.subarray(start, end), gradient: gradients.subarray(start, end) };
  };
  const norm = (name: string): Norm => ({
    weight: find(`${name}.weight`)!,
    bias: find(`${name}.bias`)!,
  });
  const linear = (name: string, isRounded = bitLinear !== undefined): Linear => {
    const [weight, bias] = [find(`${name}.weight`)!, find(`${name}.bias`)];
    const [out = 0, width = 0] = slots.get(`${name}.weight`)!.shape;
    const used = isRounded ? kernel.float32(out * width) : weight.value;
    return { out, width, weight, used, ...(bias ? { bias } : {}) };
  };
  const block = (_: unknown, index: number): Block => {
    const name = `gpt_neox.layers.${index}`;
    const attentionSubNorm = find(`${name}.attention.sub_norm.weight`);
    const mlpSubNorm = find(`${name}.mlp.sub_norm.weight`);
    return {
      attentionNorm: norm(`${name}.input_layernorm`),
      mlpNorm: norm(`${name}.post_attention_layernorm`),
      queryKeyValue: linear(`${name}.attention.query_key_value`),
      dense: linear(`${name}.attention.dense`),
      up: linear(`${name}.mlp.dense_h_to_4h`),
      down: linear(`${name}.mlp.dense_4h_to_h`),
      ...(attentionSubNorm && mlpSubNorm ? { attentionSubNorm, mlpSubNorm } : {}),
    };
  };
  return {
    embedIn: find("gpt_neox.embed_in.weight")!,
    blocks: Array.from({ length: layers }, block),
    finalNorm: norm("gpt_neox.final_layer_norm"),
    embedOut: linear("embed_out", false),
  };
}

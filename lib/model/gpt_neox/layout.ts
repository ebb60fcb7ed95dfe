import type { ModelConfig } from "../config.ts";
import type { TensorSlot } from "../tensors.ts";

/**
 * The tensors of a GPT-NeoX model in Hugging Face's names, shapes and order, one after the other in
 * a flat array. Weights of linear maps are [out, in]. A model with `bitLinear` has two more norms a
 * block, before `dense` and `dense_4h_to_h`.
 */
export function layoutOf(config: ModelConfig): readonly TensorSlot[] {
  const { vocabulary, width, layers, innerWidth, bitLinear } = config;
  const norm = (name: string): [string, number[]][] => [
    [`${name}.weight`, [width]],
    [`${name}.bias`, [width]],
  ];
  const linear = (name: string, out: number, into: number, bias: boolean): [string, number[]][] => [
    [`${name}.weight`, [out, into]],
    ...(bias ? [[`${name}.bias`, [out]] as [string, number[]]] : []),
  ];
  const subNorm = (name: string, length: number): [string, number[]][] =>
    bitLinear ? [[`${name}.sub_norm.weight`, [length]]] : [];
  const block = (index: number) => {
    const name = `gpt_neox.layers.${index}`;
    return [
      ...norm(`${name}.input_layernorm`),
      ...norm(`${name}.post_attention_layernorm`),
      ...linear(`${name}.attention.query_key_value`, 3 * width, width, config.attentionBias),
      ...subNorm(`${name}.attention`, width),
      ...linear(`${name}.attention.dense`, width, width, config.outputBias),
      ...linear(`${name}.mlp.dense_h_to_4h`, innerWidth, width, config.mlpBias),
      ...subNorm(`${name}.mlp`, innerWidth),
      ...linear(`${name}.mlp.dense_4h_to_h`, width, innerWidth, config.mlpBias),
    ];
  };
  const tensors: [string, number[]][] = [
    ["gpt_neox.embed_in.weight", [vocabulary, width]],
    ...Array.from({ length: layers }, (_, index) => block(index)).flat(),
    ...norm("gpt_neox.final_layer_norm"),
    ["embed_out.weight", [vocabulary, width]],
  ];
  let offset = 0;
  return tensors.map(([name, shape]) => {
    const length = shape.reduce((product, size) => product * size, 1);
    const slot = { name, shape, offset, length };
    offset += length;
    return slot;
  });
}

/** How many parameters a model has. */
export interface ParameterCount {
  readonly total: number;
  /**
   * N of the scaling laws: all but the two tables of the vocabulary; layers (12 d^2 + 13 d) + 2 d
   * for GPT-NeoX.
   */
  readonly nonEmbedding: number;
  /** The input and the output table. */
  readonly embedding: number;
}

/**
 * Counts the parameters of a GPT-NeoX model.
 *
 * ```ts
 * import { deepStrictEqual } from "node:assert/strict";
 * import { countParameters, gptNeoXConfig } from "../mod.ts";
 *
 * // Pythia-70M: 18,915,328 of its 70,426,624 parameters are not in the tables.
 * const config = gptNeoXConfig({ width: 512, layers: 6, heads: 8, vocabulary: 50304 });
 * deepStrictEqual(countParameters(config), {
 *   ...{ total: 70426624, nonEmbedding: 18915328, embedding: 51511296 },
 * });
 * ```
 */
export function countParameters(config: ModelConfig): ParameterCount {
  const total = layoutOf(config).reduce((sum, { length }) => sum + length, 0);
  const embedding = 2 * config.vocabulary * config.width;
  return { total, nonEmbedding: total - embedding, embedding };
}

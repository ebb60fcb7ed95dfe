import type { ModelConfig } from "../config.ts";
import type { NamedShape } from "../tensors.ts";

/**
 * The tensors of a GPT-NeoX model in Hugging Face's names, shapes and order. Weights of
 * linear maps are [out, in]. A model with `bitLinear` has two more norms a block, before `dense` and `dense_4h_to_h`.
 */
export function gptNeoXLayout(config: ModelConfig): readonly NamedShape[] {
  const { vocabulary, width, layers, innerWidth, bitLinear } = config;
  const norm = (name: string): NamedShape[] => [
    [`${name}.weight`, [width]],
    [`${name}.bias`, [width]],
  ];
  const linear = (name: string, out: number, into: number, bias: boolean): NamedShape[] => [
    [`${name}.weight`, [out, into]],
    ...(bias ? [[`${name}.bias`, [out]] satisfies NamedShape] : []),
  ];
  const subNorm = (name: string, length: number): NamedShape[] =>
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
  return [
    ["gpt_neox.embed_in.weight", [vocabulary, width]],
    ...Array.from({ length: layers }, (_, index) => block(index)).flat(),
    ...norm("gpt_neox.final_layer_norm"),
    ["embed_out.weight", [vocabulary, width]],
  ];
}

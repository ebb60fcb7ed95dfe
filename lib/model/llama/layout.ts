import type { ModelConfig } from "../config.ts";
import type { NamedShape } from "../tensors.ts";

/**
 * The tensors of a Llama, Mistral, Qwen2 or OLMo2 model in Hugging Face's names and shapes. Weights of
 * linear maps are [out, in]. OLMo2 normalises what comes out of attention and of the feed-forward part,
 * and all queries and keys; the others what goes in.
 */
export function llamaLayout(config: ModelConfig): readonly NamedShape[] {
  const { family, vocabulary, width, layers, heads, keyValueHeads, headWidth, innerWidth } = config;
  const [all, shared] = [heads * headWidth, keyValueHeads * headWidth];
  const linear = (name: string, out: number, into: number, bias: boolean): NamedShape[] => [
    [`${name}.weight`, [out, into]],
    ...(bias ? [[`${name}.bias`, [out]] satisfies NamedShape] : []),
  ];
  const norm = (name: string, length = width): NamedShape => [`${name}.weight`, [length]];
  const norms = (name: string) =>
    family === "olmo2"
      ? [
        norm(`${name}.self_attn.q_norm`, all),
        norm(`${name}.self_attn.k_norm`, shared),
        norm(`${name}.post_attention_layernorm`),
        norm(`${name}.post_feedforward_layernorm`),
      ]
      : [norm(`${name}.input_layernorm`), norm(`${name}.post_attention_layernorm`)];
  const block = (index: number) => {
    const name = `model.layers.${index}`;
    return [
      ...linear(`${name}.self_attn.q_proj`, all, width, config.attentionBias),
      ...linear(`${name}.self_attn.k_proj`, shared, width, config.attentionBias),
      ...linear(`${name}.self_attn.v_proj`, shared, width, config.attentionBias),
      ...linear(`${name}.self_attn.o_proj`, width, all, config.outputBias),
      ...linear(`${name}.mlp.gate_proj`, innerWidth, width, config.mlpBias),
      ...linear(`${name}.mlp.up_proj`, innerWidth, width, config.mlpBias),
      ...linear(`${name}.mlp.down_proj`, width, innerWidth, config.mlpBias),
      ...norms(name),
    ];
  };
  return [
    ["model.embed_tokens.weight", [vocabulary, width]],
    ...Array.from({ length: layers }, (_, index) => block(index)).flat(),
    norm("model.norm"),
    ...(config.tiedEmbeddings
      ? []
      : [["lm_head.weight", [vocabulary, width]] satisfies NamedShape]),
  ];
}

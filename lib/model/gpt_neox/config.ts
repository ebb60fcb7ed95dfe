import { type BitLinear, checkConfig, type ModelConfig } from "../config.ts";

/** The sizes of a GPT-NeoX model, and what Pythia leaves as it is. */
export interface GptNeoXOptions {
  width: number;
  layers: number;
  /** Must divide `width`. */
  heads: number;
  /** Default 256: bytes. */
  vocabulary?: number;
  /** Default 256. */
  context?: number;
  /** Default 4 width. */
  innerWidth?: number;
  /** The part of each head that is turned by its position. Default 1/4. */
  rotaryPart?: number;
  /** Default true. */
  parallelResidual?: boolean;
  /** Default: full precision. */
  bitLinear?: BitLinear;
}

/**
 * The configuration of a GPT-NeoX model as Pythia has it (arXiv 2304.01373): attention and
 * feed-forward part side by side, rotary positions on a quarter of each head, LayerNorm, biases,
 * exact GELU, and an output table of its own. With `bitLinear` the linear maps of the blocks have
 * no biases.
 *
 * Throws a RangeError when the sizes do not fit each other.
 */
export function gptNeoXConfig(options: GptNeoXOptions): ModelConfig {
  const { width, layers, heads, vocabulary = 256, context = 256, innerWidth = 4 * width } = options;
  const { rotaryPart = 1 / 4, parallelResidual = true, bitLinear } = options;
  if (width % heads !== 0) {
    throw new RangeError(
      `Cannot make a gpt_neox model: heads must divide width: got ${heads} and ${width}`,
    );
  }
  const [headWidth, bias] = [width / heads, bitLinear === undefined];
  const config: ModelConfig = {
    ...{ family: "gpt_neox", vocabulary, context, width, layers, heads, keyValueHeads: heads },
    ...{ headWidth, innerWidth, activation: "gelu", normEpsilon: 1e-5 },
    rotary: { width: Math.trunc(headWidth * rotaryPart), base: 10000 },
    ...{ attentionBias: bias, outputBias: bias, mlpBias: bias },
    ...{ parallelResidual, tiedEmbeddings: false },
    ...(bitLinear ? { bitLinear } : {}),
  };
  checkConfig(config);
  return config;
}

/**
 * The config.json of a GPT-NeoX model, which the public `transformers` library opens: with the
 * older keys for rotary positions, which all of its versions read. `bit_linear` is our own key.
 */
export function writeConfig(config: ModelConfig): Record<string, unknown> {
  if (config.family !== "gpt_neox") {
    throw new Error(`Cannot write config.json: the family must be gpt_neox: got ${config.family}`);
  }
  return {
    architectures: ["GPTNeoXForCausalLM"],
    attention_bias: config.attentionBias,
    ...(config.bitLinear ? { bit_linear: config.bitLinear } : {}),
    hidden_act: config.activation === "gelu_tanh" ? "gelu_pytorch_tanh" : config.activation,
    hidden_size: config.width,
    initializer_range: 0.02,
    intermediate_size: config.innerWidth,
    layer_norm_eps: config.normEpsilon,
    max_position_embeddings: config.context,
    model_type: config.family,
    num_attention_heads: config.heads,
    num_hidden_layers: config.layers,
    rotary_emb_base: config.rotary.base,
    rotary_pct: config.rotary.width / config.headWidth,
    tie_word_embeddings: config.tiedEmbeddings,
    torch_dtype: "float32",
    use_parallel_residual: config.parallelResidual,
    vocab_size: config.vocabulary,
  };
}

import {
  type Activation,
  checkConfig,
  families,
  type Family,
  type Llama3Scaling,
} from "./config.ts";
import type { BitLinear, ModelConfig, Rotary } from "./config.ts";
import { JsonReader } from "./json_reader.ts";

const activations: Record<string, Activation> = {
  ...{
    gelu: "gelu",
    gelu_new: "gelu_tanh",
    gelu_fast: "gelu_tanh",
    gelu_pytorch_tanh: "gelu_tanh",
  },
  ...{ silu: "silu", swish: "silu" },
};

/**
 * What sets a family apart. Values that config.json may leave out are those of the public
 * `transformers` library.
 */
const ofFamily: Record<Family, (json: JsonReader) => Partial<ModelConfig>> = {
  gpt_neox: (json) => {
    const bias = json.flag("attention_bias", true);
    const bits: Record<BitLinear, BitLinear> = { "b1.58": "b1.58", b1: "b1" };
    return {
      activation: json.choice("hidden_act", activations, "gelu"),
      normEpsilon: json.number("layer_norm_eps", 1e-5),
      ...{ attentionBias: bias, outputBias: bias, mlpBias: true },
      parallelResidual: json.flag("use_parallel_residual", true),
      ...(json.has("bit_linear")
        ? {
          bitLinear: json.choice("bit_linear", bits),
          ...{ attentionBias: false, outputBias: false, mlpBias: false },
        }
        : {}),
    };
  },
  llama: (json) => {
    const bias = json.flag("attention_bias", false);
    return { attentionBias: bias, outputBias: bias, mlpBias: json.flag("mlp_bias", false) };
  },
  mistral: (json) =>
    json.has("sliding_window") ? { slidingWindow: json.integer("sliding_window") } : {},
  qwen2: (json) => {
    if (json.flag("use_sliding_window", false)) {
      throw new Error(
        'Cannot read config.json: "use_sliding_window" must be false: windows in some layers only are not supported',
      );
    }
    return { attentionBias: true };
  },
  olmo2: (json) => {
    const bias = json.flag("attention_bias", false);
    return {
      attentionBias: bias,
      outputBias: bias,
      normEpsilon: json.number("rms_norm_eps", 1e-5),
    };
  },
};

/**
 * Reads a Hugging Face config.json (the parsed object), in the older style of keys (`rotary_pct`,
 * `rope_theta`, `rope_scaling`) or the newer one (`rope_parameters`).
 *
 * Throws with the key, what it must be and what it is; and when the sizes do not fit each other.
 *
 * ```ts
 * import { deepStrictEqual } from "node:assert/strict";
 * import { readConfig } from "./mod.ts";
 *
 * const { family, headWidth, rotary } = readConfig({
 *   ...{ model_type: "gpt_neox", vocab_size: 50304, hidden_size: 512, num_hidden_layers: 6 },
 *   ...{ num_attention_heads: 8, intermediate_size: 2048, max_position_embeddings: 2048 },
 *   ...{ rotary_pct: 0.25, rotary_emb_base: 10000 },
 * });
 * deepStrictEqual({ family, headWidth, rotary }, {
 *   ...{ family: "gpt_neox", headWidth: 64, rotary: { width: 16, base: 10000 } },
 * });
 * ```
 */
export function readConfig(json: unknown): ModelConfig {
  const reader = new JsonReader(json, "config.json");
  const names = Object.fromEntries(families.map((name) => [name, name])) as Record<Family, Family>;
  const family = reader.choice("model_type", names);
  const [width, heads] = [reader.integer("hidden_size"), reader.integer("num_attention_heads")];
  if (!reader.has("head_dim") && width % heads !== 0) {
    throw new Error(
      `Cannot read config.json: "num_attention_heads" must divide "hidden_size": got ${heads} and ${width}`,
    );
  }
  const headWidth = reader.integer("head_dim", width / heads);
  const keyValueHeads = family === "gpt_neox"
    ? heads
    : reader.integer("num_key_value_heads", heads);
  const config: ModelConfig = {
    ...{
      family,
      vocabulary: reader.integer("vocab_size"),
      context: reader.integer("max_position_embeddings"),
    },
    ...{ width, layers: reader.integer("num_hidden_layers"), heads, keyValueHeads, headWidth },
    innerWidth: reader.integer("intermediate_size"),
    activation: family === "gpt_neox" ? "gelu" : reader.choice("hidden_act", activations, "silu"),
    normEpsilon: family === "gpt_neox" ? 1e-5 : reader.number("rms_norm_eps", 1e-6),
    rotary: readRotary(reader, headWidth, family === "gpt_neox" ? 0.25 : 1),
    ...{ attentionBias: false, outputBias: false, mlpBias: false, parallelResidual: false },
    tiedEmbeddings: reader.flag("tie_word_embeddings", false),
    ...ofFamily[family](reader),
  };
  checkConfig(config);
  return config;
}

function readRotary(reader: JsonReader, headWidth: number, usualPart: number): Rotary {
  const isNew = reader.has("rope_parameters");
  const json = isNew ? reader.object("rope_parameters") : reader;
  const part = isNew
    ? json.number("partial_rotary_factor", usualPart)
    : json.number("rotary_pct", json.number("partial_rotary_factor", usualPart));
  const base = json.number("rope_theta", isNew ? 10000 : json.number("rotary_emb_base", 10000));
  const rotary = { width: Math.trunc(headWidth * part), base };
  const scaling = isNew
    ? readScaling(json)
    : json.has("rope_scaling")
    ? readScaling(json.object("rope_scaling"))
    : undefined;
  return scaling ? { ...rotary, scaling } : rotary;
}

function readScaling(json: JsonReader): Llama3Scaling | undefined {
  const kinds = { default: false, llama3: true };
  const key = !json.has("rope_type") && json.has("type") ? "type" : "rope_type";
  if (!json.choice(key, kinds, "default")) return undefined;
  return {
    factor: json.number("factor"),
    lowFrequencyFactor: json.number("low_freq_factor"),
    highFrequencyFactor: json.number("high_freq_factor"),
    originalContext: json.integer("original_max_position_embeddings"),
  };
}

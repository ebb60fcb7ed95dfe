import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { checkConfig, gptNeoXConfig, readConfig, writeConfig } from "../../lib/model/mod.ts";

const fixture = (name: string) =>
  JSON.parse(readFileSync(new URL(`fixtures/${name}/config.json`, import.meta.url), "utf8"));

/**
 * What real checkpoints have: EleutherAI/pythia-70m, Llama-3.1-8B, Mistral-7B-v0.1, Qwen2-0.5B and
 * OLMo-2-7B.
 */
const published = {
  pythia: {
    ...{ model_type: "gpt_neox", vocab_size: 50304, hidden_size: 512, num_hidden_layers: 6 },
    ...{ num_attention_heads: 8, intermediate_size: 2048, max_position_embeddings: 2048 },
    ...{ hidden_act: "gelu", layer_norm_eps: 1e-5, rotary_pct: 0.25, rotary_emb_base: 10000 },
    ...{ tie_word_embeddings: false, use_parallel_residual: true, torch_dtype: "float16" },
  },
  llama: {
    ...{ model_type: "llama", vocab_size: 128256, hidden_size: 4096, num_hidden_layers: 32 },
    ...{ num_attention_heads: 32, num_key_value_heads: 8, intermediate_size: 14336 },
    ...{ max_position_embeddings: 131072, hidden_act: "silu", rms_norm_eps: 1e-5 },
    ...{ rope_theta: 500000, attention_bias: false, mlp_bias: false, tie_word_embeddings: false },
    rope_scaling: {
      ...{ factor: 8, low_freq_factor: 1, high_freq_factor: 4, rope_type: "llama3" },
      original_max_position_embeddings: 8192,
    },
  },
  mistral: {
    ...{ model_type: "mistral", vocab_size: 32000, hidden_size: 4096, num_hidden_layers: 32 },
    ...{ num_attention_heads: 32, num_key_value_heads: 8, intermediate_size: 14336 },
    ...{ max_position_embeddings: 32768, sliding_window: 4096, rms_norm_eps: 1e-5 },
    ...{ hidden_act: "silu", rope_theta: 10000, tie_word_embeddings: false },
  },
  qwen2: {
    ...{ model_type: "qwen2", vocab_size: 151936, hidden_size: 896, num_hidden_layers: 24 },
    ...{ num_attention_heads: 14, num_key_value_heads: 2, intermediate_size: 4864 },
    ...{ max_position_embeddings: 131072, sliding_window: 131072, use_sliding_window: false },
    ...{ hidden_act: "silu", rms_norm_eps: 1e-6, rope_theta: 1000000, tie_word_embeddings: true },
  },
  olmo2: {
    ...{ model_type: "olmo2", vocab_size: 100352, hidden_size: 4096, num_hidden_layers: 32 },
    ...{ num_attention_heads: 32, num_key_value_heads: 32, intermediate_size: 11008 },
    ...{ max_position_embeddings: 4096, hidden_act: "silu", rms_norm_eps: 1e-6 },
    ...{ attention_bias: false, rope_theta: 500000, rope_scaling: null },
  },
};

describe("reading a config.json", () => {
  it("takes the newer style of keys", () => {
    expect(readConfig(fixture("gpt_neox"))).toEqual({
      ...{ family: "gpt_neox", vocabulary: 320, context: 64, width: 64, layers: 3 },
      ...{ heads: 4, keyValueHeads: 4, headWidth: 16, innerWidth: 256, activation: "gelu" },
      ...{ normEpsilon: 1e-5, rotary: { width: 4, base: 10000 } },
      ...{ attentionBias: true, outputBias: true, mlpBias: true },
      ...{ parallelResidual: true, tiedEmbeddings: false },
    });
  });

  it("takes the older style of keys", () => {
    const config = readConfig(fixture("gpt_neox_sequential"));
    expect(config.rotary).toEqual({ width: 16, base: 10000 });
    expect(config.parallelResidual).toBe(false);
    expect(readConfig(published.pythia).rotary).toEqual({ width: 16, base: 10000 });
  });

  it("reads what sets each family apart", () => {
    expect(readConfig(published.llama)).toMatchObject({
      ...{ keyValueHeads: 8, headWidth: 128, activation: "silu", attentionBias: false },
      rotary: {
        ...{ width: 128, base: 500000 },
        scaling: {
          ...{ factor: 8, lowFrequencyFactor: 1, highFrequencyFactor: 4, originalContext: 8192 },
        },
      },
    });
    expect(readConfig(published.mistral)).toMatchObject({ slidingWindow: 4096 });
    const qwen = readConfig(published.qwen2);
    expect(qwen).toMatchObject({ attentionBias: true, outputBias: false, tiedEmbeddings: true });
    expect(qwen.slidingWindow).toBeUndefined();
    expect(readConfig(published.olmo2)).toMatchObject({ normEpsilon: 1e-6, outputBias: false });
  });

  it.each([
    [{ hidden_size: null }, '"hidden_size" is missing: it must be a whole number'],
    [{ hidden_size: "512" }, '"hidden_size" must be a whole number of at least 1: got "512"'],
    [{ num_attention_heads: 7 }, '"num_attention_heads" must divide "hidden_size": got 7 and 512'],
    [{ model_type: "gpt2" }, '"model_type" must be one of "gpt_neox", "llama"'],
    [{ hidden_act: "relu" }, '"hidden_act" must be one of "gelu"'],
    [{ use_parallel_residual: 1 }, '"use_parallel_residual" must be true or false: got 1'],
    [{ rotary_pct: 0.01 }, "rotary.width must be even, from 2 to headWidth 64: got 0"],
    [{ rope_parameters: { rope_type: "yarn" } }, '"rope_type" must be one of "default", "llama3"'],
    [{ rope_parameters: { rope_type: "llama3" } }, '"factor" is missing'],
    [{ model_type: "qwen2", use_sliding_window: true }, '"use_sliding_window" must be false'],
  ])("says which key is at fault: %j", (change, message) => {
    expect(() => readConfig({ ...published.pythia, ...change })).toThrow(message);
  });

  it("refuses what is no object", () => {
    expect(() => readConfig([])).toThrow("Cannot read config.json: needs a JSON object: got []");
  });
});

describe("a GPT-NeoX configuration", () => {
  it.each([{}, { bitLinear: "b1.58" }, { bitLinear: "b1", parallelResidual: false }] as const)(
    "comes back from the config.json written for it: %j",
    (options) => {
      const config = gptNeoXConfig({ width: 96, layers: 3, heads: 3, ...options });
      expect(readConfig(JSON.parse(JSON.stringify(writeConfig(config))))).toEqual(config);
    },
  );

  it("refuses sizes that do not fit each other", () => {
    const sizes = { width: 64, layers: 3, heads: 2 };
    expect(() => gptNeoXConfig({ ...sizes, heads: 3 })).toThrow(
      "Cannot make a gpt_neox model: heads must divide width: got 3 and 64",
    );
    expect(() => gptNeoXConfig({ ...sizes, layers: 0 })).toThrow(
      "layers must be a whole number of at least 1: got 0",
    );
    const config = gptNeoXConfig(sizes);
    expect(() => checkConfig({ ...config, keyValueHeads: 3 })).toThrow("keyValueHeads must divide");
    expect(() => checkConfig({ ...config, normEpsilon: 0 })).toThrow("normEpsilon must be");
    expect(() => writeConfig({ ...config, family: "llama" })).toThrow("got llama");
  });
});

import { describe, expect, it } from "vitest";
import { countParameters, createModel, gptNeoXConfig, layoutOf } from "../../lib/model/mod.ts";
import { loadKernel } from "../../lib/compute/mod.ts";
import { loadFixture } from "./fixtures.ts";

describe("the parameters of GPT-NeoX", () => {
  it("have the names and sizes of a checkpoint of `transformers`", () => {
    const { config, tensors } = loadFixture("gpt_neox");
    const sizes = [...tensors].map(([name, { length }]) => [name, length]);
    const layout = layoutOf(config).map(({ name, length }) => [name, length]);
    expect(Object.fromEntries(layout)).toEqual(Object.fromEntries(sizes));
  });

  it("are as many as Pythia's, as paper A gives them", () => {
    // [non-embedding parameters, width, layers] of the suite (arXiv 2304.01373, Table 1).
    const suite = [
      ...[[18915328, 512, 6], [85056000, 768, 12], [302311424, 1024, 24]] as const,
      ...[[805736448, 2048, 16], [1208602624, 2048, 24], [2517652480, 2560, 32]] as const,
      ...[[6444163072, 4096, 32], [11327027200, 5120, 36]] as const,
    ];
    for (const [nonEmbedding, width, layers] of suite) {
      const config = gptNeoXConfig({ width, layers, heads: 8, vocabulary: 50304 });
      expect(countParameters(config).nonEmbedding).toBe(nonEmbedding);
    }
  });

  it("lie one after the other", () => {
    let end = 0;
    for (const { offset, length, shape } of layoutOf(loadFixture("gpt_neox").config)) {
      expect(offset).toBe(end);
      expect(shape.reduce((a, b) => a * b)).toBe(length);
      end += length;
    }
  });

  it("are fewer biases and two more norms a block with BitNet", () => {
    const sizes = { width: 32, layers: 3, heads: 2 };
    const plain = countParameters(gptNeoXConfig(sizes)).nonEmbedding;
    const bits = countParameters(gptNeoXConfig({ ...sizes, bitLinear: "b1.58" })).nonEmbedding;
    expect(plain - bits).toBe(3 * ((3 + 1 + 4 + 1) * 32 - (1 + 4) * 32));
  });
});

describe("initial parameters", () => {
  const config = gptNeoXConfig({ width: 128, layers: 4, heads: 4 });
  const tensors = createModel(loadKernel(), config, { seed: 1 }).tensors();
  const deviation = (name: string) => {
    const { data } = tensors.get(name)!;
    const mean = data.reduce((sum, value) => sum + value) / data.length;
    expect(Math.abs(mean)).toBeLessThan(0.001);
    return Math.sqrt(data.reduce((sum, value) => sum + (value - mean) ** 2, 0) / data.length);
  };

  it("have the deviations of small_init and wang_init", () => {
    const [small, residual] = [Math.sqrt(2 / (5 * 128)), 2 / (4 * Math.sqrt(128))];
    const block = "gpt_neox.layers.2";
    expect(deviation("gpt_neox.embed_in.weight") / small).toBeCloseTo(1, 1);
    expect(deviation("embed_out.weight") / small).toBeCloseTo(1, 1);
    expect(deviation(`${block}.attention.query_key_value.weight`) / small).toBeCloseTo(1, 1);
    expect(deviation(`${block}.attention.dense.weight`) / residual).toBeCloseTo(1, 1);
    expect(deviation(`${block}.mlp.dense_4h_to_h.weight`) / residual).toBeCloseTo(1, 1);
  });

  it("start norms at 1 and biases at 0, and follow the seed", () => {
    const value = (name: string) => new Set(tensors.get(`gpt_neox.layers.0.${name}`)!.data);
    expect(value("input_layernorm.weight")).toEqual(new Set([1]));
    expect(value("input_layernorm.bias")).toEqual(new Set([0]));
    expect(value("attention.dense.bias")).toEqual(new Set([0]));
    const again = createModel(loadKernel(), config, { seed: 1 }).tensors();
    const other = createModel(loadKernel(), config, { seed: 2 }).tensors();
    const name = "embed_out.weight";
    expect(again.get(name)!.data).toEqual(tensors.get(name)!.data);
    expect(other.get(name)!.data).not.toEqual(tensors.get(name)!.data);
  });
});

import { describe, expect, it } from "vitest";
import { loadKernel } from "../../lib/compute/mod.ts";
import {
  createModel,
  gptNeoXConfig,
  inferLogits,
  inferLosses,
  type LanguageModel,
  layoutOf,
  type LinearInput,
  type Model,
  openModel,
  type TensorSource,
} from "../../lib/model/mod.ts";
import { everyBackend } from "../compute/reference.ts";
import { fixtureNames, largestDifference, loadFixture } from "./fixtures.ts";

/** A model's tensors as a checkpoint has them. */
function sourceOf(model: Pick<Model, "tensors">): TensorSource {
  const tensors = model.tensors();
  return { names: [...tensors.keys()], tensor: (name) => tensors.get(name)! };
}

/** A model with parameters that are not at their start, and five sequences. */
function makeModel(options: object = {}) {
  const sizes = { width: 32, layers: 2, heads: 2, context: 200, vocabulary: 64 };
  const config = gptNeoXConfig({ ...sizes, ...options });
  const kernel = loadKernel();
  const model = createModel(kernel, config, { seed: 3 });
  model.parameters.forEach((value, i) => model.parameters[i] = value + 0.05 * Math.sin(i * i));
  const tokens = Uint8Array.from({ length: 5 * 151 }, (_, i) => (i * i * 7 + i) % 64);
  return { kernel, config, model, source: sourceOf(model), tokens };
}

describe.each(everyBackend())("block by block with $name", ({ kernel, reason }) => {
  const test = kernel ? it : it.skip;
  if (!kernel) it.skip(`is not tested: ${reason}`);

  test.each(fixtureNames)(
    "gives the logits of `transformers`: %s",
    async (name) => {
      const { config, tensors, ids, logits } = loadFixture(name);
      const layout = layoutOf(config);
      const source = {
        names: [...tensors.keys()],
        tensor: (key: string) => ({
          shape: layout.find((slot) => slot.name === key)!.shape,
          data: tensors.get(key)!,
        }),
      };
      const given = await inferLogits(openModel(kernel!, { config, source }), ids, { length: 40 });
      expect(largestDifference(given, logits)).toBeLessThan(1e-5);
    },
  );
});

describe("block by block", () => {
  // 3 sequences of 150 fit at a time, so the last part has two.
  it.each([
    ["parallel residual", {}],
    ["sequential residual", { parallelResidual: false }],
    ["BitNet b1.58", { bitLinear: "b1.58" }],
    ["BitNet b1", { bitLinear: "b1", parallelResidual: false }],
  ])("gives the losses of the model that is trained: %s", async (_, options) => {
    const { kernel, config, model, source, tokens } = makeModel(options);
    const losses = await inferLosses(openModel(kernel, { config, source }), tokens, {
      length: 150,
    });
    expect(largestDifference(losses, model.loss(tokens, { length: 150 }))).toBeLessThan(1e-6);
  });

  it.each([true, false])(
    "shows the inputs of each linear map (parallel residual %s)",
    async (parallelResidual) => {
      const { kernel, config, source, tokens } = makeModel({ parallelResidual });
      const inference = openModel(kernel, { config, source });
      const block = await inference.block(1);
      const before = await inference.embed(tokens.subarray(0, 600));
      const seen: Record<string, number[]> = {};
      const input = ({ name, data, rows, columns, sequences }: LinearInput) => {
        expect([data.length, sequences * 150]).toEqual([rows * columns, rows]);
        (seen[name] ??= []).push(...data);
      };
      const after = before.slice();
      block.run(after, { length: 150, input });
      expect(Object.keys(seen)).toEqual(block.linears);
      for (const name of block.linears) {
        const alone: number[] = [];
        const hidden = before.slice();
        block.inputsOf(name, hidden, { length: 150, input: ({ data }) => alone.push(...data) });
        expect(alone).toEqual(seen[name]);
        expect(hidden).toEqual(before);
      }
      // The block is the sum of its input, its two modules and the biases of their last maps.
      const [dense, down] = await Promise.all(
        ["attention.dense", "mlp.dense_4h_to_h"].map((name) =>
          source.tensor(`gpt_neox.layers.1.${name}.bias`)
        ),
      );
      const modules = (["attention", "mlp"] as const).map((name) => {
        const data = Float32Array.from(seen[block.linears[name === "mlp" ? 2 : 0]!]!);
        return block.module(name, { rows: 600, columns: 32, data }, { length: 150, weights: {} });
      });
      const sum = before.map((value, i) =>
        value + modules[0]![i]! + modules[1]![i]! + dense!.data[i % 32]! + down!.data[i % 32]!
      );
      expect(largestDifference(sum, after)).toBeLessThan(1e-5);
    },
  );

  it("uses weights that are set, and those given to a module", async () => {
    const { kernel, config, source, tokens } = makeModel();
    const inference = openModel(kernel, { config, source });
    const block = await inference.block(0);
    const name = "mlp.dense_4h_to_h";
    const doubled = block.weights(name).data.map((value) => 2 * value);
    const hidden = await inference.embed(tokens.subarray(0, 150));
    const input = { rows: 150, columns: 32, data: hidden };
    const weights = { [name]: { ...block.weights(name), data: doubled } };
    const once = block.module("mlp", input, { length: 150, weights: {} });
    const twice = block.module("mlp", input, { length: 150, weights });
    expect(largestDifference(once.map((value) => 2 * value), twice)).toBeLessThan(1e-6);
    block.setWeights(name, doubled);
    expect(block.module("mlp", input, { length: 150, weights: {} })).toEqual(twice);
    expect(() => block.setWeights(name, doubled.subarray(1))).toThrow(
      "Cannot replace gpt_neox.layers.0.mlp.dense_4h_to_h.weight: needs 4096 values: got 4095",
    );
  });

  it("names what does not fit", async () => {
    const { kernel, config, source, tokens } = makeModel();
    const cut: LanguageModel = {
      config,
      source: {
        ...source,
        tensor: (name) =>
          name === "embed_out.weight"
            ? { shape: [2], data: new Float32Array(2) }
            : source.tensor(name),
      },
    };
    await expect(inferLosses(openModel(kernel, cut), tokens, { length: 150 })).rejects.toThrow(
      "Cannot load embed_out.weight: needs shape [64, 32]: got [2]",
    );
    await expect(openModel(kernel, cut).block(2)).rejects.toThrow("from 0 to 1");
    const wide = { config: { ...config, family: "llama" as const }, source };
    expect(() => openModel(kernel, wide)).toThrow(
      "a llama model must have the activation silu and positions on whole heads: got gelu and 4 of 16",
    );
    const windowed = { config: { ...config, slidingWindow: 100 }, source };
    await expect(inferLosses(openModel(kernel, windowed), tokens, { length: 150 })).rejects.toThrow(
      "its window holds 100 positions: got sequences of 150",
    );
  });
});

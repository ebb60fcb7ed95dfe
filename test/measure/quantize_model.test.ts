import { describe, expect, it } from "vitest";
import { evaluateQuantized, quantizeModel } from "../../lib/measure/mod.ts";
import {
  type Block,
  inferLosses,
  type LanguageModel,
  type LinearInput,
  openModel,
} from "../../lib/model/mod.ts";
import {
  awqMappings,
  awqOnBlock,
  HessianAccumulator,
  hessianOf,
  type Matrix,
  quantize,
} from "../../lib/quantize/mod.ts";
import { textOf, tinyModel } from "./tiny.ts";

const length = 32;
const { kernel, config, source } = tinyModel(1);
const calibration = { tokens: textOf(40 * (length + 1)), length };
const test = { tokens: textOf(6 * (length + 1), 2), length };
const linears = [
  "attention.query_key_value",
  "attention.dense",
  "mlp.dense_h_to_4h",
  "mlp.dense_4h_to_h",
];

/** The calibration's ids, [40, 32]. */
const ids = Uint8Array.from({ length: 40 * length }, (_, i) => {
  return calibration.tokens[Math.floor(i / length) * (length + 1) + i % length]!;
});

function weightsOf(name: string): Matrix {
  const { shape: [rows = 0, columns = 0], data } = source.tensor(name);
  return { rows, columns, data };
}

/** Hidden states before a block, of the first sequences. */
async function hiddenBefore(of: LanguageModel, index: number, sequences = 40) {
  const inference = openModel(kernel, of);
  const hidden = await inference.embed(ids.subarray(0, sequences * length));
  for (let i = 0; i < index; i++) (await inference.block(i)).run(hidden, { length });
  return { block: await inference.block(index), hidden };
}

function inputsOf(block: Block, name: string, hidden: Float32Array): Matrix {
  const parts: Float32Array[] = [];
  const input = ({ data }: LinearInput) => parts.push(data.slice());
  block.inputsOf(name, hidden, { length, input });
  const data = Float32Array.from(parts.flatMap((part) => [...part]));
  const { columns } = block.weights(name);
  return { rows: data.length / columns, columns, data };
}

describe("a quantized model", () => {
  it("has each linear map as `quantize` gives it, and everything else as it was", async () => {
    const quantized = await quantizeModel({ config, source }, "rtn:bits=3,group=16", { kernel });
    const expected = [0, 1].flatMap((i) =>
      linears.map((name) => `gpt_neox.layers.${i}.${name}.weight`)
    );
    expect(quantized.layers.map(({ name }) => name)).toEqual(expected);
    let stored = 0;
    for (const name of source.names) {
      const [before, after] = [source.tensor(name).data, await quantized.source.tensor(name)];
      expect(after.shape).toEqual(source.tensor(name).shape);
      if (!expected.includes(name)) {
        expect(after.data).toEqual(before);
        continue;
      }
      const alone = quantize(weightsOf(name), "rtn:bits=3,group=16");
      expect(after.data).toEqual(alone.weights);
      const layer = quantized.layers.find((layer) => layer.name === name)!;
      expect(layer.bitsPerWeight).toBeCloseTo(alone.bitsPerWeight, 12);
      expect([layer.sqnr, layer.mse]).toEqual([alone.error.sqnr, alone.error.mse]);
      stored += alone.bitsPerWeight * before.length;
    }
    expect(quantized.report.error.count).toBe(2 * 12 * 32 * 32);
    expect(quantized.report.bitsPerWeight).toBeCloseTo(stored / (2 * 12 * 32 * 32), 12);
  });

  it("starts GPTQ from the normalised embedding", async () => {
    const method = "gptq:bits=3,group=16,damping=0.1";
    const quantized = await quantizeModel({ config, source }, method, { kernel, calibration });
    const name = "gpt_neox.layers.0.attention.query_key_value.weight";
    const tensor = (name: string) => source.tensor(name).data;
    const inputs = new Float32Array(ids.length * 32);
    ids.forEach((id, row) => {
      const x = tensor("gpt_neox.embed_in.weight").subarray(id * 32, (id + 1) * 32);
      const mean = x.reduce((sum, value) => sum + value, 0) / 32;
      const variance = x.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 32;
      const [weight, bias] = ["weight", "bias"].map((part) =>
        tensor(`gpt_neox.layers.0.input_layernorm.${part}`)
      );
      x.forEach((value, i) => {
        const z = (value - mean) / Math.sqrt(variance + 1e-5);
        inputs[row * 32 + i] = z * weight![i]! + bias![i]!;
      });
    });
    const activations = { rows: ids.length, columns: 32, data: inputs };
    const alone = quantize(weightsOf(name), method, {
      hessian: hessianOf(activations),
    });
    const given = (await quantized.source.tensor(name)).data;
    const different = given.filter((value, i) => Math.abs(value - alone.weights[i]!) > 1e-5).length;
    // A weight between two values may go either way.
    expect(different).toBeLessThan(given.length / 200);
  });

  it("calibrates GPTQ on what went through all quantized maps before it", async () => {
    const method = "gptq:bits=2,group=16,damping=0.1";
    const quantized = await quantizeModel({ config, source }, method, { kernel, calibration });
    for (const [index, name] of [[0, linears[1]!], [1, linears[3]!]] as const) {
      const tensor = `gpt_neox.layers.${index}.${name}.weight`;
      const original = weightsOf(tensor);
      const results = await Promise.all([quantized, { config, source }].map(async (before) => {
        const { block, hidden } = await hiddenBefore(before, index);
        const hessian = new HessianAccumulator(original.columns);
        hessian.add(inputsOf(block, name, hidden), 40);
        return quantize(original, method, { hessian }).weights;
      }));
      const given = (await quantized.source.tensor(tensor)).data;
      const same = results.map((weights) =>
        weights.filter((value, i) => value === given[i]).length
      );
      expect(same[0]).toBeGreaterThan(0.995 * given.length);
      expect(same[1]).toBeLessThan(0.99 * given.length);
    }
  });

  it("calibrates AWQ on the model as it was, with 32 sequences and the family's mappings", async () => {
    const quantized = await quantizeModel({ config, source }, "awq:bits=3,group=16", {
      kernel,
      calibration,
    });
    const { block, hidden } = await hiddenBefore({ config, source }, 1, 32);
    const each = <T>(work: (name: string) => T) =>
      Object.fromEntries(linears.map((name) => [name, work(name)]));
    const activations = each((name) => inputsOf(block, name, hidden));
    const module = (name: "attention" | "mlp", first: string) => {
      return (weights: Readonly<Record<string, Matrix>>) =>
        block.module(name, activations[first]!, { length, weights });
    };
    const expected = awqOnBlock({
      weights: each((name) => block.weights(name)),
      activations,
      modules: { attention: module("attention", linears[0]!), mlp: module("mlp", linears[2]!) },
    }, {
      ...{ bits: 3, group: 16, scales: "f16", duo: false, clip: true },
      mappings: awqMappings.gpt_neox,
    });
    for (const name of linears) {
      const { data } = await quantized.source.tensor(`gpt_neox.layers.1.${name}.weight`);
      expect(data).toEqual(expected[name]!.weights);
    }
  });

  it.each(["rtn:bits=2,group=16", "gptq:bits=3,group=16", "awq:bits=4,group=16", "nf4"])(
    "has the losses of the model that is trained, with its weights: %s",
    async (method) => {
      const options = { kernel, calibration };
      const { losses, layers, report } = await evaluateQuantized({ config, source }, method, {
        ...options,
        test,
      });
      const quantized = await quantizeModel({ config, source }, method, options);
      expect(quantized).toMatchObject({ layers, report });
      const { kernel: own, model } = tinyModel(1);
      for (const { name, offset } of model.layout) {
        model.parameters.set((await quantized.source.tensor(name)).data, offset);
      }
      const trained = model.loss(test.tokens, { length });
      losses.forEach((loss, i) => expect(loss).toBeCloseTo(trained[i]!, 6));
      const apart = await inferLosses(openModel(own, quantized), test.tokens, { length });
      expect(apart).toEqual(losses);
    },
  );

  it("refuses what cannot be done before any work", async () => {
    const never: LanguageModel = {
      config,
      source: {
        names: [],
        tensor: () => {
          throw new Error("read");
        },
      },
    };
    const run = (method: string, of = never) => quantizeModel(of, method, { kernel });
    await expect(run("gptq:bits=3")).rejects.toThrow(
      "Cannot quantize with gptq without calibration: give sequences",
    );
    await expect(run("rtn:bits=16")).rejects.toThrow("16 bits keep the model as it is");
    await expect(run("rtm")).rejects.toThrow('did you mean "rtn"');
    await expect(quantizeModel(never, "awq:group=row", { kernel, calibration })).rejects.toThrow(
      "awq:group=row: give a whole number for group",
    );
    await expect(run("rtn:group=24", { config, source })).rejects.toThrow(
      "Layer gpt_neox.layers.0.attention.query_key_value",
    );
  });
});

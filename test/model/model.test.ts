import { describe, expect, it } from "vitest";
import {
  createModel,
  gptNeoXConfig,
  type Model,
  type Quantizers,
  runReference,
  type Tokens,
} from "../../lib/model/mod.ts";
import { loadKernel, type MatrixKernel } from "../../lib/compute/mod.ts";
import { quantizeActivations, quantizeWeights } from "../../lib/quantize/mod.ts";
import { everyBackend } from "../compute/reference.ts";
import { largestDifference, loadFixture } from "./fixtures.ts";

describe.each(everyBackend())("the fast model with $name", ({ kernel, reason }) => {
  const test = kernel ? it : it.skip;
  if (!kernel) it.skip(`is not tested: ${reason}`);

  test.each(["gpt_neox", "gpt_neox_sequential"])(
    "gives the logits of `transformers`: %s",
    (name) => {
      const { config, tensors, ids, logits } = loadFixture(name);
      const model = createModel(kernel!, config, { weights: (key) => tensors.get(key)! });
      expect(largestDifference(model.logits(ids, { length: 40 }), logits)).toBeLessThan(1e-5);
    },
  );

  // Lengths that end inside a vector and inside a block of attention, or on its edge.
  test.each(
    [
      ["parallel residual", {}, 70],
      ["sequential residual", { parallelResidual: false }, 64],
      ["wide heads, all of them turned", { heads: 1, rotaryPart: 1 }, 5],
      ["many heads, two values of each turned", { heads: 4 }, 33],
      ["gelu by tanh", { activation: "gelu_tanh" }, 9],
    ] as const,
  )("gives the loss and the gradients of the reference: %s", (_, { ...options }, length) => {
    const sizes = { width: 32, layers: 2, heads: 2, context: 72, vocabulary: 64 };
    const config = { ...gptNeoXConfig({ ...sizes, ...options }), ...options };
    const model = createModel(kernel!, config, { seed: 3 });
    model.parameters.forEach((value, i) => model.parameters[i] = value + 0.05 * Math.sin(i * i));
    compareWithReference(model, text(3 * (length + 1), 64), length);
  });

  // Small models without an input near the middle of two codes: one that the last bit of a float32
  // carries over it would be rounded otherwise than in the reference.
  test.each(
    [
      ["b1.58, parallel residual", { bitLinear: "b1.58" }, 83],
      ["b1, sequential residual", { bitLinear: "b1", parallelResidual: false }, 44],
    ] as const,
  )("gives the loss and the gradients of the reference: BitNet %s", (_, options, seed) => {
    const sizes = { width: 8, layers: 2, heads: 2, innerWidth: 16, context: 6, vocabulary: 16 };
    const config = gptNeoXConfig({ ...sizes, rotaryPart: 1 / 2, ...options });
    const model = createModel(kernel!, config, { seed });
    model.parameters.forEach((value, i) => model.parameters[i] = value + 0.05 * Math.sin(i * i));
    const tokens = text(2 * 7, 16);
    expect(distanceFromMiddle(model, tokens)).toBeGreaterThan(1e-3);
    compareWithReference(model, tokens, 6);
  });
});

/** How near an input of a BitNet map comes to the middle of two of its codes, in steps of one. */
function distanceFromMiddle({ config, tensors }: Model, tokens: Tokens): number {
  const parameters = new Map([...tensors()].map(([name, { data }]) => [name, data]));
  let nearest = 1;
  const quantizers: Quantizers = {
    weights: (values) => {
      const { values: rounded } = quantizeWeights(Float32Array.from(values), {
        variant: config.bitLinear ?? "b1",
      });
      return Float64Array.from(rounded);
    },
    activations: (values, columns) => {
      const data = Float32Array.from(values);
      const { values: rounded, scales } = quantizeActivations({
        ...{ rows: data.length / columns, columns, data },
      });
      values.forEach((value, i) => {
        const code = value / scales[Math.floor(i / columns)]!;
        nearest = Math.min(nearest, Math.abs(code - Math.floor(code) - 0.5));
      });
      return Float64Array.from(rounded);
    },
  };
  runReference(config, parameters, tokens, { quantizers });
  return nearest;
}

/** Token ids without a pattern. */
function text(length: number, vocabulary: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * i * 7 + i) % vocabulary);
}

/** Losses within 1e-6, and each gradient within 4e-6 of its norm. */
function compareWithReference(model: Model, tokens: Tokens, length: number): void {
  const parameters = new Map([...model.tensors()].map(([name, { data }]) => [name, data]));
  const expected = runReference(model.config, parameters, tokens, { length });
  expect(model.lossAndGradients(tokens, { length })).toBeCloseTo(expected.loss, 6);
  const means = Float64Array.from(
    { length: tokens.length / (length + 1) },
    (_, row) => meanOf(expected.losses.subarray(row * length, (row + 1) * length)),
  );
  expect(largestDifference(model.loss(tokens, { length }), means)).toBeLessThan(1e-6);
  const gradients = expected.gradients();
  for (const { name, offset, length: count } of model.layout) {
    const gradient = model.gradients.subarray(offset, offset + count);
    const reference = gradients.get(name)!;
    const error = normOf(reference.map((value, i) => value - gradient[i]!));
    expect(error / normOf(reference), name).toBeLessThan(4e-6);
  }
}

function meanOf(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value) / values.length;
}

function normOf(values: Float64Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
}

describe("a batch", () => {
  const config = gptNeoXConfig({ width: 32, layers: 2, heads: 2, context: 64 });
  const make = (kernel: MatrixKernel = loadKernel()) => createModel(kernel, config, { seed: 1 });

  it("gives the same in parts, whatever stands beside a sequence", () => {
    const model = make();
    // 20 sequences of 64 are worked through 4 at a time.
    const tokens = text(20 * 65, 256);
    const together = model.loss(tokens);
    const alone = Array.from({ length: 20 }, (_, row) => {
      return model.loss(tokens.subarray(row * 65, (row + 1) * 65))[0]!;
    });
    expect(largestDifference(together, alone)).toBeLessThan(1e-6);
    const whole = model.lossAndGradients(tokens);
    expect(whole).toBeCloseTo(meanOf(together), 6);
    const gradients = model.gradients.slice();
    const sum = new Float64Array(gradients.length);
    for (let row = 0; row < 20; row++) {
      model.lossAndGradients(tokens.subarray(row * 65, (row + 1) * 65));
      model.gradients.forEach((value, i) => sum[i]! += value / 20);
    }
    expect(largestDifference(gradients, sum)).toBeLessThan(1e-6);
  });

  it("gives the same bytes again, in the same kernel and in another", () => {
    const tokens = text(10 * 65, 256);
    const run = (model: Model) => [model.lossAndGradients(tokens), model.gradients.slice()];
    const model = make();
    const first = run(model);
    model.logits(text(7, 256), { length: 7 });
    expect(run(model)).toEqual(first);
    expect(run(make())).toEqual(first);
  });

  it("is read from bytes and from numbers", () => {
    const [model, tokens] = [make(), text(65, 256)];
    expect(model.loss(Int32Array.from(tokens))).toEqual(model.loss(tokens));
  });
});

describe("errors", () => {
  const kernel = loadKernel();
  const config = gptNeoXConfig({ width: 32, layers: 1, heads: 2, vocabulary: 64, context: 8 });
  const model = createModel(kernel, config);

  it.each([
    [10, {}, "Cannot run the model: needs rows of 9 tokens (one more than is predicted): got 10"],
    [0, {}, "got 0 tokens"],
    [10, { length: 9 }, "length must be a whole number from 1 to the context 8: got 9"],
  ])("%i tokens with %j", (count, options, message) => {
    const before = model.gradients.fill(1).slice();
    expect(() => model.lossAndGradients(text(count, 64), options)).toThrow(message);
    expect(model.gradients).toEqual(before);
  });

  it("names an id out of range, and tensors that do not fit", () => {
    expect(() => model.loss(text(9, 256).fill(64, 4, 5))).toThrow(
      "token ids must be from 0 to 63: got",
    );
    expect(() => createModel(kernel, config, { weights: () => [1, 2] })).toThrow(
      "Cannot load gpt_neox.embed_in.weight: needs 2048 values [64, 32]: got 2",
    );
    expect(() => createModel(kernel, { ...config, family: "llama" })).toThrow("got llama");
    expect(() => createModel(kernel, gptNeoXConfig({ width: 40, layers: 1, heads: 4 }))).toThrow(
      "headWidth must be a multiple of 4: got 10",
    );
  });
});

import { describe, expect, it } from "vitest";
import { createModel, gptNeoXConfig, type Quantizers, runReference } from "../../lib/model/mod.ts";
import { loadKernel } from "../../lib/compute/mod.ts";
import { quantizeActivations, quantizeWeights } from "../../lib/quantize/mod.ts";
import { largestDifference, loadFixture, withTargets } from "./fixtures.ts";

describe("the reference gives the logits and the loss of `transformers`", () => {
  it.each(["gpt_neox", "gpt_neox_sequential"])("%s", (name) => {
    const { config, tensors, ids, logits, loss } = loadFixture(name);
    const result = runReference(config, tensors, withTargets(ids), { length: 40 });
    expect(largestDifference(result.logits, logits)).toBeLessThan(1e-5);
    const known = result.losses.filter((_, i) => i % 40 < 39);
    expect(known.reduce((sum, value) => sum + value) / known.length).toBeCloseTo(loss, 5);
  });
});

describe("every gradient of the reference is that of central differences", () => {
  const models = {
    "parallel residual": {},
    "sequential residual": { parallelResidual: false },
    "one layer, the whole head turned": { layers: 1, rotaryPart: 1 },
    "gelu by tanh": { layers: 1, activation: "gelu_tanh" },
    "BitNet b1.58, of the function that the straight-through rule stands for": {
      bitLinear: "b1.58",
    },
    "BitNet b1, of the function that the straight-through rule stands for": { bitLinear: "b1" },
  } as const;

  it.each(Object.entries(models))("%s", (_, { ...options }) => {
    const sizes = { width: 8, layers: 2, heads: 2, vocabulary: 8, context: 5, innerWidth: 12 };
    const config = { ...gptNeoXConfig({ ...sizes, rotaryPart: 1 / 2, ...options }), ...options };
    const tokens = Uint8Array.of(3, 1, 4, 1, 5, 2, 6, 5, 3, 5, 7, 0);
    // Values that are not 0 or 1 in norms and biases, and no small ones anywhere.
    const parameters = new Map(
      [...createModel(loadKernel(), config, { seed: 5 }).tensors()].map(([name, { data }], n) => {
        return [name, Float64Array.from(data, (value, i) => value + 0.2 * Math.sin(n + 7 * i))];
      }),
    );
    const rounding = frozenRounding(config.bitLinear ?? "b1");
    const { quantizers } = rounding;
    const result = runReference(config, parameters, tokens, { quantizers });
    rounding.freeze();

    const step = 1e-6;
    for (const [name, gradient] of result.gradients()) {
      const values = parameters.get(name)!;
      const differences = gradient.map((_, i) => {
        const value = values[i]!;
        const [above, below] = [value + step, value - step].map((moved) => {
          values[i] = moved;
          rounding.restart();
          return runReference(config, parameters, tokens, { quantizers }).loss;
        });
        values[i] = value;
        return (above! - below!) / (2 * step);
      });
      expect(gradient.some((value) => Math.abs(value) > 1e-4), `${name} has a gradient`).toBe(true);
      expect(largestDifference(gradient, differences), name).toBeLessThan(2e-9);
    }
  });
});

/**
 * BitNet's rounding. Once frozen, each call adds what the same call of the first run added, so that
 * values move with their inputs: the function whose gradient the straight-through rule takes.
 */
function frozenRounding(variant: "b1" | "b1.58") {
  const changes: Float64Array[] = [];
  let [frozen, calls] = [false, 0];
  const apply = (values: Float64Array, round: (values: Float32Array) => Float32Array) => {
    if (!frozen) {
      const rounded = round(Float32Array.from(values));
      changes.push(values.map((value, i) => rounded[i]! - value));
    }
    const change = changes[calls++]!;
    return values.map((value, i) => value + change[i]!);
  };
  const quantizers: Quantizers = {
    weights: (values) => apply(values, (data) => quantizeWeights(data, { variant }).values),
    activations: (values, columns) =>
      apply(values, (data) => {
        return quantizeActivations({ rows: data.length / columns, columns, data }).values;
      }),
  };
  return {
    quantizers,
    freeze: () => frozen = true,
    restart: () => calls = 0,
  };
}

import type { MatrixKernel } from "../../compute/mod.ts";
import type { ModelConfig } from "../config.ts";
import type { Tensor, TensorSlot } from "../tensors.ts";
import { countRows, type Tokens } from "../tokens.ts";
import { checkRunnable } from "./check_runnable.ts";
import { initialize } from "./initialize.ts";
import { layoutOf } from "../layout.ts";
import { Network, type Part } from "./network.ts";
import { bindParameters } from "./parameters.ts";

/** Where a model's parameters come from. */
export interface ModelOptions {
  /** Seed of the initial values. Default 0. */
  seed?: number;
  /** Gives each tensor's values by its name, instead of initial ones: a checkpoint's. */
  weights?: (name: string) => ArrayLike<number>;
}

/** How {@linkcode Model} reads tokens. */
export interface RunOptions {
  /** Positions in a row. Default: the model's context. */
  length?: number;
}

/** A GPT-NeoX model for training, in a kernel's memory. */
export interface Model {
  readonly config: ModelConfig;
  /** Which tensor lies where in `parameters` and `gradients`. */
  readonly layout: readonly TensorSlot[];
  /** All parameters, f32. They may be written to at any time. */
  readonly parameters: Float32Array;
  /** The gradients that `lossAndGradients` writes. */
  readonly gradients: Float32Array;
  /** The parameters by Hugging Face's names, as views of `parameters`. */
  tensors(): ReadonlyMap<string, Tensor>;
  /**
   * The mean cross-entropy over all positions, nats per token, and its gradients in `gradients`.
   * `tokens` is [sequences, length + 1]: each position's target is the next token. Any number of
   * sequences may be given; they are worked through a few at a time.
   */
  lossAndGradients(tokens: Tokens, options?: RunOptions): number;
  /** The mean cross-entropy of each sequence, nats per token. `tokens` as above. */
  loss(tokens: Tokens, options?: RunOptions): Float64Array;
  /** Logits [sequences, length, vocabulary] for ids [sequences, length]. */
  logits(ids: Tokens, options?: RunOptions): Float32Array;
}

/**
 * Makes a GPT-NeoX model whose parameters, gradients and activations lie in the kernel's memory.
 * With the same machine, backend and calls, all results are the same byte for byte.
 *
 * Throws when the configuration is of another family, when a width is no multiple of 4, when given
 * weights do not fit, and when the kernel's memory is too small.
 *
 * ```ts
 * import { ok } from "node:assert/strict";
 * import { loadKernel } from "../../compute/mod.ts";
 * import { createModel, gptNeoXConfig } from "../mod.ts";
 *
 * const config = gptNeoXConfig({ width: 32, layers: 1, heads: 2, context: 8 });
 * const model = createModel(loadKernel(), config, { seed: 1 });
 * const text = new TextEncoder().encode("to be or "); // 9 bytes: 8 positions, each predicting the next
 * const before = model.lossAndGradients(text);
 * model.gradients.forEach((gradient, i) => model.parameters[i]! -= 0.1 * gradient);
 * ok(model.lossAndGradients(text) < before);
 * ```
 */
export function createModel(
  kernel: MatrixKernel,
  config: ModelConfig,
  options: ModelOptions = {},
): Model {
  checkRunnable(config, "Cannot make a model for training");
  const layout = layoutOf(config);
  const total = layout.reduce((sum, { length }) => sum + length, 0);
  const [parameters, gradients] = [kernel.float32(total), kernel.float32(total)];
  if (options.weights) copyWeights(parameters, layout, options.weights);
  else initialize(parameters, layout, { ...config, seed: options.seed ?? 0 });
  const network = new Network(
    kernel,
    config,
    bindParameters(kernel, config, { layout, parameters, gradients }),
  );
  const { ids, targets, losses, logits } = network.space;

  /**
   * Puts the tokens of a few sequences in place and calls `work`, again and again. `shift` is 1
   * when rows hold targets.
   */
  const eachPart = (
    tokens: Tokens,
    { sequences: all, length, shift }: Part & { shift: 0 | 1 },
    work: (part: Part, first: number) => void,
  ) => {
    const most = network.sequencesAtOnce(length);
    network.roundWeights();
    for (let first = 0; first < all; first += most) {
      const sequences = Math.min(most, all - first);
      for (let row = 0; row < sequences; row++) {
        const start = (first + row) * (length + shift);
        ids.set(tokens.subarray(start, start + length), row * length);
        targets.set(tokens.subarray(start + shift, start + shift + length), row * length);
      }
      work({ sequences, length }, first);
    }
  };

  return {
    ...{ config, layout, parameters, gradients },
    tensors() {
      return new Map(layout.map(({ name, shape, offset, length }) => {
        return [name, { shape, data: parameters.subarray(offset, offset + length) }];
      }));
    },
    lossAndGradients(tokens, { length = config.context } = {}) {
      const sequences = countRows(config, tokens, { length, shift: 1 });
      const positions = sequences * length;
      let sum = 0;
      gradients.fill(0);
      eachPart(tokens, { sequences, length, shift: 1 }, (part) => {
        network.forward(part);
        network.losses(part, 1 / positions);
        sum += sumOf(losses, 0, part.sequences * length);
        network.backward(part);
      });
      return sum / positions;
    },
    loss(tokens, { length = config.context } = {}) {
      const sequences = countRows(config, tokens, { length, shift: 1 });
      const means = new Float64Array(sequences);
      eachPart(tokens, { sequences, length, shift: 1 }, (part, first) => {
        network.forward(part);
        network.losses(part);
        for (let row = 0; row < part.sequences; row++) {
          means[first + row] = sumOf(losses, row * length, length) / length;
        }
      });
      return means;
    },
    logits(tokens, { length = config.context } = {}) {
      const sequences = countRows(config, tokens, { length, shift: 0 });
      const { vocabulary } = config;
      const all = new Float32Array(tokens.length * vocabulary);
      eachPart(tokens, { sequences, length, shift: 0 }, (part, first) => {
        network.forward(part);
        const values = part.sequences * length * vocabulary;
        all.set(logits.subarray(0, values), first * length * vocabulary);
      });
      return all;
    },
  };
}

function sumOf(values: Float64Array, start: number, length: number): number {
  let sum = 0;
  for (let i = start; i < start + length; i++) sum += values[i]!;
  return sum;
}

function copyWeights(
  parameters: Float32Array,
  layout: readonly TensorSlot[],
  weights: (name: string) => ArrayLike<number>,
): void {
  for (const { name, shape, offset, length } of layout) {
    const values = weights(name);
    if (values.length !== length) {
      throw new RangeError(
        `Cannot load ${name}: needs ${length} values [${shape.join(", ")}]: got ${values.length}`,
      );
    }
    parameters.set(values, offset);
  }
}

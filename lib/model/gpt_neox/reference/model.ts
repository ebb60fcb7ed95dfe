import { quantizeActivations, quantizeWeights } from "../../../quantize/mod.ts";
import type { ModelConfig } from "../../config.ts";
import { splitTokens, type Tokens } from "../../tokens.ts";
import { layoutOf } from "../../layout.ts";
import { attention } from "./attention.ts";
import { bitLinear, type Quantizers } from "./bit_linear.ts";
import { crossEntropy } from "./cross_entropy.ts";
import { embedding } from "./embedding.ts";
import { gelu } from "./gelu.ts";
import { linear, type LinearParameters } from "./linear.ts";
import { layerNorm, type NormParameters, rmsNorm } from "./norm.ts";
import { add, type Operation, type Parameter } from "./operation.ts";
import { rotary } from "./rotary.ts";

/** What the reference computes. */
export interface ReferenceResult {
  /** [sequences, length, vocabulary]. */
  readonly logits: Float64Array;
  /** [sequences, length], nats per token. */
  readonly losses: Float64Array;
  /** Their mean. */
  readonly loss: number;
  /** The gradient of `loss` over each parameter tensor, by name. */
  gradients(): ReadonlyMap<string, Float64Array>;
}

/** How {@linkcode runReference} runs. */
export interface ReferenceOptions {
  /** Positions predicted in each row of tokens. Default: the context. */
  length?: number;
  /** How BitNet's maps round, for models with `bitLinear`. */
  quantizers?: Quantizers;
}

/**
 * GPT-NeoX forward and backward in float64, written to be read: one operation a file, with its
 * derivative. It is slow, and is what the fast model is tested against.
 *
 * `parameters` holds each tensor of {@linkcode layoutOf} by name; `tokens` is [sequences, length +
 * 1], each position's target being the next token.
 */
export function runReference(
  config: ModelConfig,
  parameters: ReadonlyMap<string, ArrayLike<number>>,
  tokens: Tokens,
  options: ReferenceOptions = {},
): ReferenceResult {
  const { length = config.context } = options;
  const { inputs, targets } = splitTokens(config, tokens, length);
  const tensors = new Map(
    layoutOf(config).map(({ name }): [string, Parameter] => {
      const value = Float64Array.from(parameters.get(name)!);
      return [name, { value, gradient: new Float64Array(value.length) }];
    }),
  );
  const quantizers = options.quantizers ?? bitNet(config);
  const network = { config, length, quantizers, tensors };

  const embedded = embedding(inputs, tensors.get("gpt_neox.embed_in.weight")!, config.width);
  const blocks: Operation[] = [];
  let hidden: Float64Array = embedded.value;
  for (let index = 0; index < config.layers; index++) {
    const run = config.parallelResidual ? parallelBlock : sequentialBlock;
    const block = run(hidden, `gpt_neox.layers.${index}`, network);
    hidden = block.value;
    blocks.push(block);
  }
  const norm = layerNorm(hidden, normOf(network, "gpt_neox.final_layer_norm"), config.normEpsilon);
  const head = linear(norm.value, config.width, linearOf(network, "embed_out"));
  const { losses, backward } = crossEntropy(head.value, targets);
  return {
    logits: head.value,
    losses,
    loss: losses.reduce((sum, value) => sum + value, 0) / losses.length,
    gradients() {
      for (const { gradient } of tensors.values()) gradient.fill(0);
      let gradient = norm.backward(head.backward(backward()));
      for (const block of blocks.toReversed()) gradient = block.backward(gradient);
      embedded.backward(gradient);
      return new Map([...tensors].map(([name, tensor]) => [name, tensor.gradient]));
    },
  };
}

/** What the parts of the model need to know. */
interface Network {
  config: ModelConfig;
  length: number;
  quantizers: Quantizers;
  tensors: ReadonlyMap<string, Parameter>;
}

/** x + attention(norm1 x) + mlp(norm2 x). */
function parallelBlock(x: Float64Array, name: string, network: Network): Operation {
  const first = attentionBranch(x, name, network);
  const second = mlpBranch(x, name, network);
  return {
    value: add(add(x, first.value), second.value),
    backward: (dy) => add(add(dy, first.backward(dy)), second.backward(dy)),
  };
}

/** h = x + attention(norm1 x), then h + mlp(norm2 h). */
function sequentialBlock(x: Float64Array, name: string, network: Network): Operation {
  const first = attentionBranch(x, name, network);
  const h = add(x, first.value);
  const second = mlpBranch(h, name, network);
  return {
    value: add(h, second.value),
    backward(dy) {
      const dh = add(dy, second.backward(dy));
      return add(dh, first.backward(dh));
    },
  };
}

function attentionBranch(x: Float64Array, name: string, network: Network): Operation {
  const { config, length } = network;
  const at = `${name}.attention`;
  return chain(x, [
    (v) => layerNorm(v, normOf(network, `${name}.input_layernorm`), config.normEpsilon),
    (v) => map(v, `${at}.query_key_value`, config.width, network),
    (v) => rotary(v, length, config),
    (v) => attention(v, length, config),
    ...subNorm(`${at}.sub_norm.weight`, network),
    (v) => map(v, `${at}.dense`, config.width, network),
  ]);
}

function mlpBranch(x: Float64Array, name: string, network: Network): Operation {
  const { config } = network;
  const at = `${name}.mlp`;
  return chain(x, [
    (v) => layerNorm(v, normOf(network, `${name}.post_attention_layernorm`), config.normEpsilon),
    (v) => map(v, `${at}.dense_h_to_4h`, config.width, network),
    (v) => gelu(v, config.activation === "gelu_tanh" ? "gelu_tanh" : "gelu"),
    ...subNorm(`${at}.sub_norm.weight`, network),
    (v) => map(v, `${at}.dense_4h_to_h`, config.innerWidth, network),
  ]);
}

/** Operations one after the other, and their derivatives backwards. */
function chain(x: Float64Array, steps: readonly ((v: Float64Array) => Operation)[]): Operation {
  const operations: Operation[] = [];
  let value = x;
  for (const step of steps) {
    const operation = step(value);
    value = operation.value;
    operations.push(operation);
  }
  return {
    value,
    backward: (gradient) =>
      operations.reduceRight((result, operation) => operation.backward(result), gradient),
  };
}

/** A linear map of a block: plain, or BitNet's. */
function map(x: Float64Array, name: string, width: number, network: Network): Operation {
  const parameters = linearOf(network, name);
  return network.config.bitLinear
    ? bitLinear(x, width, parameters, network.quantizers)
    : linear(x, width, parameters);
}

/** The norm that BitNet has before the maps which no LayerNorm stands before. */
function subNorm(name: string, { tensors, config }: Network): ((v: Float64Array) => Operation)[] {
  const weight = tensors.get(name);
  return weight ? [(v) => rmsNorm(v, weight, config.normEpsilon)] : [];
}

function normOf({ tensors }: Network, name: string): NormParameters {
  return { weight: tensors.get(`${name}.weight`)!, bias: tensors.get(`${name}.bias`)! };
}

function linearOf({ tensors }: Network, name: string): LinearParameters {
  const bias = tensors.get(`${name}.bias`);
  return { weight: tensors.get(`${name}.weight`)!, ...(bias ? { bias } : {}) };
}

/** The rounding of lib/quantize, which is in float32. */
function bitNet({ bitLinear: variant = "b1.58" }: ModelConfig): Quantizers {
  return {
    weights: (values) =>
      Float64Array.from(quantizeWeights(Float32Array.from(values), { variant }).values),
    activations: (values, width) => {
      const matrix = {
        rows: values.length / width,
        columns: width,
        data: Float32Array.from(values),
      };
      return Float64Array.from(quantizeActivations(matrix).values);
    },
  };
}

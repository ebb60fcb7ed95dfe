import type { MatrixKernel } from "../../compute/mod.ts";
import type { LinearInput, ModuleName } from "../block.ts";
import type { ModelConfig } from "../config.ts";
import type { BlockKind, BlockPass, Part } from "../inference_block.ts";
import { rotaryAngles } from "../rotary.ts";

/** The linear maps of a block by name within it, in the order in which they run. */
const linears = [
  "attention.query_key_value",
  "attention.dense",
  "mlp.dense_h_to_4h",
  "mlp.dense_4h_to_h",
] as const;

type LinearName = typeof linears[number];

/** A block of GPT-NeoX for inference. It computes what `reference/model.ts` computes. */
export const gptNeoXBlock: BlockKind = {
  linears: linears.map((name) => [name]),
  makePasses(kernel, config, part) {
    const space = new Space(kernel, config, part);
    return (tensors, sequences) => new Pass(space, tensors, sequences);
  },
};

/** What a pass works in, for some rows; d is the model's width, m that inside the feed-forward part. */
class Space {
  readonly kernel: MatrixKernel;
  readonly config: ModelConfig;
  readonly length: number;
  readonly angles: Float32Array;
  readonly probabilities: Float32Array;
  readonly moments: Float32Array;
  /** d. */
  readonly x: Float32Array;
  readonly output: Float32Array;
  readonly attentionInput: Float32Array;
  readonly mlpInput: Float32Array;
  /** 3 d. */
  readonly heads: Float32Array;
  readonly attended: Float32Array;
  /** m. */
  readonly inner: Float32Array;
  readonly activated: Float32Array;

  constructor(kernel: MatrixKernel, config: ModelConfig, { sequences, length }: Part) {
    const { width, innerWidth, heads, headWidth } = config;
    const rows = sequences * length;
    const [d, m] = [() => kernel.float32(rows * width), () => kernel.float32(rows * innerWidth)];
    this.kernel = kernel;
    this.config = config;
    this.length = length;
    this.angles = rotaryAngles(kernel, config.rotary, length);
    this.probabilities = kernel.float32(
      kernel.network.probabilitiesLength({ sequences, length, heads, headWidth, keep: false }),
    );
    this.moments = kernel.float32(2 * rows);
    [this.x, this.output, this.attentionInput, this.mlpInput] = [d(), d(), d(), d()];
    this.heads = kernel.float32(3 * rows * width);
    this.attended = d();
    [this.inner, this.activated] = [m(), m()];
  }
}

/** One way through a block. */
class Pass implements BlockPass {
  readonly #space: Space;
  readonly #tensors: ReadonlyMap<string, Float32Array>;
  readonly #sequences: number;

  constructor(space: Space, tensors: ReadonlyMap<string, Float32Array>, sequences: number) {
    this.#space = space;
    this.#tensors = tensors;
    this.#sequences = sequences;
  }

  get x(): Float32Array {
    return this.#space.x;
  }

  get output(): Float32Array {
    return this.#space.output;
  }

  get inputs(): Record<ModuleName, Float32Array> {
    return { attention: this.#space.attentionInput, mlp: this.#space.mlpInput };
  }

  get #rows(): number {
    return this.#sequences * this.#space.length;
  }

  /** The whole block. Attention is left out when only the other branch is wanted, and stands beside it. */
  *block(only?: string): Generator<LinearInput> {
    const { kernel: { network }, config, x, moments, output } = this.#space;
    const { width, parallelResidual, normEpsilon: epsilon } = config;
    const rows = this.#rows;
    const forAttention = this.#norm("input_layernorm", this.inputs.attention);
    const forMlp = this.#norm("post_attention_layernorm", this.inputs.mlp);
    const [bias, bias2] = [this.#get("attention.dense.bias"), this.#get("mlp.dense_4h_to_h.bias")];
    if (parallelResidual) {
      network.layerNorm({ rows, width, epsilon, x, moments, first: forAttention, second: forMlp });
      network.addBiases({ rows, width, x, bias, bias2, output });
      if (!only?.startsWith("mlp.")) yield* this.#attention();
    } else {
      network.layerNorm({ rows, width, epsilon, x, moments, first: forAttention });
      network.addBiases({ rows, width, x, bias, output });
      yield* this.#attention();
      network.layerNorm({ rows, width, epsilon, x: output, moments, first: forMlp });
      network.addBiases({ rows, width, x: output, bias: bias2, output });
    }
    yield* this.#mlp();
  }

  /** Adds a module's output without the last bias. */
  module(name: ModuleName): Generator<LinearInput> {
    return name === "attention" ? this.#attention() : this.#mlp();
  }

  *#attention(): Generator<LinearInput> {
    const { kernel: { network }, config, length, heads: x, attended, angles } = this.#space;
    const { probabilities, attentionInput } = this.#space;
    const { width, heads, headWidth, rotary } = config;
    const rows = this.#rows;
    yield this.#input("attention.query_key_value", attentionInput, width);
    const weight = this.#weight("attention.query_key_value");
    network.linear({ rows, width, x: attentionInput, weight, out: 3 * width, output: x });
    const shape = { sequences: this.#sequences, length, heads, headWidth };
    const bias = this.#get("attention.query_key_value.bias");
    network.rotary({ ...shape, x, bias, turned: rotary.width, angles });
    network.attention({ ...shape, x, probabilities, output: attended, keep: false });
    const input = this.#subNorm("attention", attended, attentionInput);
    yield this.#input("attention.dense", input, width);
    this.#addLinear("attention.dense", input, width);
  }

  *#mlp(): Generator<LinearInput> {
    const { kernel: { network }, config, mlpInput, inner: x, activated } = this.#space;
    const { width, innerWidth, activation } = config;
    const rows = this.#rows;
    yield this.#input("mlp.dense_h_to_4h", mlpInput, width);
    const weight = this.#weight("mlp.dense_h_to_4h");
    network.linear({ rows, width, x: mlpInput, weight, out: innerWidth, output: x });
    const kind = activation === "gelu_tanh" ? "gelu_tanh" : "gelu";
    const bias = this.#get("mlp.dense_h_to_4h.bias");
    network.gelu({ rows, width: innerWidth, kind, x, bias, output: activated, keep: false });
    const input = this.#subNorm("mlp", activated, x);
    yield this.#input("mlp.dense_4h_to_h", input, innerWidth);
    this.#addLinear("mlp.dense_4h_to_h", input, innerWidth);
  }

  #addLinear(name: LinearName, x: Float32Array, width: number): void {
    const { kernel: { network }, config: { width: out }, output } = this.#space;
    const weight = this.#weight(name);
    network.linear({ rows: this.#rows, width, x, weight, out, output, accumulate: true });
  }

  /** The input of a linear map; BitNet's have 8 bits. */
  #input(name: LinearName, data: Float32Array, columns: number): LinearInput {
    const { kernel, config } = this.#space;
    const rows = this.#rows;
    if (config.bitLinear) kernel.network.roundActivations(data, { rows, width: columns });
    const sequences = this.#sequences;
    return { name, rows, columns, sequences, data: data.subarray(0, rows * columns) };
  }

  /** BitNet's norm before the last map of a branch, into `output`; else x itself. */
  #subNorm(branch: ModuleName, x: Float32Array, output: Float32Array): Float32Array {
    const weight = this.#get(`${branch}.sub_norm.weight`);
    if (!weight) return x;
    const { kernel: { network }, config, moments: inverses } = this.#space;
    const epsilon = config.normEpsilon;
    const rows = this.#rows;
    network.rmsNorm({ rows, width: weight.length, x, epsilon, inverses, weight, output });
    return output;
  }

  #norm(name: string, output: Float32Array) {
    return { weight: this.#get(`${name}.weight`)!, bias: this.#get(`${name}.bias`)!, output };
  }

  #weight(name: LinearName): Float32Array {
    return this.#get(`${name}.weight`)!;
  }

  #get(name: string): Float32Array | undefined {
    return this.#tensors.get(name);
  }
}

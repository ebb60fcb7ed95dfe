import type { MatrixKernel } from "../../compute/mod.ts";
import type { LinearInput, ModuleName } from "../block.ts";
import type { ModelConfig } from "../config.ts";
import type { BlockKind, BlockPass, Part } from "../inference_block.ts";
import { rotaryAngles } from "../rotary.ts";

/** The linear maps of a block by name within it; those that see the same input stand together. */
const linears = [
  ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"],
  ["self_attn.o_proj"],
  ["mlp.gate_proj", "mlp.up_proj"],
  ["mlp.down_proj"],
] as const;

type LinearName = typeof linears[number][number];

/** A linear map's input and output in the space of a pass. */
interface LinearStep {
  readonly x: Float32Array;
  /** Values in a row of x. */
  readonly width: number;
  /** Values in a row of the output. */
  readonly out: number;
  readonly output: Float32Array;
}

/**
 * A block of Llama, Mistral, Qwen2 or OLMo2 for inference (Touvron et al. 2023, arXiv 2302.13971; OLMo et al. 2024, arXiv
 * 2501.00656): RMS norms, rotary positions on whole heads, keys and values shared by heads, a gated feed-forward part.
 */
export const llamaBlock: BlockKind = {
  linears,
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
  readonly inverses: Float32Array;
  /** d. */
  readonly x: Float32Array;
  readonly output: Float32Array;
  /** What attention or the feed-forward part reads, d. */
  readonly input: Float32Array;
  /** What comes out of them, d. */
  readonly branch: Float32Array;
  /** heads x headWidth. */
  readonly query: Float32Array;
  readonly attended: Float32Array;
  /** keyValueHeads x headWidth. */
  readonly key: Float32Array;
  readonly value: Float32Array;
  /** 3 x heads x headWidth. */
  readonly joined: Float32Array;
  /** m. */
  readonly gate: Float32Array;
  readonly up: Float32Array;

  constructor(kernel: MatrixKernel, config: ModelConfig, { sequences, length }: Part) {
    const { width, innerWidth, heads, keyValueHeads, headWidth } = config;
    const rows = sequences * length;
    const matrix = (columns: number) => kernel.float32(rows * columns);
    this.kernel = kernel;
    this.config = config;
    this.length = length;
    this.angles = rotaryAngles(kernel, config.rotary, length);
    this.probabilities = kernel.float32(
      kernel.network.probabilitiesLength({ sequences, length, heads, headWidth, keep: false }),
    );
    this.inverses = kernel.float32(rows);
    [this.x, this.output, this.input, this.branch] = [
      ...[matrix(width), matrix(width), matrix(width), matrix(width)] as const,
    ];
    [this.query, this.attended] = [matrix(heads * headWidth), matrix(heads * headWidth)];
    [this.key, this.value] = [
      ...[matrix(keyValueHeads * headWidth), matrix(keyValueHeads * headWidth)] as const,
    ];
    this.joined = matrix(3 * heads * headWidth);
    [this.gate, this.up] = [matrix(innerWidth), matrix(innerWidth)];
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
    return { attention: this.#space.input, mlp: this.#space.input };
  }

  get #rows(): number {
    return this.#sequences * this.#space.length;
  }

  *block(): Generator<LinearInput> {
    const { config: { width, family }, x, output, input, branch } = this.#space;
    const values = this.#rows * width;
    // OLMo2 normalises what a module gives, the others what it reads.
    const normedInput = family !== "olmo2";
    const modules = [
      ["attention", normedInput ? "input_layernorm" : "post_attention_layernorm"],
      ["mlp", normedInput ? "post_attention_layernorm" : "post_feedforward_layernorm"],
    ] as const;
    output.set(x.subarray(0, values));
    for (const [name, norm] of modules) {
      if (normedInput) {
        this.#norm(norm, output, width, input);
        yield* this.module(name);
      } else {
        input.set(output.subarray(0, values));
        yield* this.#run(name);
        this.#norm(norm, branch, width, input);
        this.#add(input);
      }
    }
  }

  *module(name: ModuleName): Generator<LinearInput> {
    yield* this.#run(name);
    this.#add(this.#space.branch);
  }

  /** A module from `input` to `branch`. */
  #run(name: ModuleName): Generator<LinearInput> {
    return name === "attention" ? this.#attention() : this.#mlp();
  }

  *#attention(): Generator<LinearInput> {
    const { kernel: { network }, config, length, input, branch, angles } = this.#space;
    const { query, key, value, joined: x, probabilities, attended } = this.#space;
    const { family, width, heads, keyValueHeads, headWidth, rotary } = config;
    const [all, shared] = [heads * headWidth, keyValueHeads * headWidth];
    const rows = this.#rows;
    yield* this.#linear("self_attn.q_proj", { x: input, width, out: all, output: query });
    yield* this.#linear("self_attn.k_proj", { x: input, width, out: shared, output: key });
    yield* this.#linear("self_attn.v_proj", { x: input, width, out: shared, output: value });
    // The normalised rows may not lie where they were read from: attention's other memory is free.
    const [q, k] = family === "olmo2" ? [attended, branch] : [query, key];
    if (family === "olmo2") {
      this.#norm("self_attn.q_norm", query, all, q);
      this.#norm("self_attn.k_norm", key, shared, k);
    }
    const parts = { query: q, key: k, value, output: x };
    network.joinHeads({ rows, heads, keyValueHeads, headWidth, ...parts });
    const shape = { sequences: this.#sequences, length, heads, headWidth };
    network.rotary({ ...shape, x, turned: rotary.width, angles });
    network.attention({ ...shape, x, probabilities, output: attended, keep: false });
    yield* this.#linear("self_attn.o_proj", {
      x: attended,
      width: all,
      out: width,
      output: branch,
    });
  }

  *#mlp(): Generator<LinearInput> {
    const { kernel: { network }, config, input, branch, gate, up } = this.#space;
    const { width, innerWidth } = config;
    yield* this.#linear("mlp.gate_proj", { x: input, width, out: innerWidth, output: gate });
    yield* this.#linear("mlp.up_proj", { x: input, width, out: innerWidth, output: up });
    network.siluGate({ rows: this.#rows, width: innerWidth, gate, up, output: gate });
    yield* this.#linear("mlp.down_proj", {
      x: gate,
      width: innerWidth,
      out: width,
      output: branch,
    });
  }

  *#linear(name: LinearName, { x, width, out, output }: LinearStep): Generator<LinearInput> {
    const { network } = this.#space.kernel;
    const [rows, sequences] = [this.#rows, this.#sequences];
    yield { name, rows, columns: width, sequences, data: x.subarray(0, rows * width) };
    network.linear({ rows, width, x, weight: this.#tensors.get(`${name}.weight`)!, out, output });
    const bias = this.#tensors.get(`${name}.bias`);
    if (bias) network.addBiases({ rows, width: out, x: output, bias, output });
  }

  #norm(name: string, x: Float32Array, width: number, output: Float32Array): void {
    const { kernel: { network }, config, inverses } = this.#space;
    const epsilon = config.normEpsilon;
    const weight = this.#tensors.get(`${name}.weight`)!;
    network.rmsNorm({ rows: this.#rows, width, x, epsilon, inverses, weight, output });
  }

  /** Adds rows of d values to `output`. */
  #add(values: Float32Array): void {
    const { kernel: { network }, config: { width }, output } = this.#space;
    // One row of all values: the sum of two matrices.
    network.addBiases({ rows: 1, width: this.#rows * width, x: output, bias: values, output });
  }
}

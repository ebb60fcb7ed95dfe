import type { MatrixKernel } from "../compute/mod.ts";
import type { Block, BlockOptions, LinearInput, ModuleName, ModuleOptions, Rows } from "./block.ts";
import type { ModelConfig } from "./config.ts";
import type { Tensor } from "./tensors.ts";

/** Rows that are worked through together, so that what an operation writes is still in the cache for the next. */
export const rowsAtOnce = 512;

/** Some sequences of one length. */
export interface Part {
  readonly sequences: number;
  readonly length: number;
}

/** One way through a block for some sequences, in steps: it stops before each linear map, with the map's input. */
export interface BlockPass {
  /** The rows before the block, which the caller fills in. */
  readonly x: Float32Array;
  /** The rows after it. */
  readonly output: Float32Array;
  /** What a module reads when it is run on its own. */
  readonly inputs: Readonly<Record<ModuleName, Float32Array>>;
  /** The whole block. What is not needed for the map `only` may be left out. */
  block(only?: string): Generator<LinearInput>;
  /** Adds a module's output to `output`. */
  module(name: ModuleName): Generator<LinearInput>;
}

/** What sets a family's blocks apart. */
export interface BlockKind {
  readonly linears: readonly (readonly string[])[];
  /** Makes room for so many sequences once, and passes over tensors by name within the block. */
  makePasses(
    kernel: MatrixKernel,
    config: ModelConfig,
    part: Part,
  ): (tensors: ReadonlyMap<string, Float32Array>, sequences: number) => BlockPass;
}

/** A block's place in the model and its tensors by name within it. */
export interface BlockTensors {
  readonly prefix: string;
  readonly tensors: ReadonlyMap<string, Tensor>;
}

/** A block for inference, which keeps nothing for a way back. */
export class InferenceBlock implements Block {
  readonly prefix: string;
  readonly linears: readonly string[];
  readonly groups: readonly (readonly string[])[];
  readonly #kernel: MatrixKernel;
  readonly #config: ModelConfig;
  readonly #kind: BlockKind;
  readonly #tensors: Map<string, Tensor>;

  constructor(
    kernel: MatrixKernel,
    config: ModelConfig,
    { kind, prefix, tensors }: BlockTensors & { readonly kind: BlockKind },
  ) {
    this.prefix = prefix;
    this.linears = kind.linears.flat();
    this.groups = kind.linears;
    this.#kernel = kernel;
    this.#config = config;
    this.#kind = kind;
    this.#tensors = new Map(tensors);
    // BitNet's weights are rounded here.
    const { bitLinear } = config;
    if (!bitLinear) return;
    for (const name of this.linears) {
      const { data } = this.#tensor(`${name}.weight`);
      kernel.scope(() => {
        const [weights, rounded] = [kernel.float32(data.length), kernel.float32(data.length)];
        weights.set(data);
        kernel.network.roundWeights(bitLinear, weights, rounded);
        this.setWeights(name, rounded.slice());
      });
    }
  }

  weights(linear: string): Rows {
    const { shape: [rows = 0, columns = 0], data } = this.#tensor(`${linear}.weight`);
    return { rows, columns, data };
  }

  setWeights(linear: string, data: Float32Array): void {
    const { shape } = this.#tensor(`${linear}.weight`);
    const needed = shape.reduce((product, size) => product * size, 1);
    if (data.length !== needed) {
      throw new RangeError(
        `Cannot replace ${this.prefix}${linear}.weight: needs ${needed} values: got ${data.length}`,
      );
    }
    this.#tensors.set(`${linear}.weight`, { shape, data });
  }

  run(hidden: Float32Array, { length, input }: BlockOptions): void {
    this.#eachPart(hidden, length, (pass, part) => {
      pass.x.set(part);
      for (const step of pass.block()) input?.(step);
      part.set(pass.output.subarray(0, part.length));
    });
  }

  inputsOf(linear: string, hidden: Float32Array, { length, input }: Required<BlockOptions>): void {
    this.#eachPart(hidden, length, (pass, part) => {
      pass.x.set(part);
      for (const step of pass.block(linear)) {
        if (step.name !== linear) continue;
        input(step);
        break;
      }
    });
  }

  module(name: ModuleName, { data }: Rows, { length, weights }: ModuleOptions): Float32Array {
    const result = new Float32Array(data.length);
    const replaced = (linear: string) => weights[linear]?.data;
    this.#eachPart(data, length, (pass, part, start) => {
      pass.inputs[name].set(part);
      pass.output.fill(0);
      for (const _ of pass.module(name));
      result.set(pass.output.subarray(0, part.length), start);
    }, replaced);
    return result;
  }

  #tensor(name: string): Tensor {
    const tensor = this.#tensors.get(name);
    if (!tensor) throw new Error(`No tensor "${this.prefix}${name}"`);
    return tensor;
  }

  /** Brings the tensors into the kernel's memory, and works through the sequences a few at a time. */
  #eachPart(
    rows: Float32Array,
    length: number,
    work: (pass: BlockPass, part: Float32Array, start: number) => void,
    replaced: (linear: string) => Float32Array | undefined = () => undefined,
  ): void {
    const { width, slidingWindow = length } = this.#config;
    if (length > slidingWindow) {
      throw new RangeError(
        `Cannot run the model: its window holds ${slidingWindow} positions: got sequences of ${length}`,
      );
    }
    const all = rows.length / (length * width);
    const most = Math.min(all, sequencesAtOnce(length));
    this.#kernel.scope(() => {
      const bring = (data: Float32Array) => {
        const copy = this.#kernel.float32(data.length);
        copy.set(data);
        return copy;
      };
      const tensors = new Map([...this.#tensors].map(([name, { data }]) => {
        const linear = this.linears.find((linear) => name === `${linear}.weight`);
        return [name, bring(linear === undefined ? data : replaced(linear) ?? data)];
      }));
      const part = { sequences: most, length };
      const passOf = this.#kind.makePasses(this.#kernel, this.#config, part);
      for (let first = 0; first < all; first += most) {
        const sequences = Math.min(most, all - first);
        const start = first * length * width;
        const part = rows.subarray(start, start + sequences * length * width);
        work(passOf(tensors, sequences), part, start);
      }
    });
  }
}

/** How many sequences of a length a block works through together. */
export function sequencesAtOnce(length: number): number {
  return Math.max(1, Math.floor(rowsAtOnce / length));
}

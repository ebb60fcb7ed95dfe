import type { MatrixKernel } from "../../compute/mod.ts";
import type { Block, BlockOptions, ModuleName, ModuleOptions, Rows } from "../block.ts";
import type { ModelConfig } from "../config.ts";
import type { Tensor } from "../tensors.ts";
import { type LinearName, linears, Pass, Space } from "./pass.ts";

/** Rows that are worked through together, so that what an operation writes is still in the cache for the next. */
const rowsAtOnce = 512;

/** A block of GPT-NeoX for inference. It computes what `reference/model.ts` computes, and keeps nothing for a way back. */
export class GptNeoXBlock implements Block {
  readonly prefix: string;
  readonly linears = linears;
  readonly #kernel: MatrixKernel;
  readonly #config: ModelConfig;
  readonly #tensors: Map<string, Tensor>;

  /** `tensors`: by name within the block. BitNet's weights are rounded here. */
  constructor(
    kernel: MatrixKernel,
    config: ModelConfig,
    { index, tensors }: { index: number; tensors: ReadonlyMap<string, Tensor> },
  ) {
    this.prefix = `gpt_neox.layers.${index}.`;
    this.#kernel = kernel;
    this.#config = config;
    this.#tensors = new Map(tensors);
    const { bitLinear } = config;
    if (!bitLinear) return;
    for (const name of linears) {
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
    const replaced = (linear: LinearName) => weights[linear]?.data;
    this.#eachPart(data, length, (pass, part, start) => {
      const { attentionInput, mlpInput, output } = pass;
      (name === "attention" ? attentionInput : mlpInput).set(part);
      output.fill(0);
      for (const _ of name === "attention" ? pass.attention() : pass.mlp());
      result.set(output.subarray(0, part.length), start);
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
    work: (pass: Pass, part: Float32Array, start: number) => void,
    replaced: (linear: LinearName) => Float32Array | undefined = () => undefined,
  ): void {
    const { width } = this.#config;
    const all = rows.length / (length * width);
    const most = Math.min(all, Math.max(1, Math.floor(rowsAtOnce / length)));
    this.#kernel.scope(() => {
      const bring = (data: Float32Array) => {
        const copy = this.#kernel.float32(data.length);
        copy.set(data);
        return copy;
      };
      const tensors = new Map([...this.#tensors].map(([name, { data }]) => {
        const linear = linears.find((linear) => name === `${linear}.weight`);
        return [name, bring((linear && replaced(linear)) ?? data)];
      }));
      const space = new Space(this.#kernel, this.#config, { sequences: most, length });
      for (let first = 0; first < all; first += most) {
        const sequences = Math.min(most, all - first);
        const start = first * length * width;
        const part = rows.subarray(start, start + sequences * length * width);
        work(new Pass(space, tensors, sequences), part, start);
      }
    });
  }
}

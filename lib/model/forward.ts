/**
 * Inference block by block: no more than the hidden states and one block's weights need to be in memory, and what goes
 * into each linear map can be seen on the way.
 */
import type { MatrixKernel } from "../compute/mod.ts";
import { architectureOf } from "./architecture.ts";
import type { Block } from "./block.ts";
import type { ModelConfig } from "./config.ts";
import { InferenceBlock } from "./inference_block.ts";
import { layoutOf } from "./layout.ts";
import type { Tensor, TensorSource } from "./tensors.ts";
import { countRows, splitTokens, type Tokens } from "./tokens.ts";

/** A model's shape and where its tensors come from. */
export interface LanguageModel {
  readonly config: ModelConfig;
  readonly source: TensorSource;
}

/** How a pass over a model is run. */
export interface PassOptions {
  /** Positions in a sequence. Default: the model's context. */
  readonly length?: number;
  /** The last positions of each sequence, whose losses count; those before are context. Default: all. */
  readonly counted?: number;
}

/** A model that is run block by block. */
export interface Inference {
  readonly config: ModelConfig;
  /** How many blocks there are. */
  readonly blocks: number;
  /** Hidden states [sequences, length, width] before the first block, for ids [sequences, length]. */
  embed(ids: Tokens): Promise<Float32Array>;
  /** Loads a block. */
  block(index: number): Promise<Block>;
  /** Logits [rows, vocabulary] for hidden states [rows, width] after the last block. */
  logits(hidden: Float32Array): Promise<Float32Array>;
  /** -ln p of each row's target, nats, for hidden states after the last block. */
  losses(hidden: Float32Array, targets: Int32Array): Promise<Float64Array>;
}

/**
 * Weights of a block from which on the one before is collected first, where the process was started with
 * `--v8-flags=--expose-gc`: left alone, several blocks may wait for that.
 */
const largeBlock = 2 ** 20;

/** Rows whose logits are in memory at a time. */
const rowsAtOnce = 512;

/**
 * Opens a model for inference. Tensors are read when they are needed; one that is missing or of another shape than the
 * configuration says throws then, with its name.
 *
 * Throws when the family is not supported, or a width is no multiple of 4.
 */
export function openModel(kernel: MatrixKernel, { config, source }: LanguageModel): Inference {
  const architecture = architectureOf(config);
  const { width, vocabulary } = config;
  const slots = layoutOf(config);
  const read = async (name: string): Promise<Tensor> => {
    const { shape } = slots.find((slot) => slot.name === name)!;
    const tensor = await source.tensor(name);
    if (tensor.shape.join() !== shape.join()) {
      throw new RangeError(
        `Cannot load ${name}: needs shape [${shape.join(", ")}]: got [${tensor.shape.join(", ")}]`,
      );
    }
    return tensor;
  };

  /** Calls `work` with the logits of a few rows at a time. */
  const eachLogits = async (
    hidden: Float32Array,
    work: (logits: Float32Array, rows: number, first: number) => void,
  ) => {
    const { finalNorm, output: tableName } = architecture;
    const norms: Tensor[] = [];
    for (const name of finalNorm) norms.push(await read(name));
    const table = await read(tableName);
    const all = hidden.length / width;
    kernel.scope(() => {
      const bring = ({ data }: Tensor) => {
        const copy = kernel.float32(data.length);
        copy.set(data);
        return copy;
      };
      const most = Math.min(all, rowsAtOnce);
      const [[weight, bias], out] = [norms.map(bring), bring(table)];
      const [x, output] = [kernel.float32(most * width), kernel.float32(most * width)];
      const [moments, logits] = [kernel.float32(most * 2), kernel.float32(most * vocabulary)];
      const norm = { weight: weight!, bias, moments, output };
      for (let first = 0; first < all; first += most) {
        const rows = Math.min(most, all - first);
        x.set(hidden.subarray(first * width, (first + rows) * width));
        normalise(kernel, config, { rows, x, ...norm });
        const map = { x: output, weight: out, out: vocabulary, output: logits };
        kernel.network.linear({ rows, width, ...map });
        work(logits, rows, first);
      }
    });
  };

  return {
    config,
    blocks: config.layers,
    async embed(ids) {
      countRows(config, ids, { length: 1, shift: 0 });
      const { data: table } = await read(architecture.input);
      const hidden = new Float32Array(ids.length * width);
      ids.forEach((id, row) => {
        hidden.set(table.subarray(id * width, (id + 1) * width), row * width);
      });
      return hidden;
    },
    async block(index) {
      const prefix = architecture.prefix(index);
      const names = slots.map(({ name }) => name).filter((name) => name.startsWith(prefix));
      if (names.length === 0) {
        throw new RangeError(
          `Cannot load block ${index}: needs a whole number from 0 to ${config.layers - 1}`,
        );
      }
      const values = slots.reduce((sum, { name, length }) => {
        return name.startsWith(prefix) ? sum + length : sum;
      }, 0);
      if (values >= largeBlock) (globalThis as { gc?: () => void }).gc?.();
      const tensors = new Map<string, Tensor>();
      for (const name of names) tensors.set(name.slice(prefix.length), await read(name));
      return new InferenceBlock(kernel, config, { kind: architecture.block, prefix, tensors });
    },
    async logits(hidden) {
      const all = new Float32Array(hidden.length / width * vocabulary);
      await eachLogits(hidden, (logits, rows, first) => {
        all.set(logits.subarray(0, rows * vocabulary), first * vocabulary);
      });
      return all;
    },
    async losses(hidden, targets) {
      const all = new Float64Array(hidden.length / width);
      await eachLogits(hidden, (x, rows, first) => {
        const ids = kernel.scope(() => {
          const [ids, losses] = [kernel.int32(rows), kernel.float64(rows)];
          ids.set(targets.subarray(first, first + rows));
          kernel.network.crossEntropy({ rows, width: vocabulary, x, targets: ids, losses });
          return losses.slice();
        });
        all.set(ids, first);
      });
      return all;
    },
  };
}

interface FinalNorm {
  readonly rows: number;
  readonly x: Float32Array;
  readonly weight: Float32Array;
  /** LayerNorm has one, the RMS norm has none. */
  readonly bias?: Float32Array;
  /** [rows, 2], overwritten. */
  readonly moments: Float32Array;
  readonly output: Float32Array;
}

function normalise({ network }: MatrixKernel, config: ModelConfig, norm: FinalNorm): void {
  const { width, normEpsilon: epsilon } = config;
  const { rows, x, weight, bias, moments, output } = norm;
  if (bias) {
    network.layerNorm({ rows, width, x, epsilon, moments, first: { weight, bias, output } });
  } else network.rmsNorm({ rows, width, x, epsilon, inverses: moments, weight, output });
}

/** Runs all blocks on hidden states, in place, with one block's weights in memory at a time. */
export async function runBlocks(
  model: Inference,
  hidden: Float32Array,
  { length = model.config.context }: PassOptions = {},
): Promise<void> {
  for (let index = 0; index < model.blocks; index++) {
    (await model.block(index)).run(hidden, { length });
  }
}

/** Logits [sequences, length, vocabulary] for ids [sequences, length]. */
export async function inferLogits(
  model: Inference,
  ids: Tokens,
  { length = model.config.context }: PassOptions = {},
): Promise<Float32Array> {
  countRows(model.config, ids, { length, shift: 0 });
  const hidden = await model.embed(ids);
  await runBlocks(model, hidden, { length });
  return await model.logits(hidden);
}

/**
 * The mean cross-entropy of each sequence, nats per token, for tokens [sequences, length + 1]: each position's target is
 * the next token.
 */
export async function inferLosses(
  model: Inference,
  tokens: Tokens,
  { length = model.config.context, counted = length }: PassOptions = {},
): Promise<Float64Array> {
  const { inputs, targets } = splitTokens(model.config, tokens, length);
  const hidden = await model.embed(inputs);
  await runBlocks(model, hidden, { length });
  return await sequenceLosses(model, hidden, { targets, length, counted });
}

/** The mean loss of each sequence over its counted positions, for hidden states after the last block. */
export async function sequenceLosses(
  model: Inference,
  hidden: Float32Array,
  options: Required<PassOptions> & { readonly targets: Int32Array },
): Promise<Float64Array> {
  const { targets, length, counted } = options;
  if (!(Number.isInteger(counted) && counted >= 1 && counted <= length)) {
    throw new RangeError(
      `Cannot take losses: counted must be a whole number from 1 to ${length}: got ${counted}`,
    );
  }
  if (counted === length) return meanOfRows(await model.losses(hidden, targets), length);
  const { width } = model.config;
  const ends = Array.from({ length: targets.length / length }, (_, row) => (row + 1) * length);
  const kept = new Float32Array(ends.length * counted * width);
  const of = new Int32Array(ends.length * counted);
  ends.forEach((end, row) => {
    const start = end - counted;
    kept.set(hidden.subarray(start * width, end * width), row * counted * width);
    of.set(targets.subarray(start, end), row * counted);
  });
  return meanOfRows(await model.losses(kept, of), counted);
}

/** The mean of each `length` values. */
function meanOfRows(values: Float64Array, length: number): Float64Array {
  return Float64Array.from({ length: values.length / length }, (_, row) => {
    let sum = 0;
    for (let i = row * length; i < (row + 1) * length; i++) sum += values[i]!;
    return sum / length;
  });
}

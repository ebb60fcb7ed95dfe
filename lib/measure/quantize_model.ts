/** A whole model by one method: its blocks quantized one after the other, calibrated on the way. */
import type { MatrixKernel } from "../compute/mod.ts";
import {
  type Block,
  type LanguageModel,
  openModel,
  splitTokens,
  type Tokens,
} from "../model/mod.ts";
import {
  addErrors,
  type ErrorSums,
  errorSums,
  methods,
  mseOf,
  parseSpec,
  type Spec,
  sqnrOf,
  useKernel,
} from "../quantize/mod.ts";
import { quantizerOf } from "./quantize_block.ts";

/** Token sequences that calibrate a method: [sequences, length + 1], as those that a loss is taken on. */
export interface Sequences {
  readonly tokens: Tokens;
  /** Positions in a sequence. */
  readonly length: number;
  /** The last positions of a sequence, on which the loss is taken. Default: all. */
  readonly counted?: number;
}

/** What {@linkcode quantizeBlocks} needs beside the model and the method. */
export interface QuantizeModelOptions {
  readonly kernel: MatrixKernel;
  /** Needed by methods that look at inputs. */
  readonly calibration?: Sequences;
}

/** What became of one linear map. */
export interface LayerReport {
  /** The tensor's name. */
  readonly name: string;
  /** [out, in]. */
  readonly shape: readonly number[];
  readonly error: ErrorSums;
  /** Signal to quantization noise, dB. */
  readonly sqnr: number;
  /** Mean squared error of the weights. */
  readonly mse: number;
  /** All that must be kept, in bits over weights. */
  readonly bitsPerWeight: number;
}

/** A block whose linear maps are quantized. */
export interface QuantizedBlock {
  readonly block: Block;
  /** One a linear map, in the order in which they run. */
  readonly layers: readonly LayerReport[];
}

/** The linear maps of a model together. */
export type ModelReport = Omit<LayerReport, "name" | "shape">;

/**
 * Quantizes the linear maps of each block, first block first; the tables of the vocabulary, norms and biases stay.
 * One block's weights are in memory at a time: use a block before asking for the next.
 *
 * Calibration is that of the methods' sources. GPTQ (Optimum, paper A): each map's Hessian is taken with everything
 * before it quantized, the maps of its own block included ("true sequential"). AWQ (llm-awq): on the inputs that the
 * model has before quantization, with the mappings of its family. Other methods need none.
 *
 * Throws, before any work, when the method is unknown, keeps 16 bits, or lacks the calibration that it needs.
 */
export async function* quantizeBlocks(
  model: LanguageModel,
  method: string,
  { kernel, calibration }: QuantizeModelOptions,
): AsyncGenerator<QuantizedBlock> {
  const spec = checkMethod(method);
  const calibrated = spec.method.needs !== "nothing";
  if (calibrated && !calibration) {
    throw new Error(`Cannot quantize with ${spec.method.name} without calibration: give sequences`);
  }
  const inference = openModel(kernel, model);
  const quantizer = quantizerOf(spec, model.config);
  const length = calibration?.length ?? 1;
  const inputs = calibrated
    ? splitTokens(model.config, calibration!.tokens, length).inputs
    : new Int32Array();
  const used = sequencesUsed(spec, inputs.length / length) * length;
  const hidden = used > 0 ? await inference.embed(inputs.subarray(0, used)) : new Float32Array();
  for (let index = 0; index < inference.blocks; index++) {
    const block = await inference.block(index);
    const before = new Map(block.linears.map((name) => [name, block.weights(name)]));
    useKernel(kernel);
    const bits = quantizer(block, hidden, length);
    const layers = block.linears.map((name): LayerReport => {
      const { rows, columns, data } = before.get(name)!;
      const error = errorSums(data, block.weights(name).data);
      return {
        name: `${block.prefix}${name}.weight`,
        shape: [rows, columns],
        ...summary([error], [bits.get(name)!]),
      };
    });
    yield { block, layers };
  }
}

/** A quantized model: its tensors as they come back from their codes. */
export interface QuantizedModel extends LanguageModel {
  readonly layers: readonly LayerReport[];
  readonly report: ModelReport;
}

/** Quantizes a model with {@linkcode quantizeBlocks} and keeps all of its blocks. */
export async function quantizeModel(
  model: LanguageModel,
  method: string,
  options: QuantizeModelOptions,
): Promise<QuantizedModel> {
  const { config, source } = model;
  const layers: LayerReport[] = [];
  const replaced = new Map<string, { shape: readonly number[]; data: Float32Array }>();
  for await (const { block, layers: ofBlock } of quantizeBlocks(model, method, options)) {
    layers.push(...ofBlock);
    for (const name of block.linears) {
      const { rows, columns, data } = block.weights(name);
      replaced.set(`${block.prefix}${name}.weight`, { shape: [rows, columns], data });
    }
  }
  return {
    config,
    source: {
      names: source.names,
      tensor: (name) => replaced.get(name) ?? source.tensor(name),
    },
    layers,
    report: reportOf(layers),
  };
}

/** All layers together. */
export function reportOf(layers: readonly LayerReport[]): ModelReport {
  return summary(
    layers.map(({ error }) => error),
    layers.map(({ bitsPerWeight }) => bitsPerWeight),
  );
}

function summary(errors: readonly ErrorSums[], bits: readonly number[]): ModelReport {
  const error = addErrors(errors);
  const stored = errors.reduce((sum, { count }, i) => sum + count * bits[i]!, 0);
  return {
    error,
    sqnr: sqnrOf(error),
    mse: mseOf(error),
    bitsPerWeight: stored / error.count,
  };
}

/**
 * How many of the calibration's sequences a method uses, from the first on: all of them, or 32 where outputs are computed
 * again and again (AWQ, for which arXiv 2306.00978, section 5.3, finds 16 to be enough).
 */
export function sequencesUsed({ method: { needs } }: Spec, given: number): number {
  if (needs === "nothing") return 0;
  return needs === "activations" ? Math.min(32, given) : given;
}

/** Reads a method's spec for a whole model; throws when it is unknown or leaves the model as it is. */
export function checkMethod(method: string): Spec {
  const spec = parseSpec(method, methods);
  if (spec.options.bits === 16) {
    throw new Error(
      `Cannot measure ${method}: 16 bits keep the model as it is, which is what every method is compared with`,
    );
  }
  return spec;
}

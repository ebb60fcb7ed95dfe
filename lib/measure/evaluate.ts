/** The quantization-induced degradation (QiD) of a model: what a method costs in loss on the same sequences. */
import { mean, sampleStandardDeviation } from "simple-statistics";
import type { MatrixKernel } from "../compute/mod.ts";
import {
  inferLosses,
  type LanguageModel,
  openModel,
  sequenceLosses,
  splitTokens,
} from "../model/mod.ts";
import {
  type LayerReport,
  type ModelReport,
  quantizeBlocks,
  type QuantizeModelOptions,
  reportOf,
  type Sequences,
} from "./quantize_model.ts";

/** Two losses on the same sequences, nats per token. */
export interface Comparison {
  readonly loss16: number;
  readonly lossQuantized: number;
  /** lossQuantized - loss16. */
  readonly qid: number;
  /**
   * Standard error of `qid` over sequences: the standard deviation of the sequences' own differences over the square root
   * of their number. NaN for a single sequence.
   */
  readonly qidError: number;
}

/**
 * Compares the mean losses of the same sequences before and after quantization.
 *
 * ```ts
 * import { deepStrictEqual } from "node:assert/strict";
 * import { compareLosses } from "./mod.ts";
 *
 * const { qid, qidError } = compareLosses(Float64Array.of(2, 4), Float64Array.of(2.5, 5.5));
 * deepStrictEqual([qid, qidError], [1, 0.5]);
 * ```
 */
export function compareLosses(before: Float64Array, after: Float64Array): Comparison {
  if (before.length !== after.length || before.length === 0) {
    throw new Error(
      `Cannot compare losses: needs those of the same sequences: got ${before.length} and ${after.length}`,
    );
  }
  const differences = Array.from(before, (value, i) => after[i]! - value);
  const deviation = before.length > 1 ? sampleStandardDeviation(differences) : NaN;
  return {
    loss16: mean([...before]),
    lossQuantized: mean([...after]),
    qid: mean(differences),
    qidError: deviation / Math.sqrt(before.length),
  };
}

/** The mean loss of each sequence, nats per token, of a model as it is. */
export function baseLosses(
  kernel: MatrixKernel,
  model: LanguageModel,
  { tokens, length, counted }: Sequences,
): Promise<Float64Array> {
  return inferLosses(openModel(kernel, model), tokens, { length, counted });
}

/** A quantized model's losses and what was done to its weights. */
export interface Evaluation {
  /** Mean of each sequence, nats per token. */
  readonly losses: Float64Array;
  readonly layers: readonly LayerReport[];
  readonly report: ModelReport;
}

/**
 * Quantizes a model and takes its loss on test sequences block by block, so that no more than one block's weights and the
 * hidden states are in memory.
 */
export async function evaluateQuantized(
  model: LanguageModel,
  method: string,
  options: QuantizeModelOptions & { readonly test: Sequences },
): Promise<Evaluation> {
  const { kernel, test: { tokens, length, counted = length } } = options;
  const inference = openModel(kernel, model);
  const { inputs, targets } = splitTokens(model.config, tokens, length);
  const hidden = await inference.embed(inputs);
  const layers: LayerReport[] = [];
  for await (const { block, layers: ofBlock } of quantizeBlocks(model, method, options)) {
    block.run(hidden, { length });
    layers.push(...ofBlock);
  }
  const losses = await sequenceLosses(inference, hidden, { targets, length, counted });
  return { losses, layers, report: reportOf(layers) };
}

import type { ModelConfig } from "./config.ts";
import { gptNeoXLayout } from "./gpt_neox/layout.ts";
import { llamaLayout } from "./llama/layout.ts";
import type { TensorSlot } from "./tensors.ts";

/** The tensors of a model in Hugging Face's names, shapes and order, one after the other in a flat array. */
export function layoutOf(config: ModelConfig): readonly TensorSlot[] {
  const tensors = config.family === "gpt_neox" ? gptNeoXLayout(config) : llamaLayout(config);
  let offset = 0;
  return tensors.map(([name, shape]) => {
    const length = shape.reduce((product, size) => product * size, 1);
    const slot = { name, shape, offset, length };
    offset += length;
    return slot;
  });
}

/** How many parameters a model has. */
export interface ParameterCount {
  readonly total: number;
  /**
   * N of the scaling laws: all but the two tables of the vocabulary; layers (12 d^2 + 13 d) + 2 d
   * for GPT-NeoX.
   */
  readonly nonEmbedding: number;
  /** The input and the output table, which may be one. */
  readonly embedding: number;
}

/**
 * Counts the parameters of a model.
 *
 * ```ts
 * import { deepStrictEqual } from "node:assert/strict";
 * import { countParameters, gptNeoXConfig } from "./mod.ts";
 *
 * // Pythia-70M: 18,915,328 of its 70,426,624 parameters are not in the tables.
 * const config = gptNeoXConfig({ width: 512, layers: 6, heads: 8, vocabulary: 50304 });
 * deepStrictEqual(countParameters(config), {
 *   ...{ total: 70426624, nonEmbedding: 18915328, embedding: 51511296 },
 * });
 * ```
 */
export function countParameters(config: ModelConfig): ParameterCount {
  const total = layoutOf(config).reduce((sum, { length }) => sum + length, 0);
  const embedding = (config.tiedEmbeddings ? 1 : 2) * config.vocabulary * config.width;
  return { total, nonEmbedding: total - embedding, embedding };
}

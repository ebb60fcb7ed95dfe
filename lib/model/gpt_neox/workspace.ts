import type { MatrixKernel } from "../../compute/mod.ts";
import type { ModelConfig } from "../config.ts";
import { rotaryAngles } from "../rotary.ts";

/**
 * What the forward pass keeps of a block for the backward pass, for some rows (tokens) at a time.
 * Widths of rows are in values: d the model's width, m the width inside the feed-forward part.
 */
export interface BlockSpace {
  /** Input, d. */
  readonly x: Float32Array;
  /** x + attention, d; the input itself when attention and feed-forward part stand side by side. */
  readonly middle: Float32Array;
  readonly moments: Float32Array;
  readonly middleMoments: Float32Array;
  /** The two normalised inputs, d. */
  readonly attentionInput: Float32Array;
  readonly mlpInput: Float32Array;
  /** Queries, keys and values, 3 d. */
  readonly heads: Float32Array;
  readonly probabilities: Float32Array;
  /**
   * What attention gives, d, and what `dense` takes: the same, or with BitNet its normalised,
   * rounded form.
   */
  readonly attended: Float32Array;
  readonly denseInput: Float32Array;
  readonly attendedInverses: Float32Array;
  /** The derivative of the activation, m. */
  readonly slope: Float32Array;
  /** The activation, m, and what `down` takes. */
  readonly activated: Float32Array;
  readonly downInput: Float32Array;
  readonly activatedInverses: Float32Array;
}

/** The memory that a model works in. */
export interface Workspace {
  /** Tokens and their targets. */
  readonly ids: Int32Array;
  readonly targets: Int32Array;
  /** Cosines and sines of the rotary positions. */
  readonly angles: Float32Array;
  readonly blocks: readonly BlockSpace[];
  /**
   * Output of the last block, its normalised form, and the logits, which their gradient overwrites.
   */
  readonly hidden: Float32Array;
  readonly hiddenMoments: Float32Array;
  readonly normed: Float32Array;
  readonly logits: Float32Array;
  readonly losses: Float64Array;
  /**
   * Gradients: of the residual stream, d, of a branch's input or output, d (two of them), 3 d and
   * m.
   */
  readonly dHidden: Float32Array;
  readonly dAttention: Float32Array;
  readonly dMlp: Float32Array;
  readonly dHeads: Float32Array;
  readonly dInner: Float32Array;
}

/** Makes a workspace for `rows` tokens in the kernel's memory. */
export function makeWorkspace(kernel: MatrixKernel, config: ModelConfig, rows: number): Workspace {
  const { width, innerWidth, heads, headWidth, context, vocabulary, bitLinear } = config;
  const matrix = (columns: number) => kernel.float32(rows * columns);
  // Sequences of any length up to the context: no length needs more for its rows than the longest
  // does.
  const sequences = Math.ceil(rows / context);
  const probabilities = kernel.network.probabilitiesLength({
    sequences,
    heads,
    headWidth,
    length: context,
  });
  const block = (): BlockSpace => {
    const x = matrix(width);
    const [attended, activated] = [matrix(width), matrix(innerWidth)];
    return {
      x,
      middle: config.parallelResidual ? x : matrix(width),
      ...{ moments: matrix(2), middleMoments: matrix(2) },
      ...{ attentionInput: matrix(width), mlpInput: matrix(width) },
      ...{ heads: matrix(3 * width), probabilities: kernel.float32(probabilities) },
      ...{
        attended,
        denseInput: bitLinear ? matrix(width) : attended,
        attendedInverses: matrix(1),
      },
      slope: matrix(innerWidth),
      ...{
        activated,
        downInput: bitLinear ? matrix(innerWidth) : activated,
        activatedInverses: matrix(1),
      },
    };
  };
  return {
    ...{ ids: kernel.int32(rows), targets: kernel.int32(rows) },
    angles: rotaryAngles(kernel, config.rotary, config.context),
    blocks: Array.from({ length: config.layers }, block),
    ...{ hidden: matrix(width), hiddenMoments: matrix(2), normed: matrix(width) },
    ...{ logits: matrix(vocabulary), losses: kernel.float64(rows) },
    ...{ dHidden: matrix(width), dAttention: matrix(width), dMlp: matrix(width) },
    ...{ dHeads: matrix(3 * width), dInner: matrix(innerWidth) },
  };
}

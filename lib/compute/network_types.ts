/** Options of the operations of a transformer: see {@linkcode NetworkKernel}. */

/** A matrix of rows that one operation reads or writes. */
export interface RowsOptions {
  rows: number;
  /** Values in a row, a multiple of 4. */
  width: number;
}

export interface TableOptions extends RowsOptions {
  /** [entries, width]. */
  table: Float32Array;
  /** Which entry each row is: [rows], each below the number of entries. */
  ids: Int32Array;
  /** [rows, width]. */
  values: Float32Array;
}

/** y = W x for each row x, W being [out, width]. */
export interface LinearOptions extends RowsOptions {
  /** [rows, width]. */
  x: Float32Array;
  weight: Float32Array;
  /** Values in a row of the output. */
  out: number;
  /** [rows, out]. */
  output: Float32Array;
  /** Whether to add to what `output` holds. Default false. */
  accumulate?: boolean;
}

export interface LinearBackwardOptions extends RowsOptions {
  x: Float32Array;
  weight: Float32Array;
  out: number;
  /** Gradient of the output, [rows, out]. */
  gradient: Float32Array;
  /** [rows, width], written. */
  xGradient: Float32Array;
  /** [out, width]; added to. */
  weightGradient: Float32Array;
}

export interface AddBiasesOptions extends RowsOptions {
  x: Float32Array;
  /** [width]. */
  bias?: Float32Array;
  /** [width]. */
  bias2?: Float32Array;
  /** x + bias + bias2; may be `x`. */
  output: Float32Array;
}

export interface ColumnSumsOptions extends RowsOptions {
  x: Float32Array;
  /** [width]; the sums are added to it. */
  sums: Float32Array;
}

/** One output of a layer normalisation: z weight + bias, z the normalised row. */
export interface NormOutput {
  weight: Float32Array;
  bias: Float32Array;
  /** [rows, width]. */
  output: Float32Array;
}

export interface LayerNormOptions extends RowsOptions {
  x: Float32Array;
  epsilon: number;
  /** [rows, 2], written: mean and 1 / sqrt(variance + epsilon) of each row. */
  moments: Float32Array;
  first: NormOutput;
  /** Another output from the same z. */
  second?: NormOutput;
}

/** The gradient of one output of a layer normalisation. */
export interface NormGradient {
  weight: Float32Array;
  /** [rows, width], gradient of the output; that of `first` is overwritten. */
  gradient: Float32Array;
  /** [width]; added to. */
  weightGradient: Float32Array;
  /** [width]; added to. */
  biasGradient: Float32Array;
}

export interface LayerNormBackwardOptions extends RowsOptions {
  x: Float32Array;
  moments: Float32Array;
  first: NormGradient;
  second?: NormGradient;
  /** [rows, width]; the gradient of x is added to it. */
  xGradient: Float32Array;
}

export interface RmsNormOptions extends RowsOptions {
  x: Float32Array;
  epsilon: number;
  /** [rows], written: 1 / sqrt(mean x^2 + epsilon). */
  inverses: Float32Array;
  weight: Float32Array;
  /** x inverse weight; not `x`, which the backward pass needs. */
  output: Float32Array;
}

export interface RmsNormBackwardOptions extends RowsOptions {
  x: Float32Array;
  inverses: Float32Array;
  weight: Float32Array;
  /** The gradient of the output, overwritten with that of x. */
  gradient: Float32Array;
  /** [width]; added to. */
  weightGradient: Float32Array;
}

/**
 * How a row of queries, keys and values is laid out: per head [query, key, value] of `headWidth`
 * values each.
 */
export interface HeadsOptions {
  heads: number;
  /** A multiple of 4. */
  headWidth: number;
  /** Positions in a sequence; rows are sequences x length. */
  length: number;
  sequences: number;
}

export interface RotaryOptions extends HeadsOptions {
  /** [rows, heads x 3 x headWidth], worked on in place; backward: its gradient. */
  x: Float32Array;
  /** [heads x 3 x headWidth], added first; backward: its gradient, added to. */
  bias?: Float32Array;
  /** How many values of each query and key are turned; even. */
  turned: number;
  /** [length or more, turned]: cosines, then sines, of each position. */
  angles: Float32Array;
}

/** Room for the probabilities of attention. */
export interface ProbabilitiesOptions extends HeadsOptions {
  /** Whether those of all heads are kept for the way back; else those of a few queries. Default true. */
  keep?: boolean;
}

export interface AttentionOptions extends ProbabilitiesOptions {
  /** [rows, heads x 3 x headWidth]. */
  x: Float32Array;
  /** {@linkcode NetworkKernel.probabilitiesLength} values, written; backward: read. */
  probabilities: Float32Array;
  /** [rows, heads x headWidth], written; backward: read. */
  output: Float32Array;
}

export interface AttentionBackwardOptions extends AttentionOptions {
  /** Gradient of the output. */
  outputGradient: Float32Array;
  /** Gradient of x, overwritten. */
  xGradient: Float32Array;
}

export interface GeluOptions extends RowsOptions {
  kind: "gelu" | "gelu_tanh";
  /** Overwritten with the derivative at x + bias, unless `keep` is false. */
  x: Float32Array;
  bias?: Float32Array;
  /** gelu(x + bias). */
  output: Float32Array;
  /** Default true. */
  keep?: boolean;
}

/** The gated activation of the Llama family. */
export interface SiluGateOptions extends RowsOptions {
  gate: Float32Array;
  up: Float32Array;
  /** gate / (1 + e^-gate) up; may be `gate`. */
  output: Float32Array;
}

/** Queries, keys and values from three maps. */
export interface JoinHeadsOptions {
  rows: number;
  heads: number;
  /** Heads of keys and values; divides `heads`. */
  keyValueHeads: number;
  /** A multiple of 4. */
  headWidth: number;
  /** [rows, heads x headWidth]. */
  query: Float32Array;
  /** [rows, keyValueHeads x headWidth]. */
  key: Float32Array;
  /** As `key`. */
  value: Float32Array;
  /** [rows, heads x 3 x headWidth], written: each key and value beside all queries that share it. */
  output: Float32Array;
}

export interface GeluBackwardOptions extends RowsOptions {
  /** The derivative that `gelu` kept. */
  slope: Float32Array;
  /** The gradient of the output, overwritten with that of x. */
  gradient: Float32Array;
  /** [width]; added to. */
  biasGradient?: Float32Array;
}

export interface CrossEntropyOptions extends RowsOptions {
  /** Logits [rows, width], overwritten with their gradient unless `scale` is 0. */
  x: Float32Array;
  /** [rows], each below `width`. */
  targets: Int32Array;
  /** [rows], written: -ln softmax(x)[target], nats. */
  losses: Float64Array;
  /** The gradient is that of scale times the sum of the losses. Default 0: no gradient. */
  scale?: number;
}

export interface AdamWOptions {
  parameters: Float32Array;
  gradients: Float32Array;
  /** Running mean of the gradients, updated. */
  first: Float32Array;
  /** Running mean of their squares, updated. */
  second: Float32Array;
  /** Steps done with this one: 1 in the first. */
  step: number;
  learningRate: number;
  betas: readonly [number, number];
  epsilon: number;
  weightDecay: number;
  /** Factor of the gradients, as clipping gives it. Default 1. */
  factor?: number;
}

/**
 * The operations of a transformer beside its matrix products, in f32, for training: forward, and
 * backward where the name says so. All arrays lie in the kernel's memory and are row-major. Bounds
 * are checked; that ids are in range and that widths are multiples of 4 is left to the caller. No
 * memory stays taken. Gradients of parameters are added to, so that a batch can be worked through
 * in parts.
 *
 * Exponentials and GELU are approximations within 1e-6 of the value (GELU for x above -4; below,
 * where it comes near 0, within 5e-11). Multiply-adds may round once or twice, so machines can
 * differ in the last bits; the same machine gives the same bytes.
 */
export interface NetworkKernel {
  /** values[i] = table[ids[i]]. */
  gatherRows(options: TableOptions): void;
  /** table[ids[i]] += values[i]. */
  scatterRows(options: TableOptions): void;
  linear(options: LinearOptions): void;
  linearBackward(options: LinearBackwardOptions): void;
  addBiases(options: AddBiasesOptions): void;
  addColumnSums(options: ColumnSumsOptions): void;
  layerNorm(options: LayerNormOptions): void;
  layerNormBackward(options: LayerNormBackwardOptions): void;
  rmsNorm(options: RmsNormOptions): void;
  rmsNormBackward(options: RmsNormBackwardOptions): void;
  /** Adds the bias, then turns queries and keys by their positions. */
  rotary(options: RotaryOptions): void;
  /** Turns gradients back in place, and adds to the gradient of the bias. */
  rotaryBackward(options: RotaryOptions): void;
  /**
   * softmax(query key^T / sqrt(headWidth)) value under the causal mask; the masked blocks are not
   * computed.
   */
  attention(options: AttentionOptions): void;
  attentionBackward(options: AttentionBackwardOptions): void;
  /** How many values {@linkcode AttentionOptions.probabilities} needs. */
  probabilitiesLength(options: ProbabilitiesOptions): number;
  gelu(options: GeluOptions): void;
  geluBackward(options: GeluBackwardOptions): void;
  siluGate(options: SiluGateOptions): void;
  joinHeads(options: JoinHeadsOptions): void;
  crossEntropy(options: CrossEntropyOptions): void;
  /** BitNet's weights: rounded to signs (b1) or to -1, 0 and 1 (b1.58) times one scale. */
  roundWeights(variant: "b1" | "b1.58", weights: Float32Array, output: Float32Array): void;
  /** BitNet's inputs: each row rounded in place to 8 bits of its largest value. */
  roundActivations(x: Float32Array, options: RowsOptions): void;
  /** Sum of squares in f64. */
  sumOfSquares(x: Float32Array): number;
  /** One step of AdamW with decoupled weight decay (Loshchilov and Hutter, arXiv 1711.05101). */
  adamW(options: AdamWOptions): void;
}

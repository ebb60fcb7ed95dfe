/**
 * The encoder's forward pass, for the inputs that a text gives each of its matrices. Written by
 * hand: TensorFlow.js runs the model, but does not show what goes into a matrix.
 */
import { loadKernel, type MatrixKernel } from "../compute/mod.ts";
import type { Matrix } from "../quantize/mod.ts";
import { type EncoderMatrix, loadEncoder } from "./weights.ts";

/** The tokens of one text; see `tokenize`. The encoder was trained on at most 128. */
export type Sequence = readonly number[];

const heads = 4;
const epsilon = 1e-6;
const most = 128;

let loaded: MatrixKernel | undefined;

/**
 * Runs the encoder on sequences of tokens, and returns the inputs of each matrix but the embeddings
 * by its name: [tokens of all sequences, in], and for the head [sequences, in].
 *
 * Throws when a sequence is empty or has more than 128 tokens.
 *
 * ```ts
 * import { deepStrictEqual } from "node:assert/strict";
 * import { encoderInputs, tokenize } from "./mod.ts";
 *
 * const { rows, columns } = encoderInputs([tokenize("How are you?")])["layer_0.ffn_out"]!;
 * deepStrictEqual([rows, columns], [4, 1536]);
 * ```
 */
export function encoderInputs(sequences: readonly Sequence[]): Record<string, Matrix> {
  sequences.forEach(({ length }, index) => {
    if (length >= 1 && length <= most) return;
    throw new RangeError(
      `Cannot run the encoder on sequence ${index + 1}: needs 1 to ${most} tokens: got ${length}`,
    );
  });
  const encoder = loadEncoder();
  const inputs: Record<string, Matrix> = {};
  const apply = (name: string, x: Matrix) => {
    inputs[name] = x;
    return linear(x, encoder.matrix(name));
  };
  const normalize = (scope: string, x: Matrix) => {
    const norm = `${scope}layer_prepostprocess/layer_norm/layer_norm`;
    return layerNorm(x, encoder.vector(`${norm}_scale`), encoder.vector(`${norm}_bias`));
  };
  const attend = (layer: number, x: Matrix) => {
    const before = normalize(`Layer_${layer}/`, x);
    const mixed = attention(apply(`layer_${layer}.query_key_value`, before), sequences);
    return apply(`layer_${layer}.attention_out`, mixed);
  };
  const feedForward = (layer: number, x: Matrix) => {
    const hidden = apply(`layer_${layer}.ffn_in`, normalize(`Layer_${layer}/FFN/`, x));
    const data = hidden.data.map((value) => Math.max(value, 0));
    return apply(`layer_${layer}.ffn_out`, { ...hidden, data });
  };
  let x = embedded(sequences);
  x = sum(apply("layer_0.residual", x), attend(0, x));
  x = sum(x, feedForward(0, x));
  x = sum(x, attend(1, x));
  x = sum(x, feedForward(1, x));
  inputs.head = means(x, sequences);
  return inputs;
}

/** Twice the embedding of each token, plus sines and cosines of its position. */
function embedded(sequences: readonly Sequence[]): Matrix {
  const encoder = loadEncoder();
  const { columns, data: table } = encoder.matrix("embeddings").weights;
  const frequencies = encoder.vector("Layer_0/AddTimingSignal/TimingSignal/ExpandDims_1");
  const half = columns / 2;
  const data = sequences.flatMap((tokens) =>
    tokens.map((token, position) =>
      Float32Array.from({ length: columns }, (_, i) => {
        const angle = position * frequencies[i % half]!;
        return 2 * table[token * columns + i]! + (i < half ? Math.sin(angle) : Math.cos(angle));
      })
    )
  );
  return stacked(data);
}

function kernel(): MatrixKernel {
  return loaded ??= loadKernel();
}

/** x W^T + bias. */
function linear({ rows, data }: Matrix, { weights, bias }: EncoderMatrix): Matrix {
  const columns = weights.rows;
  const output = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) output.set(bias, row * columns);
  const sizes = { m: rows, n: columns, k: weights.columns };
  kernel().gemm({ a: data, b: weights.data, c: output, ...sizes, transposeB: true, beta: 1 });
  return { rows, columns, data: output };
}

function layerNorm(x: Matrix, scale: Float32Array, bias: Float32Array): Matrix {
  return stacked(
    rowsOf(x).map((row) => {
      const mean = meanOf(row);
      const variance = meanOf(row.map((value) => (value - mean) ** 2));
      const factor = 1 / Math.sqrt(variance + epsilon);
      return row.map((value, i) => (value - mean) * factor * scale[i]! + bias[i]!);
    }),
  );
}

/** Softmax attention within each sequence; every token sees all others. */
function attention(mixed: Matrix, sequences: readonly Sequence[]): Matrix {
  const columns = mixed.columns / 3;
  const size = columns / heads;
  const data = new Float32Array(mixed.rows * columns);
  let start = 0;
  for (const { length } of sequences) {
    const scores = new Float32Array(length * length);
    for (let head = 0; head < heads; head++) {
      const [query, key, value] = [0, 1, 2].map((part) =>
        mixed.data.subarray(start * mixed.columns + part * columns + head * size)
      ) as [Float32Array, Float32Array, Float32Array];
      const stored = { lda: mixed.columns, ldb: mixed.columns };
      const look = { a: query, b: key, c: scores, m: length, n: length, k: size, ...stored };
      kernel().gemm({ ...look, transposeB: true, alpha: 1 / Math.sqrt(size) });
      for (let token = 0; token < length; token++) {
        softmax(scores.subarray(token * length, (token + 1) * length));
      }
      const output = data.subarray(start * columns + head * size);
      const mix = { a: scores, b: value, c: output, m: length, n: size, k: length };
      kernel().gemm({ ...mix, ldb: mixed.columns, ldc: columns });
    }
    start += length;
  }
  return { rows: mixed.rows, columns, data };
}

/** Replaces scores with shares that add up to 1. */
function softmax(scores: Float32Array): void {
  const top = scores.reduce((a, b) => Math.max(a, b));
  let total = 0;
  for (let i = 0; i < scores.length; i++) total += scores[i] = Math.exp(scores[i]! - top);
  for (let i = 0; i < scores.length; i++) scores[i]! /= total;
}

/** The mean of each sequence's rows. */
function means(x: Matrix, sequences: readonly Sequence[]): Matrix {
  const rows = rowsOf(x);
  let start = 0;
  return stacked(sequences.map(({ length }) => {
    const own = rows.slice(start, start += length);
    return Float32Array.from({ length: x.columns }, (_, i) => meanOf(own.map((row) => row[i]!)));
  }));
}

function sum(a: Matrix, b: Matrix): Matrix {
  return { ...a, data: a.data.map((value, i) => value + b.data[i]!) };
}

function rowsOf({ rows, columns, data }: Matrix): Float32Array[] {
  return Array.from(
    { length: rows },
    (_, row) => data.subarray(row * columns, (row + 1) * columns),
  );
}

function stacked(rows: readonly Float32Array[]): Matrix {
  const columns = rows[0]!.length;
  const data = new Float32Array(rows.length * columns);
  rows.forEach((row, i) => data.set(row, i * columns));
  return { rows: rows.length, columns, data };
}

function meanOf(values: Float32Array | readonly number[]): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i]!;
  return total / values.length;
}

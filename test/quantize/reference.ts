/** Slow and obvious: small layers, and GPTQ told in the plainest way, to hold the fast code against. */
import type { Matrix } from "../../lib/quantize/mod.ts";

const fround = Math.fround;

/** 16-bit fractions from -0.5 to 0.5; the generator of vectors/make.py. */
export function numbers(seed: number, count: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(1664525, state) + 1013904223) >>> 0;
    return (Math.floor(state / 256) % 65536) / 65536 - 0.5;
  });
}

export interface LayerShape {
  rows: number;
  columns: number;
  tokens: number;
  seed: number;
  /** Columns whose input is 0. */
  dead?: readonly number[];
  /** Factor of the weights. */
  times?: number;
}

/** Weights, and inputs whose neighbouring columns are correlated and whose columns differ in size. */
export function makeLayer(shape: LayerShape): { weights: Matrix; activations: Matrix } {
  const { rows, columns, tokens, seed, dead = [], times = 1 } = shape;
  const data = numbers(seed, rows * columns).map((value) => value * times);
  const inputs = numbers(seed + 1, tokens * columns);
  for (let i = 0; i < inputs.length; i++) {
    if (i % columns > 0) inputs[i]! += fround(0.5 * inputs[i - 1]!);
  }
  const scaled = inputs.map((value, i) => {
    const column = i % columns;
    return dead.includes(column) ? 0 : value * (1 + (column * 7) % 5);
  });
  return {
    weights: { rows, columns, data },
    activations: { rows: tokens, columns, data: scaled },
  };
}

/** What the plain loops need. */
export interface LoopCase {
  weights: Matrix;
  bits: number;
  symmetric: boolean;
  group: number;
  /** Columns between two updates of what scales are found from. */
  block: number;
}

/** The grid of some weights, from the formulas. */
function findGrid(values: readonly number[], { bits, symmetric }: LoopCase) {
  const top = 2 ** bits - 1;
  let low = Math.min(0, ...values);
  let high = Math.max(0, ...values);
  if (symmetric) {
    high = Math.max(-low, high);
    low = low < 0 ? -high : 0;
  }
  if (low === 0 && high === 0) [low, high] = [-1, 1];
  const scale = fround(fround(high - low) / top);
  const zero = symmetric ? 2 ** (bits - 1) : halfEven(fround(-low / scale));
  return {
    code: (x: number) => Math.min(Math.max(halfEven(fround(x / scale)) + zero, 0), top),
    value: (code: number) => fround(scale * (code - zero)),
  };
}

function halfEven(x: number): number {
  return Math.abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x);
}

/**
 * The column loop, one weight at a time, with every float32 rounding written out. factor: U, upper,
 * [columns, columns].
 */
export function slowGptq(layer: LoopCase, factor: Float64Array): Uint8Array {
  const { rows, columns } = layer.weights;
  const codes = new Uint8Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    const w = [...layer.weights.data.subarray(row * columns, (row + 1) * columns)];
    let atBlockStart = [...w];
    let grid = findGrid(w, layer);
    for (let i = 0; i < columns; i++) {
      if (i % layer.block === 0) atBlockStart = [...w];
      if (layer.group < columns && i % layer.group === 0) {
        grid = findGrid(atBlockStart.slice(i, i + layer.group), layer);
      }
      const code = grid.code(w[i]!);
      codes[row * columns + i] = code;
      const d = fround(factor[i * columns + i]!);
      const error = fround(fround(w[i]! - grid.value(code)) / d);
      for (let j = i; j < columns; j++) {
        w[j] = fround(w[j]! - fround(error * fround(factor[i * columns + j]!)));
      }
    }
  }
  return codes;
}

/**
 * Optimal brain surgery as in the paper's derivation, in float64 and without a Cholesky factor: the
 * inverse Hessian of the columns that are left loses a row and a column at each step.
 */
export function surgery(
  layer: LoopCase,
  hessian: readonly (readonly number[])[],
): Uint8Array {
  const { rows, columns } = layer.weights;
  const codes = new Uint8Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    const w = [...layer.weights.data.subarray(row * columns, (row + 1) * columns)];
    const grid = findGrid(w, layer);
    const inverse = invert(hessian);
    for (let i = 0; i < columns; i++) {
      const code = grid.code(fround(w[i]!));
      codes[row * columns + i] = code;
      const error = (w[i]! - grid.value(code)) / inverse[i]![i]!;
      for (let j = i; j < columns; j++) w[j]! -= error * inverse[i]![j]!;
      for (let a = i + 1; a < columns; a++) {
        for (let b = i + 1; b < columns; b++) {
          inverse[a]![b]! -= inverse[a]![i]! * inverse[i]![b]! / inverse[i]![i]!;
        }
      }
    }
  }
  return codes;
}

/** Gauss-Jordan elimination. */
export function invert(matrix: readonly (readonly number[])[]): number[][] {
  const n = matrix.length;
  const work = matrix.map((row, i) => [...row, ...row.map((_, j) => i === j ? 1 : 0)]);
  for (let i = 0; i < n; i++) {
    const pivot = work[i]![i]!;
    work[i] = work[i]!.map((value) => value / pivot);
    for (let k = 0; k < n; k++) {
      if (k === i) continue;
      const times = work[k]![i]!;
      work[k] = work[k]!.map((value, j) => value - times * work[i]![j]!);
    }
  }
  return work.map((row) => row.slice(n));
}

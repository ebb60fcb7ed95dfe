/** SQNR and size of number formats on normal random weights and on real ones. */
import {
  addErrors,
  type ErrorSums,
  errorSums,
  type Matrix,
  quantize,
  sqnrOf,
} from "../quantize/mod.ts";
import { normals } from "../random.ts";
import { loadEncoder, type MatrixKind } from "./weights.ts";

/** What some weights are. */
export type WeightsKind = "normal" | MatrixKind;

/** What a format makes of weights of one kind. */
export interface FormatSqnr {
  /** All that is stored, scales included. */
  readonly bitsPerWeight: number;
  /** dB. */
  readonly sqnr: number;
}

/** Rows of the real matrices that are measured: one in eight. */
const sampled = 8;

const measured = new Map<string, Readonly<Record<WeightsKind | "real", FormatSqnr>>>();
let weights: readonly { readonly kind: WeightsKind; readonly weights: Matrix }[] | undefined;

/**
 * Measures a method's spec on 2^18 normal random numbers and on every eighth row of the eleven
 * matrices of the real encoder, by kind and, as "real", all together. Computed once for each spec.
 */
export function formatSqnr(spec: string): Readonly<Record<WeightsKind | "real", FormatSqnr>> {
  const known = measured.get(spec);
  if (known) return known;
  weights ??= [
    { kind: "normal", weights: { rows: 256, columns: 1024, data: normals(2 ** 18, { seed: 1 }) } },
    ...loadEncoder().matrices.map(({ kind, weights }) => ({ kind, weights: sample(weights) })),
  ];
  const parts = weights.map(({ kind, weights }) => {
    const { bitsPerWeight, ...after } = quantize(weights, spec);
    const sums = errorSums(weights.data, after.weights);
    return { kind, sums, bits: bitsPerWeight * sums.count };
  });
  const of = (chosen: (kind: WeightsKind) => boolean): FormatSqnr => {
    const own = parts.filter(({ kind }) => chosen(kind));
    const sums: ErrorSums = addErrors(own.map(({ sums }) => sums));
    const bits = own.reduce((total, part) => total + part.bits, 0);
    return { bitsPerWeight: bits / sums.count, sqnr: sqnrOf(sums) };
  };
  const found = {
    normal: of((kind) => kind === "normal"),
    embeddings: of((kind) => kind === "embeddings"),
    attention: of((kind) => kind === "attention"),
    "feed-forward": of((kind) => kind === "feed-forward"),
    projection: of((kind) => kind === "projection"),
    real: of((kind) => kind !== "normal"),
  };
  measured.set(spec, found);
  return found;
}

function sample({ rows, columns, data }: Matrix): Matrix {
  const kept = Math.ceil(rows / sampled);
  const chosen = new Float32Array(kept * columns);
  for (let row = 0; row < kept; row++) {
    const from = row * sampled * columns;
    chosen.set(data.subarray(from, from + columns), row * columns);
  }
  return { rows: kept, columns, data: chosen };
}

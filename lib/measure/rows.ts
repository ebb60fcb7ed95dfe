/** Rows of measurements, and their Parquet files. */
import { existsSync } from "node:fs";
import pl, { type DataType } from "nodejs-polars";

/** One checkpoint, one method, one text. Losses in nats per token. */
export interface MeasuredRow {
  readonly model: string;
  readonly family: string | null;
  /** N, non-embedding parameters. */
  readonly size: number | null;
  /** D, training tokens. */
  readonly tokens: number | null;
  readonly revision: string;
  /** Seed of the training run. */
  readonly seed: number | null;
  /** The canonical spec. */
  readonly method: string;
  readonly method_name: string;
  /** Bits of a code. */
  readonly bits: number | null;
  /** Everything stored, in bits over weights. */
  readonly bits_per_weight: number | null;
  /** Weights that share a scale; null where a row or a matrix does. */
  readonly group: number | null;
  readonly test_set: string;
  /** SHA-256 of the tokens. */
  readonly test_sha256: string;
  readonly sequence_length: number;
  /** Tokens from the start of one sequence to that of the next. */
  readonly stride: number | null;
  readonly sequences: number;
  readonly calibration_set: string | null;
  readonly calibration_sha256: string | null;
  readonly calibration_sequences: number | null;
  readonly calibration_seed: number | null;
  readonly loss16: number | null;
  readonly loss_quantized: number | null;
  readonly qid: number | null;
  /** Standard error of `qid`, paired over sequences. */
  readonly qid_se: number | null;
  /** Signal to quantization noise of all quantized weights, dB. */
  readonly sqnr_db: number | null;
  /** `loss16` and `loss_quantized` in bits per byte of the text. */
  readonly bits_per_byte16: number | null;
  readonly bits_per_byte_quantized: number | null;
  /** The revision's commit on the hub. */
  readonly commit: string | null;
  readonly weights_sha256: string | null;
  readonly code_version: string;
  /** Why there is no result. */
  readonly error: string | null;
  readonly provenance: "measured";
}

type Kind = "number" | "text";

/** The columns of a table of measurements, in order. */
export const rowColumns: { readonly [Name in keyof MeasuredRow]-?: Kind } = {
  model: "text",
  family: "text",
  size: "number",
  tokens: "number",
  revision: "text",
  seed: "number",
  method: "text",
  method_name: "text",
  bits: "number",
  bits_per_weight: "number",
  group: "number",
  test_set: "text",
  test_sha256: "text",
  sequence_length: "number",
  stride: "number",
  sequences: "number",
  calibration_set: "text",
  calibration_sha256: "text",
  calibration_sequences: "number",
  calibration_seed: "number",
  loss16: "number",
  loss_quantized: "number",
  qid: "number",
  qid_se: "number",
  sqnr_db: "number",
  bits_per_byte16: "number",
  bits_per_byte_quantized: "number",
  commit: "text",
  weights_sha256: "text",
  code_version: "text",
  error: "text",
  provenance: "text",
};

/** The order of rows in a table. */
const order = ["model", "tokens", "revision", "method", "test_set"] as const;
/** What no two rows of a table share. */
const rowKey = ["model", "revision", "method", "test_set"] as const;

/** Rows as a Polars frame: Float64 for numbers, String for text. */
export function frameOf(rows: readonly MeasuredRow[]): pl.DataFrame<Record<string, DataType>> {
  return pl.DataFrame(
    (Object.keys(rowColumns) as (keyof MeasuredRow)[]).map((name) => {
      const values = rows.map((row) => row[name]);
      const type = rowColumns[name] === "number" ? pl.Float64 : pl.Utf8;
      return pl.Series(name, values, type);
    }),
  ) as pl.DataFrame<Record<string, DataType>>;
}

/**
 * The rows of many parts as one frame, sorted, by one lazy scan, together with those of an earlier table at `into` that
 * no part measures again. Columns that a part lacks are null.
 */
export function gatherParts(
  paths: readonly string[],
  into?: string,
): ReturnType<typeof frameOf> {
  const together = (frames: pl.LazyDataFrame[]) =>
    pl.concat([frameOf([]).lazy(), ...frames], { how: "diagonal" })
      .sort(order.map((name) => pl.col(name)))
      .collectSync() as ReturnType<typeof frameOf>;
  const fresh = together(paths.map((path) => pl.scanParquet(path, { glob: false })));
  if (into === undefined || !existsSync(into)) return fresh;
  const kept = pl.readParquet(into).join(fresh, { on: [...rowKey], how: "anti" });
  return together([kept.lazy(), fresh.lazy()]);
}

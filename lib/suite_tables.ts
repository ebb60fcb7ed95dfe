// Written by hand: Polars reads and writes Parquet, but keeps no schema and no rule for rows that are measured again.
/**
 * The measured tables of `data/suite/`: their columns, and how rows are read and replaced. What a row is
 * and how it was made: `data/suite/SOURCES.md`.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import pl, { type DataFrame, type DataType } from "nodejs-polars";
import { writeParquet } from "./parquet.ts";

/** Numbers are Float64 and may be null; texts may not. */
export type ColumnKinds = Readonly<Record<string, "number" | "text">>;

/** A row of a table. */
export type TableRow<C extends ColumnKinds> = {
  readonly [K in keyof C]: C[K] extends "number" ? number | null : string;
};

/** A table of the suite: one Parquet file. */
export interface SuiteTable<C extends ColumnKinds> {
  readonly file: string;
  readonly columns: C;
  /** Rows are sorted by these, and those that agree in the first are replaced together. */
  readonly order: readonly (keyof C & string)[];
  /** How many of the first columns of `order` rows that are replaced together agree in; 1 if left out. */
  readonly together?: number;
}

/** Probabilities of the quantiles of weight changes, with the columns that hold them. */
export const changeQuantiles = {
  q01: 0.01,
  q05: 0.05,
  q25: 0.25,
  q50: 0.5,
  q75: 0.75,
  q95: 0.95,
  q99: 0.99,
} as const;

/** The tables that `deno task suite` writes; `qid.parquet` is that of `deno task measure`. */
export const suiteTables = {
  /** One row a run: what it was trained with. Tokens are bytes. */
  runs: {
    file: "runs.parquet",
    columns: {
      run: "text",
      series: "text",
      width: "number",
      depth: "number",
      size: "number",
      seed: "number",
      tokens: "number",
      schedule: "text",
      decay_from: "number",
      decay_to: "number",
      peak_rate: "number",
      bit_linear: "text",
      code_version: "text",
      backend: "text",
      corpus_sha256: "text",
      provenance: "text",
    },
    order: ["run"],
  },
  /** One row a stretch of a run: the mean over its steps of the training loss, nats per byte. */
  training: {
    file: "training.parquet",
    columns: {
      run: "text",
      tokens: "number",
      steps: "number",
      learning_rate: "number",
      loss: "number",
      gradient_norm: "number",
      provenance: "text",
    },
    order: ["run", "tokens"],
  },
  /** One row a matrix and pair of checkpoints: the changes of its weights between them. */
  fluctuation: {
    file: "fluctuation.parquet",
    columns: {
      run: "text",
      size: "number",
      tokens_from: "number",
      tokens_to: "number",
      layer: "number",
      matrix: "text",
      weights: "number",
      q01: "number",
      q05: "number",
      q25: "number",
      q50: "number",
      q75: "number",
      q95: "number",
      q99: "number",
      rms_change: "number",
      rms_weight: "number",
      step2: "number",
      step3: "number",
      step4: "number",
      provenance: "text",
    },
    order: ["run", "tokens_from", "layer", "matrix"],
  },
  /** One row a checkpoint of a BitNet run and test text: the loss of the model as it runs, nats per byte. */
  bitnet: {
    file: "bitnet.parquet",
    columns: {
      run: "text",
      tokens: "number",
      test_set: "text",
      loss: "number",
      loss_se: "number",
      weights_sha256: "text",
      provenance: "text",
    },
    order: ["run", "tokens", "test_set"],
  },
} as const satisfies Record<string, SuiteTable<ColumnKinds>>;

/**
 * The features of the local loss landscape by which paper B predicts losses: one row a checkpoint, feature, text and layer,
 * with the sampling errors. `deno task landscape` writes it.
 */
export const landscapeFeatures = {
  file: "landscape_features.parquet",
  columns: {
    model: "text",
    size: "number",
    tokens: "number",
    revision: "text",
    feature: "text",
    test_set: "text",
    format: "text",
    layer: "text",
    noise_db: "number",
    value: "number",
    direction_se: "number",
    sequence_se: "number",
    directions: "number",
    sequences: "number",
    weights: "number",
    energy: "number",
    protocol: "text",
    weights_sha256: "text",
    code_version: "text",
    provenance: "text",
  },
  order: ["model", "tokens", "feature", "test_set", "format", "layer", "noise_db"],
  together: 2,
} as const satisfies SuiteTable<ColumnKinds>;

type Frame = DataFrame<Record<string, DataType>>;

/** The folder of the suite's tables in this repository. */
export const suiteFolder = fileURLToPath(new URL("../data/suite/", import.meta.url));

/** Rows as a Polars frame. */
export function suiteFrame<C extends ColumnKinds>(
  { columns }: SuiteTable<C>,
  rows: readonly TableRow<C>[],
): Frame {
  return pl.DataFrame(
    Object.entries(columns).map(([name, kind]) =>
      pl.Series(name, rows.map((row) => row[name]), kind === "number" ? pl.Float64 : pl.String)
    ),
  ) as Frame;
}

/**
 * Writes rows into a table's file, whole or not at all. Rows that are there already stay, but for those of
 * the same runs. The same rows give the same bytes.
 */
export function writeSuiteRows<C extends ColumnKinds>(
  table: SuiteTable<C>,
  rows: readonly TableRow<C>[],
  folder: string,
): void {
  const keys = table.order.slice(0, table.together ?? 1);
  const keyOf = (row: Readonly<Record<string, unknown>>) =>
    JSON.stringify(keys.map((key) => row[key]));
  const fresh = new Set(rows.map(keyOf));
  const path = `${folder}/${table.file}`;
  const kept = existsSync(path)
    ? readColumns(path, table).toRecords().filter((row) => !fresh.has(keyOf(row)))
    : [];
  const all = suiteFrame(table, [...kept as unknown as TableRow<C>[], ...rows]);
  writeParquet(path, all.sort([...table.order]));
}

/** Reads a table of the suite. Throws when it is not there or lacks a column. */
export function loadSuiteTable(name: keyof typeof suiteTables, folder = suiteFolder): Frame {
  const table = suiteTables[name];
  return readColumns(`${folder}/${table.file}`, table);
}

/** Reads the columns of a table from a file. Throws, with how it is `made`, when it is not there or lacks one. */
export function readColumns(
  path: string,
  { columns }: { columns: ColumnKinds },
  made = "it is made by: deno task suite",
): Frame {
  if (!existsSync(path)) throw new Error(`Cannot read ${path}: ${made}`);
  const frame = pl.readParquet(path);
  const missing = Object.keys(columns).filter((name) => !frame.columns.includes(name));
  if (missing.length > 0) {
    throw new Error(`Cannot read ${path}: needs the columns ${missing.join(", ")}`);
  }
  return frame.select(...Object.keys(columns)) as Frame;
}

/** Which rows of the suite's measurements. */
export interface QidQuery {
  /** Part of the suite; "main" if left out. */
  readonly series?: string;
  /** Name of the method; "gptq" if left out. */
  readonly method?: string;
  /** Bit widths; 2, 3 and 4 if left out. */
  readonly bits?: readonly number[];
  /** Test text; "in_domain" if left out. */
  readonly test?: "in_domain" | "out_of_domain";
  /** Also the checkpoints of pairs, which are not evenly spaced in log D. */
  readonly pairs?: boolean;
  /** Folder of the tables; that of this repository if left out. */
  readonly folder?: string;
}

/**
 * Measured degradations of the suite: one row a checkpoint quantized by one method, on one text. Columns: those of
 * `deno task measure` (model, size, tokens, bits, method, method_name, bits_per_weight, loss16, loss_quantized, qid,
 * qid_se, nats per byte, and more), with the columns of the run that it belongs to (series, width, depth, schedule,
 * decay_from, decay_to, peak_rate). Sorted by size, model, bits, method and tokens.
 */
export function loadSuiteQid(query: QidQuery = {}): Frame {
  const { series = "main", method = "gptq", bits = [2, 3, 4], test = "in_domain" } = query;
  const { folder = suiteFolder, pairs = false } = query;
  const runs = loadSuiteTable("runs", folder)
    .select("run", "series", "width", "depth", "schedule", "decay_from", "decay_to", "peak_rate");
  const path = `${folder}/qid.parquet`;
  if (!existsSync(path)) {
    throw new Error(`Cannot read ${path}: it is made by: deno task measure --suite --out ${path}`);
  }
  const rows: DataFrame = pl.readParquet(path)
    .filter(
      pl.col("error").isNull()
        .and(pl.col("method_name").eq(pl.lit(method)))
        .and(pl.col("test_set").eq(pl.lit(test)))
        .and(pl.col("bits").isIn([...bits])),
    )
    .join(runs.filter(pl.col("series").eq(pl.lit(series))), { leftOn: "model", rightOn: "run" })
    .sort(["size", "model", "bits", "method", "tokens"]);
  const grid = Array.from(rows.getColumn("tokens"), (tokens) => pairs || onGrid(Number(tokens)));
  return rows.filter(pl.Series("grid", grid, pl.Bool)) as Frame;
}

/** Whether a checkpoint is one of those that are evenly spaced in log D, two for each doubling. */
export function onGrid(tokens: number): boolean {
  const place = 2 * Math.log2(tokens);
  return Math.abs(place - Math.round(place)) < 0.02;
}

/**
 * Public perplexities of quantized language models (`data/public/`): tables, sources and models joined
 * into one typed frame, with what follows from them computed here: QiD, non-embedding parameters and
 * the bits that are really stored. Where the numbers come from: `data/public/SOURCES.md`.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import pl, { type DataFrame } from "nodejs-polars";
import { readTable, type Row, table } from "./table.ts";

const COUNT = { kind: "number", unit: "1", positive: true, whole: true } as const;
const MAYBE_COUNT = { ...COUNT, optional: true } as const;
const TEXT = { kind: "text" } as const;
const NATS = { kind: "number", unit: "nats per token" } as const;
const PERPLEXITY = { kind: "number", unit: "1", positive: true } as const;
const PUBLISHED = { kind: "word", words: ["published"] } as const;

const shape = {
  architecture: { kind: "word", words: ["gpt", "bloom", "llama", "qwen2", "qwen3", "nominal"] },
  layers: MAYBE_COUNT,
  width: MAYBE_COUNT,
  inner_width: MAYBE_COUNT,
  heads: MAYBE_COUNT,
  key_value_heads: MAYBE_COUNT,
  head_width: MAYBE_COUNT,
  nominal_size: COUNT,
} as const;

/** What the number of weights of a model follows from. */
export type ModelShape = Row<typeof shape>;

/** The schemas of the tables in `data/public/`. */
export const publicSchemas = {
  tables: table({
    columns: { table: TEXT, source: TEXT, read: TEXT, provenance: PUBLISHED },
    key: ["table"],
  }),
  models: table({
    columns: {
      model: TEXT,
      family: TEXT,
      training: { kind: "word", words: ["base", "post-trained"] },
      ...shape,
      vocabulary: MAYBE_COUNT,
      size: COUNT,
      config_source: TEXT,
      tokens: MAYBE_COUNT,
      tokens_known: { kind: "word", words: ["stated", "at least", "corpus", "unknown"] },
      tokens_source: TEXT,
      provenance: PUBLISHED,
    },
    key: ["model"],
    rules: [{
      column: "size",
      formula: "the non-embedding parameters of the configuration",
      value: (row) => nonEmbeddingParameters(row),
    }],
  }),
  measurements: table({
    columns: {
      table: TEXT,
      model: TEXT,
      method: TEXT,
      setting: TEXT,
      bits: { kind: "number", unit: "bits per weight, as the source names it", positive: true },
      group_size: MAYBE_COUNT,
      stored_bits: { kind: "number", unit: "bits per weight", positive: true, optional: true },
      test: { kind: "word", words: ["wikitext2", "c4", "ptb"] },
      protocol: { kind: "word", words: ["windows", "llama.cpp", "sliding", "part"] },
      sequence_length: MAYBE_COUNT,
      ppl16: PERPLEXITY,
      ppl_quantized: PERPLEXITY,
      qid: NATS,
      rounding: { ...NATS, positive: true },
      confirmed: { kind: "word", words: ["confirmed", "copy", "not reached", "contradicted"] },
      mark: { kind: "word", words: ["none", "suspect"] },
      reason: TEXT,
      provenance: PUBLISHED,
    },
    key: ["table", "model", "method", "setting", "bits", "group_size", "test"],
    rules: [{
      column: "qid",
      formula: "ln(ppl_quantized / ppl16)",
      value: (row) => Math.log(row.ppl_quantized / row.ppl16),
      tolerance: 1e-6,
    }],
    fixed: [{ column: "ppl16", by: ["table", "model", "test"] }],
  }),
};

/**
 * Parameters of a model without its embeddings and output matrix, from its configuration.
 *
 * GPT-2, GPT-NeoX and OPT: layers (12 w^2 + 13 w) + 2 w, for a width w and an inner width of 4 w with
 * biases and two LayerNorms a layer; BLOOM has one LayerNorm more, after the embedding. Llama: no
 * biases, grouped keys and values, three matrices of w x inner width, RMSNorms; Qwen2 adds biases to
 * queries, keys and values, Qwen3 a norm each for queries and keys. "nominal": the number in the name.
 */
export function nonEmbeddingParameters(model: ModelShape): number {
  const { architecture, nominal_size: nominal } = model;
  if (architecture === "nominal") return nominal;
  const { layers, width, inner_width: inner, heads, key_value_heads: pairs, head_width: head } =
    shapeOf(model);
  if (architecture === "gpt") return layers * (12 * width ** 2 + 13 * width) + 2 * width;
  if (architecture === "bloom") return layers * (12 * width ** 2 + 13 * width) + 4 * width;
  const attention = 2 * width * heads * head + 2 * width * pairs * head;
  const extra = architecture === "qwen2" ? (heads + 2 * pairs) * head : 0;
  const norms = 2 * width + (architecture === "qwen3" ? 2 * head : 0);
  return layers * (attention + extra + 3 * width * inner + norms) + width;
}

/**
 * Bits stored per weight: those of the codes, and a 16-bit scale with a zero point of the codes' width
 * for each group of `groupSize` weights (arXiv 2210.17323 counts so: 0.15 bits more in groups of 128).
 */
export function effectiveBits(bits: number, groupSize: number): number {
  return bits + (16 + bits) / groupSize;
}

/** Methods whose rows are uniform integer grids with a scale and a zero point for each group. */
const uniformMethods = new Set(["rtn", "gptq", "awq", "omniquant"]);

/**
 * All rows of `data/public/`: one row is a quantized model on a test set. Columns: table, source, model,
 * family, training ("base" or "post-trained"), size (non-embedding parameters), size_known ("computed"
 * or "nominal"), tokens (null where nobody states them), tokens_known, method, setting, bits, group_size
 * (null: one scale a row), effective_bits (scales and zero points included; null where not known), test,
 * protocol, sequence_length, ppl16, ppl_quantized, qid (nats per token), rounding (nats: the most that
 * printed digits can hide), confirmed, mark, reason, provenance ("published").
 */
export function loadPublic(): DataFrame {
  const tables = readTable(publicFile("tables.csv"), publicSchemas.tables);
  const models = readTable(publicFile("models.csv"), publicSchemas.models);
  const rows = readTable(publicFile("measurements.csv"), publicSchemas.measurements);
  const known = models.getColumn("architecture").toArray().map((word: string) =>
    word === "nominal" ? "nominal" : "computed"
  );
  const named = models.drop("provenance").withColumns(pl.Series("size_known", known, pl.String));
  const joined = rows
    .join(tables.drop("provenance", "read"), { on: "table", how: "left" })
    .join(named, { on: "model", how: "left" });
  missing(joined, "source", "table", "tables.csv");
  missing(joined, "family", "model", "models.csv");
  const bits = (joined.toRecords() as unknown as Stored[]).map((row) => {
    if (row.stored_bits !== null) return row.stored_bits;
    const group = row.group_size ?? row.width;
    return uniformMethods.has(row.method) && group !== null ? effectiveBits(row.bits, group) : null;
  });
  return joined.withColumns(pl.Series("effective_bits", bits, pl.Float64)).select(
    ...["table", "source", "model", "family", "training", "size", "size_known", "tokens"],
    ...["tokens_known", "method", "setting", "bits", "group_size", "effective_bits", "test"],
    ...["protocol", "sequence_length", "ppl16", "ppl_quantized", "qid", "rounding", "confirmed"],
    ...["mark", "reason", "provenance"],
  ).sort(["table", "model", "method", "setting", "bits", "group_size", "test"]);
}

/** The models of `data/public/models.csv`, one row each; columns as in the file. */
export function loadPublicModels(): DataFrame {
  return readTable(publicFile("models.csv"), publicSchemas.models);
}

/** The sources of `data/public/tables.csv`: table, source, read (what was read to confirm it). */
export function loadPublicTables(): DataFrame {
  return readTable(publicFile("tables.csv"), publicSchemas.tables);
}

/** What tells the bits that a row stores. */
interface Stored {
  readonly method: string;
  readonly bits: number;
  readonly group_size: number | null;
  readonly stored_bits: number | null;
  readonly width: number | null;
}

function shapeOf(model: ModelShape): { [K in keyof ModelShape]: NonNullable<ModelShape[K]> } {
  for (const [name, value] of Object.entries(model)) {
    if (value === null && name in shape) {
      throw new TypeError(
        `Cannot count parameters: needs ${name} for the architecture ${model.architecture}: got nothing`,
      );
    }
  }
  return model as ReturnType<typeof shapeOf>;
}

function missing(frame: DataFrame, column: string, key: string, file: string): void {
  const at = frame.getColumn(column).toArray().findIndex((value: unknown) => value === null);
  if (at < 0) return;
  throw new Error(
    `Cannot join data/public/: needs a row for the ${key} "${
      frame.getColumn(key).get(at)
    }" in ${file}`,
  );
}

function publicFile(name: string): string {
  return fileURLToPath(new URL(`../data/public/${name}`, import.meta.url));
}

/**
 * The tables of `data/` as typed Polars frames.
 *
 * Every table is one CSV file, one schema and one loader. The schema declares each column (kind, unit,
 * limits), the columns that identify a row, and the values that follow from others; reading checks all
 * of it and names the file, the row and the column of the first fault. Numbers arrive as Float64
 * columns, never as BigInt; rows are sorted by the key. Where the numbers come from and how exact they
 * are: `data/paper/SOURCES.md`.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { type Frame, readTable, recordsOf, table } from "./table.ts";

export { type Frame, readTable, recordsOf, table };
export type {
  Column,
  Columns,
  NumberColumn,
  Row,
  Rule,
  TableSchema,
  TextColumn,
  WordColumn,
} from "./table.ts";

const SIZE = {
  kind: "number",
  unit: "non-embedding parameters",
  positive: true,
  whole: true,
} as const;
const TOKENS = { kind: "number", unit: "training tokens", positive: true, whole: true } as const;
const BITS = { kind: "number", unit: "bits per weight", positive: true, whole: true } as const;
const STEP = { kind: "number", unit: "optimizer steps", positive: true, whole: true } as const;
const NATS = { kind: "number", unit: "nats per token" } as const;
const NOMINAL_SIZE = {
  kind: "number",
  unit: "parameters, as in the model's name",
  positive: true,
  whole: true,
} as const;
const COUNT = { kind: "number", unit: "1", positive: true, whole: true } as const;
const RELATIVE = {
  kind: "number",
  unit: "CE(quantized) / CE(16-bit) - 1",
  positive: true,
} as const;
const TEXT = { kind: "text" } as const;
const PUBLISHED = { kind: "word", words: ["published"] } as const;
const DIGITISED = { kind: "word", words: ["digitised"] } as const;

/** The schemas of the tables in `data/paper/`. */
export const schemas = {
  figure2: table({
    columns: {
      model: TEXT,
      size: SIZE,
      step: STEP,
      tokens: TOKENS,
      bits: BITS,
      loss16: { ...NATS, positive: true },
      loss_quantized: { ...NATS, positive: true, optional: true },
      qid: { ...NATS, optional: true },
      provenance: DIGITISED,
    },
    key: ["size", "step", "bits"],
    rules: [
      {
        column: "tokens",
        formula: "step x 2,097,152 (1,024 sequences of 2,048 tokens)",
        value: (row) => row.step * 2_097_152,
      },
      {
        column: "qid",
        formula: "loss_quantized - loss16",
        value: (row) => row.loss_quantized === null ? null : row.loss_quantized - row.loss16,
        tolerance: 0.0015,
      },
    ],
    fixed: [{ column: "model", by: ["size"] }, { column: "loss16", by: ["size", "step"] }],
  }),
  table1: table({
    columns: {
      size: SIZE,
      bits: BITS,
      qid: { ...NATS, positive: true },
      tokens_trillions: { kind: "number", unit: "10^12 training tokens", positive: true },
      tokens: TOKENS,
      provenance: PUBLISHED,
    },
    key: ["bits", "size", "qid"],
    rules: [{
      column: "tokens",
      formula: "tokens_trillions x 10^12",
      value: (row) => Math.round(row.tokens_trillions * 1e12),
    }],
  }),
  figure1Labels: table({
    columns: {
      size: SIZE,
      bits: BITS,
      tokens: TOKENS,
      qid: { ...NATS, positive: true },
      provenance: PUBLISHED,
    },
    key: ["bits", "size"],
  }),
  pythiaSizes: table({
    columns: {
      model: TEXT,
      size: SIZE,
      layers: COUNT,
      width: COUNT,
      in_study: { kind: "word", words: ["yes", "likely", "unconfirmed", "no evidence"] },
      in_study_because: TEXT,
      provenance: PUBLISHED,
    },
    key: ["size"],
    rules: [{
      column: "size",
      formula: "layers (12 width^2 + 13 width) + 2 width",
      value: ({ layers, width }) => layers * (12 * width ** 2 + 13 * width) + 2 * width,
    }],
  }),
  tokenCounts: table({
    columns: {
      model: TEXT,
      year: COUNT,
      month: COUNT,
      tokens: TOKENS,
      count: { kind: "word", words: ["stated", "at least", "at most", "corpus"] },
      nominal_size: NOMINAL_SIZE,
      total_parameters: { ...COUNT, optional: true },
      source: TEXT,
      note: TEXT,
      provenance: PUBLISHED,
    },
    key: ["year", "month", "model"],
  }),
  olmo2: table({
    columns: {
      model: TEXT,
      nominal_size: NOMINAL_SIZE,
      step: STEP,
      tokens: TOKENS,
      relative_increase: RELATIVE,
      provenance: DIGITISED,
    },
    key: ["nominal_size", "step"],
    rules: [{
      column: "tokens",
      formula: "step x tokens per step, rounded up to 10^9",
      value: (row) => Math.ceil(row.step * olmo2TokensPerStep(row.nominal_size) / 1e9) * 1e9,
    }],
    fixed: [{ column: "model", by: ["nominal_size"] }],
  }),
  smollm3Wsd: table({
    columns: {
      model: TEXT,
      nominal_size: NOMINAL_SIZE,
      bits: { ...BITS, optional: true },
      phase: { kind: "word", words: ["constant", "decayed"] },
      tokens_from: TOKENS,
      tokens_to: TOKENS,
      increase_low: RELATIVE,
      increase_high: RELATIVE,
      provenance: DIGITISED,
    },
    key: ["nominal_size", "bits", "phase"],
    fixed: [{ column: "model", by: ["nominal_size"] }],
  }),
};

/**
 * Figure 2 of paper A (arXiv 2411.17691), read off the figure: one row is a Pythia checkpoint at a bit
 * width. Columns: model, size (non-embedding parameters), step, tokens, bits, loss16, loss_quantized and
 * qid (nats per token), provenance ("digitised"). The point that could not be read (Pythia-1B, 2 bits,
 * step 2,000) is an empty cell in the file and no row here: 101 rows.
 */
export function loadFigure2(): Frame<typeof schemas.figure2.columns> {
  return readTable(paperFile("figure2.csv"), schemas.figure2).dropNulls("loss_quantized");
}

/**
 * Table 1 of paper A: one row is a cell, the training tokens at which a model of `size` parameters
 * quantized to `bits` reaches `qid` nats per token. Columns: size, bits, qid, tokens_trillions (as
 * printed), tokens, provenance ("published"). 48 rows.
 */
export function loadTable1(): Frame<typeof schemas.table1.columns> {
  return readTable(paperFile("table1.csv"), schemas.table1);
}

/**
 * The nine numbers printed in Figure 1 of paper A: one row is the QiD (nats per token) foretold for a
 * model of `size` parameters after 100 trillion tokens, at 2, 3 or 4 bits. Columns: size, bits, tokens,
 * qid, provenance ("published").
 */
export function loadFigure1Labels(): Frame<typeof schemas.figure1Labels.columns> {
  return readTable(paperFile("figure1_labels.csv"), schemas.figure1Labels);
}

/**
 * The Pythia models: one row is a size. Columns: model, size (non-embedding parameters, exact), layers,
 * width, in_study (whether the study of paper A uses it: yes, likely, unconfirmed, no evidence),
 * in_study_because (how that is known), provenance ("published"). 8 rows.
 */
export function loadPythiaSizes(): Frame<typeof schemas.pythiaSizes.columns> {
  return readTable(paperFile("pythia_sizes.csv"), schemas.pythiaSizes);
}

/**
 * Training tokens of models of the 7B class, 2020 to 2024: one row is a model. Columns: model, year and
 * month of release, tokens, count (what the number is: "stated", "at least", "at most", or the size of
 * the "corpus"), nominal_size (parameters, as in the name), total_parameters (null where the source
 * gives none), source, note, provenance ("published"). A selection: models whose count is public.
 */
export function loadTokenCounts(): Frame<typeof schemas.tokenCounts.columns> {
  return readTable(paperFile("token_counts.csv"), schemas.tokenCounts);
}

/**
 * OLMo 2 checkpoints quantized with GPTQ (arXiv 2510.06213), read off a figure: one row is a checkpoint
 * of the first training stage. Columns: model, nominal_size (parameters, as in the name), step, tokens,
 * relative_increase (CE of the quantized model / CE of the 16-bit model - 1; not nats: multiply by the
 * model's CE for nats), provenance ("digitised"). 130 rows. The figure does not print its bit width.
 */
export function loadOlmo2(): Frame<typeof schemas.olmo2.columns> {
  return readTable(paperFile("olmo2.csv"), schemas.olmo2);
}

/**
 * Quantization error before and after learning-rate decay (arXiv 2510.06213), read off figures: one row
 * is the range of errors of a model at a bit width in a phase of its schedule. Columns: model,
 * nominal_size, bits (null where unknown), phase ("constant" learning rate, or "decayed"), tokens_from
 * and tokens_to (the checkpoints of the phase), increase_low and increase_high (CE of the quantized
 * model / CE of the 16-bit model - 1), provenance ("digitised"). 6 rows.
 */
export function loadSmollm3Wsd(): Frame<typeof schemas.smollm3Wsd.columns> {
  return readTable(paperFile("smollm3_wsd.csv"), schemas.smollm3Wsd);
}

/** Tokens of one optimizer step of OLMo 2, from the steps and tokens in its revision names. */
function olmo2TokensPerStep(nominalSize: number): number {
  if (nominalSize < 5e9) return 2_097_152;
  return nominalSize < 1e10 ? 4_194_304 : 8_388_608;
}

function paperFile(name: string): string {
  return fileURLToPath(new URL(`../data/paper/${name}`, import.meta.url));
}

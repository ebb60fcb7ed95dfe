// Written by hand because Polars reads CSV but cannot name the row and column that break a table's rules.
/**
 * The tables of `data/` as typed Polars frames.
 *
 * Every table is one CSV file and one schema. The schema declares each column (kind, unit, limits), the
 * columns that identify a row, and the values that follow from others. {@link readTable} checks all of
 * it and names the file, the row and the column of the first fault. Numbers arrive as Float64 columns,
 * never as BigInt; rows are sorted by the key. Where the numbers come from: `data/paper/SOURCES.md`.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import pl, { type DataType } from "nodejs-polars";

/** A column of numbers. `unit` is the unit of every value in it. */
export interface NumberColumn {
  readonly kind: "number";
  readonly unit: string;
  /** Greater than zero. */
  readonly positive?: boolean;
  /** Without a fraction. */
  readonly whole?: boolean;
  /** An empty cell is allowed and becomes null. */
  readonly optional?: boolean;
}

/** A column that holds one of a few words. */
export interface WordColumn {
  readonly kind: "word";
  readonly words: readonly string[];
}

/** A column of free text that is never empty. */
export interface TextColumn {
  readonly kind: "text";
}

/** A column of a table, as its schema declares it. */
export type Column = NumberColumn | WordColumn | TextColumn;

/** The columns of a table by name, in the order of the frame. */
export type Columns = Readonly<Record<string, Column>>;

/** One row of a table: numbers (null where an optional cell is empty) and strings. */
export type Row<C extends Columns> = {
  readonly [K in keyof C]: C[K] extends { kind: "number"; optional: true } ? number | null
    : C[K] extends { kind: "number" } ? number
    : string;
};

/** A value that follows from the others of its row. */
export interface Rule<C extends Columns> {
  readonly column: keyof C & string;
  /** How the value follows, for the error message: "step x 2,097,152". */
  readonly formula: string;
  /** The value that the row must hold; null for an empty cell. */
  readonly value: (row: Row<C>) => number | null;
  /** Largest allowed distance from `value`, in the column's unit; 0 if left out. */
  readonly tolerance?: number;
}

/** What a table must look like. */
export interface TableSchema<C extends Columns> {
  readonly columns: C;
  /** The columns that no two rows share; rows are sorted by them, in this order. */
  readonly key: readonly (keyof C & string)[];
  /** Values that follow from others in the same row. */
  readonly rules?: readonly Rule<C>[];
  /** Columns that are the same in all rows that agree in `by`. */
  readonly fixed?: readonly { column: keyof C & string; by: readonly (keyof C & string)[] }[];
}

/** A Polars frame with the columns of a schema: Float64 for numbers, String for words and text. */
export type Frame<C extends Columns> = pl.DataFrame<
  { [K in keyof C]: C[K] extends { kind: "number" } ? DataType.Float64 : DataType.String }
>;

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const MOST_COLUMNS = 64;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

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
 * Reads a CSV file as the frame that `schema` declares. Columns may stand in any order in the file;
 * the frame has the order of the schema, with its rows sorted by the key.
 *
 * Throws at the first fault and names file, row and column: a missing, unknown or repeated column, an
 * empty cell, a value of the wrong kind or outside its limits, two rows with one key, a value that does
 * not follow from the others. Rows count as in a spreadsheet: the header is row 1.
 *
 * ```ts
 * import assert from "node:assert/strict";
 * import { readTable, schemas } from "./data.ts";
 *
 * const labels = readTable("data/paper/figure1_labels.csv", schemas.figure1Labels);
 * assert.equal(labels.height, 9);
 * ```
 */
export function readTable<C extends Columns>(path: string, schema: TableSchema<C>): Frame<C> {
  const file = shownPath(path);
  const cells = readCells(path, file);
  const names = Object.keys(schema.columns);
  const places = columnPlaces(cells[0] ?? [], names, file);
  const rows = cells.slice(1).map((line, index) => {
    const row: Record<string, number | string | null> = {};
    for (const [name, column] of Object.entries(schema.columns)) {
      const cell = line[places.get(name) ?? -1] ?? null;
      row[name] = parseCell(cell, column, `${file}, row ${index + 2}, column ${name}`);
    }
    const extra = line.findIndex((cell, place) => place >= names.length && cell !== null);
    if (extra >= 0) {
      throw new Error(
        `${file}, row ${index + 2}, column ${extra + 1}: expected ${names.length} cells: got "${
          line[extra]
        }" after the last column`,
      );
    }
    return row as Row<C>;
  });
  if (rows.length === 0) {
    throw new Error(`${file}, row 2, column ${names[0]}: expected at least one row: got none`);
  }
  checkKeys(rows, schema, file);
  checkRules(rows, schema, file);
  const series = Object.entries(schema.columns).map(([name, column]) =>
    pl.Series(name, rows.map((row) => row[name]), column.kind === "number" ? pl.Float64 : pl.String)
  );
  return pl.DataFrame(series).sort([...schema.key]) as Frame<C>;
}

/** Keeps the literal types of a schema, which the types of its rows and frame are made from. */
function table<const C extends Columns>(schema: TableSchema<C>): TableSchema<C> {
  return schema;
}

function paperFile(name: string): string {
  return resolve(ROOT, "data/paper", name);
}

/** The path as error messages show it: from the root of the repository where it lies inside. */
function shownPath(path: string): string {
  const inside = relative(ROOT, resolve(path));
  return inside.startsWith("..") ? path : inside.split(sep).join("/");
}

/** All cells as text, null where empty; the header is the first line. */
function readCells(path: string, file: string): (string | null)[][] {
  let bytes;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    throw new Error(`Cannot read ${file}: expected a CSV file there`, { cause });
  }
  if (bytes.toString().trim() === "") {
    throw new Error(`${file}, row 1, column 1: expected a header: got an empty file`);
  }
  // More text columns than any table has: Polars then neither guesses types nor drops surplus cells.
  const columns = Array.from({ length: MOST_COLUMNS }, (_, i) => [`${i}`, pl.String] as const);
  try {
    return pl.readCSV(bytes, { hasHeader: false, schema: Object.fromEntries(columns) }).rows();
  } catch (cause) {
    throw new Error(`Cannot read ${file}: expected CSV with closed quotes`, { cause });
  }
}

/** Where each column of the schema stands in the header. */
function columnPlaces(
  header: (string | null)[],
  names: string[],
  file: string,
): Map<string, number> {
  const places = new Map<string, number>();
  const last = header.findLastIndex((name) => name !== null);
  header.slice(0, last + 1).forEach((name, place) => {
    const where = `${file}, row 1, column ${name ?? place + 1}`;
    if (name === null || !names.includes(name)) {
      throw new Error(`${where}: unknown column: expected ${names.join(", ")}`);
    }
    if (places.has(name)) throw new Error(`${where}: expected each column once: got it twice`);
    places.set(name, place);
  });
  const missing = names.find((name) => !places.has(name));
  if (missing !== undefined) {
    throw new Error(
      `${file}, row 1, column ${missing}: expected this column: got ${
        [...places.keys()].join(", ")
      }`,
    );
  }
  return places;
}

function parseCell(cell: string | null, column: Column, where: string): number | string | null {
  const got = cell === null || cell.trim() === "" ? "nothing" : `"${cell}"`;
  if (column.kind === "number") {
    if (got === "nothing" && column.optional) return null;
    const value = NUMBER.test(cell ?? "") ? Number(cell) : NaN;
    const fits = Number.isFinite(value) && (!column.positive || value > 0) &&
      (!column.whole || Number.isSafeInteger(value));
    if (fits) return value;
    const kind = `${column.positive ? "positive " : ""}${column.whole ? "whole " : ""}number`;
    throw new Error(`${where}: expected a ${kind}: got ${got}`);
  }
  if (column.kind === "word") {
    if (column.words.includes(cell ?? "")) return cell;
    const words = column.words.map((word) => `"${word}"`).join(" or ");
    throw new Error(`${where}: expected ${words}: got ${got}`);
  }
  if (got === "nothing") throw new Error(`${where}: expected text: got nothing`);
  return cell;
}

function checkKeys<C extends Columns>(rows: Row<C>[], schema: TableSchema<C>, file: string): void {
  const seen = new Map<string, number>();
  rows.forEach((row, index) => {
    const key = schema.key.map((name) => `${name} ${row[name]}`).join(", ");
    const earlier = seen.get(key);
    if (earlier !== undefined) {
      throw new Error(
        `${file}, row ${index + 2}, column ${schema.key.join(", ")}: expected a row of its own: ` +
          `got the same ${key} as row ${earlier}`,
      );
    }
    seen.set(key, index + 2);
  });
}

function checkRules<C extends Columns>(rows: Row<C>[], schema: TableSchema<C>, file: string): void {
  const firsts = new Map<string, { value: unknown; row: number }>();
  rows.forEach((row, index) => {
    const shown = (value: unknown) => value ?? "nothing";
    for (const { column, formula, value, tolerance = 0 } of schema.rules ?? []) {
      const expected = value(row);
      const got: unknown = row[column];
      const fits = typeof expected === "number" && typeof got === "number"
        ? Math.abs(got - expected) <= tolerance
        : got === expected;
      if (!fits) {
        throw new Error(
          `${file}, row ${index + 2}, column ${column}: expected ${formula} = ${
            shown(expected)
          }: ` +
            `got ${shown(got)}`,
        );
      }
    }
    for (const { column, by } of schema.fixed ?? []) {
      const group = by.map((name) => `${name} ${row[name]}`).join(", ");
      const value: unknown = row[column];
      const first = firsts.get(`${column} of ${group}`);
      if (first === undefined) firsts.set(`${column} of ${group}`, { value, row: index + 2 });
      else if (first.value !== value) {
        throw new Error(
          `${file}, row ${index + 2}, column ${column}: expected ${
            shown(first.value)
          }, as in row ` +
            `${first.row} with the same ${group}: got ${shown(value)}`,
        );
      }
    }
  });
}

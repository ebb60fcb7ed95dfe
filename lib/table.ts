// Written by hand because Polars reads CSV but cannot name the row and column that break a table's rules.
/**
 * CSV tables with a declared schema: read, checked, and handed over as typed Polars frames.
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

/** A cell of the file as text; null where it is empty. */
type Cell = string | null;

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const MOST_COLUMNS = 64;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** Declares a schema and keeps its literal types, which the types of its rows and frame are made from. */
export function table<const C extends Columns>(schema: TableSchema<C>): TableSchema<C> {
  return schema;
}

/**
 * The rows of a frame as plain objects whose numbers are never null: an empty cell is an error that
 * names its column and row.
 */
export function recordsOf<S extends Record<string, DataType>>(
  frame: pl.DataFrame<S>,
): { [K in keyof S]: S[K] extends DataType.Float64 ? number : string }[] {
  for (const name of frame.columns) {
    const row = frame.getColumn(name).toArray().findIndex((value: unknown) => value === null);
    if (row >= 0) {
      throw new TypeError(`Cannot list the rows: ${name} of row ${row + 1} is empty: drop its row`);
    }
  }
  return frame.toRecords() as ReturnType<typeof recordsOf<S>>;
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
 * import { readTable, table } from "./table.ts";
 *
 * const schema = table({
 *   columns: {
 *     size: { kind: "number", unit: "parameters", positive: true },
 *     bits: { kind: "number", unit: "bits per weight", positive: true, whole: true },
 *     tokens: { kind: "number", unit: "tokens", positive: true },
 *     qid: { kind: "number", unit: "nats per token" },
 *     provenance: { kind: "word", words: ["published"] },
 *   },
 *   key: ["bits", "size"],
 * });
 * const labels = readTable("data/paper/figure1_labels.csv", schema);
 * assert.deepEqual(labels.shape, { height: 9, width: 5 });
 * ```
 */
export function readTable<C extends Columns>(path: string, schema: TableSchema<C>): Frame<C> {
  const file = shownPath(path);
  const [header = [], ...lines] = readCells(path, file);
  const places = columnPlaces(header, Object.keys(schema.columns), file);
  if (lines.length === 0) {
    throw new Error(`${file}, row 2, column ${header[0]}: expected at least one row: got none`);
  }
  const rows = lines.map((line, index) =>
    parseRow(line, places, schema, `${file}, row ${index + 2}`)
  );
  checkKeys(rows, schema, file);
  checkRules(rows, schema, file);
  checkFixed(rows, schema, file);
  const series = Object.entries(schema.columns).map(([name, column]) =>
    pl.Series(name, rows.map((row) => row[name]), column.kind === "number" ? pl.Float64 : pl.String)
  );
  return pl.DataFrame(series).sort([...schema.key]) as Frame<C>;
}

/** The path as error messages show it: from the root of the repository where it lies inside. */
function shownPath(path: string): string {
  const inside = relative(ROOT, resolve(path));
  return inside.startsWith("..") ? path : inside.split(sep).join("/");
}

/** All cells as text, null where empty; the header is the first line. */
function readCells(path: string, file: string): Cell[][] {
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
  header: Cell[],
  names: string[],
  file: string,
): Map<string, number> {
  const places = new Map<string, number>();
  const last = header.findLastIndex((name) => name !== null);
  header.slice(0, last + 1).forEach((name, place) => {
    const where = `${file}, row 1, column ${name ?? place + 1}`;
    if (name === null || !names.includes(name)) {
      throw new Error(
        `${where}: expected one of ${names.join(", ")}: got ${
          name === null ? "no name" : "another"
        }`,
      );
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

function parseRow<C extends Columns>(
  line: Cell[],
  places: Map<string, number>,
  schema: TableSchema<C>,
  where: string,
): Row<C> {
  const surplus = line.findIndex((cell, place) => place >= places.size && cell !== null);
  if (surplus >= 0) {
    throw new Error(
      `${where}, column ${surplus + 1}: expected ${places.size} cells: got "${
        line[surplus]
      }" after them`,
    );
  }
  const row: Record<string, number | string | null> = {};
  for (const [name, column] of Object.entries(schema.columns)) {
    const cell = line[places.get(name) ?? -1] ?? null;
    row[name] = parseCell(cell, column, `${where}, column ${name}`);
  }
  return row as Row<C>;
}

function parseCell(cell: Cell, column: Column, where: string): number | string | null {
  const empty = cell === null || cell.trim() === "";
  if (column.kind === "number") {
    if (empty && column.optional) return null;
    const value = NUMBER.test(cell ?? "") ? Number(cell) : NaN;
    const fits = Number.isFinite(value) && (!column.positive || value > 0) &&
      (!column.whole || Number.isSafeInteger(value));
    if (fits) return value;
  } else if (column.kind === "word") {
    if (column.words.includes(cell ?? "")) return cell;
  } else if (!empty) {
    return cell;
  }
  throw new Error(`${where}: expected ${wanted(column)}: got ${empty ? "nothing" : `"${cell}"`}`);
}

/** What a column takes, in words. */
function wanted(column: Column): string {
  if (column.kind === "text") return "text";
  if (column.kind === "word") return column.words.map((word) => `"${word}"`).join(" or ");
  return `a ${column.positive ? "positive " : ""}${column.whole ? "whole " : ""}number`;
}

function checkKeys<C extends Columns>(rows: Row<C>[], schema: TableSchema<C>, file: string): void {
  const seen = new Map<string, number>();
  rows.forEach((row, index) => {
    const key = group(row, schema.key);
    const earlier = seen.get(key);
    if (earlier !== undefined) {
      throw new Error(
        `${file}, row ${index + 2}, column ${
          schema.key.join(", ")
        }: expected values that no other ` +
          `row has: got ${key}, as in row ${earlier}`,
      );
    }
    seen.set(key, index + 2);
  });
}

function checkRules<C extends Columns>(rows: Row<C>[], schema: TableSchema<C>, file: string): void {
  rows.forEach((row, index) => {
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
  });
}

function checkFixed<C extends Columns>(rows: Row<C>[], schema: TableSchema<C>, file: string): void {
  for (const { column, by } of schema.fixed ?? []) {
    const firsts = new Map<string, { value: unknown; row: number }>();
    rows.forEach((row, index) => {
      const key = group(row, by);
      const value: unknown = row[column];
      const first = firsts.get(key) ?? { value, row: index + 2 };
      firsts.set(key, first);
      if (first.value !== value) {
        throw new Error(
          `${file}, row ${index + 2}, column ${column}: expected ${
            shown(first.value)
          }, as in row ` +
            `${first.row} with the same ${key}: got ${shown(value)}`,
        );
      }
    });
  }
}

/** The values of some columns of a row, as a key and for messages. */
function group<C extends Columns>(row: Row<C>, columns: readonly (keyof C & string)[]): string {
  return columns.map((name) => `${name} ${row[name]}`).join(", ");
}

function shown(value: unknown): unknown {
  return typeof value === "number" ? Number(value.toPrecision(12)) : value ?? "nothing";
}

/**
 * Small tables for notebooks, as HTML and as text. Written by hand: the table that Polars displays
 * has full-precision numbers, no alignment and no row limit of its own.
 */
import type { DataFrame } from "nodejs-polars";
import { display, type Displayable } from "./display.ts";
import { formatValue } from "./format.ts";

/** How many rows a table shows. */
export interface TableOptions {
  /** Rows shown before "... n more rows". 20 when left out. */
  limit?: number;
}

/** A table in its two forms. */
export interface Table extends Displayable {
  [display](): { "text/html": string; "text/plain": string };
}

interface Column {
  name: string;
  numeric: boolean;
  cells: string[];
}

/** Whether a value is a Polars frame. Told by its tag, so that Polars loads only where it is used. */
export function isFrame(value: unknown): value is DataFrame {
  return typeof value === "object" && value !== null &&
    (value as { [Symbol.toStringTag]?: unknown })[Symbol.toStringTag] === "DataFrame";
}

/**
 * A table of a Polars frame or of plain objects (the keys are the column names), to be given to
 * `show`. Numbers have 4 significant digits and stand right.
 *
 * ```ts
 * import assert from "node:assert/strict";
 * import { display } from "./display.ts";
 * import { table } from "./table.ts";
 *
 * const { "text/plain": text } = table([{ bits: 2, qid: 1.2345 }, { bits: 3, qid: 0.12 }])[display]();
 * assert.equal(text, "bits    qid\n   2  1.234\n   3   0.12");
 * ```
 */
export function table(
  rows: DataFrame | readonly Readonly<Record<string, unknown>>[],
  options: TableOptions = {},
): Table {
  const { limit = 20 } = options;
  if (!Number.isInteger(limit) || limit < 1) {
    throw new RangeError(
      `Cannot make a table: limit must be a whole number from 1 on: got ${limit}`,
    );
  }
  const frame = isFrame(rows);
  const total = frame ? rows.height : rows.length;
  const shown: readonly Readonly<Record<string, unknown>>[] = frame
    ? rows.head(limit).toRecords()
    : rows.slice(0, limit);
  const names = frame ? rows.columns : [...new Set(shown.flatMap((row) => Object.keys(row)))];
  const columns = names.map((name) => column(name, shown.map((row) => row[name])));
  const hidden = total - shown.length;
  const more = hidden > 0 ? `... ${formatValue(hidden)} more row${hidden === 1 ? "" : "s"}` : "";
  return {
    [display]: () => ({
      "text/html": html(columns, shown.length, more),
      "text/plain": plain(columns, shown.length, more),
    }),
  };
}

/** Text made safe between HTML tags and in a quoted attribute. */
export function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

function column(name: string, values: readonly unknown[]): Column {
  const present = values.filter((value) => value !== null && value !== undefined);
  return {
    name,
    numeric: present.length > 0 &&
      present.every((value) => typeof value === "number" || typeof value === "bigint"),
    cells: values.map(formatValue),
  };
}

// The alignment is said in each cell, because notebook viewers drop style sheets in outputs.
function html(columns: readonly Column[], rows: number, more: string): string {
  const align = ({ numeric }: Column) => ` style="text-align:${numeric ? "right" : "left"}"`;
  const head = columns.map((column) =>
    `<th scope="col"${align(column)}>${escapeHtml(column.name)}</th>`
  );
  const body = Array.from({ length: rows }, (_, row) => {
    const cells = columns.map((column) =>
      `<td${align(column)}>${escapeHtml(column.cells[row] ?? "")}</td>`
    );
    return `<tr>${cells.join("")}</tr>`;
  });
  if (more) {
    body.push(`<tr><td colspan="${columns.length}" style="text-align:left">${more}</td></tr>`);
  }
  return `<table>\n<thead>\n<tr>${head.join("")}</tr>\n</thead>\n<tbody>\n${
    body.join("\n")
  }\n</tbody>\n</table>`;
}

function plain(columns: readonly Column[], rows: number, more: string): string {
  const padded = columns.map(({ name, numeric, cells }) => {
    const width = Math.max(name.length, ...cells.map((cell) => cell.length));
    return [name, ...cells].map((text) => numeric ? text.padStart(width) : text.padEnd(width));
  });
  const lines = Array.from(
    { length: rows + 1 },
    (_, line) => padded.map((cells) => cells[line]).join("  ").trimEnd(),
  );
  return [...lines, ...(more ? [more] : [])].join("\n");
}

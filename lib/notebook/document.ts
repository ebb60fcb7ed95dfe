/**
 * Notebooks as files: reading, checking, and writing byte for byte as Jupyter's `nbformat` does.
 * In memory every text is one string; on disk it is a list of lines, as Jupyter keeps it.
 */

// Written by hand: `nbformat` is a Python package, and @jupyterlab/nbformat brings types and guards only.

import type {
  ICell,
  ICodeCell,
  IMimeBundle,
  INotebookContent,
  MultilineString,
} from "@jupyterlab/nbformat";
import { createHash, randomUUID } from "node:crypto";
import { formatJson } from "./json.ts";

export type { ICell, ICodeCell, INotebookContent } from "@jupyterlab/nbformat";

type Json = Record<string, unknown>;

/** The line ends of Python's `str.splitlines`, which knows more of them than JavaScript does. */
const ENDS = String.raw`\n\r\v\f\x1c-\x1e\x85\u2028\u2029`;
const LINES = new RegExp(`[^${ENDS}]*(?:\\r\\n|[${ENDS}])|.+$`, "gs");

/** Whether `cell` is a code cell. */
export function isCodeCell(cell: ICell): cell is ICodeCell {
  return cell.cell_type === "code";
}

/**
 * The code cells that an execution runs, in order. Blank ones are left out, as Jupyter leaves them
 * out; so the first of these is the cell that Jupyter shows as `[1]`, and so on.
 */
export function executableCells(notebook: INotebookContent): ICodeCell[] {
  return notebook.cells.filter(isCodeCell).filter((cell) => sourceOf(cell).trim() !== "");
}

/** The text of a cell as one string. */
export function sourceOf(cell: ICell): string {
  return joinLines(cell.source);
}

/** Whether `cell` carries `tag` in its metadata. */
export function hasTag(cell: ICell, tag: string): boolean {
  return cell.metadata.tags?.includes(tag) ?? false;
}

/** Joins the lines of a text that a file may hold as a list. */
export function joinLines(text: MultilineString): string {
  return typeof text === "string" ? text : text.join("");
}

/** Removes every output and execution count. */
export function stripOutputs(notebook: INotebookContent): void {
  for (const cell of notebook.cells.filter(isCodeCell)) {
    cell.outputs = [];
    cell.execution_count = null;
  }
}

/**
 * Reads a notebook file.
 * @throws if the file is no notebook of format 4, with the file's name and what is wrong.
 */
export async function readNotebook(path: string): Promise<INotebookContent> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    throw new Error(`Cannot read the notebook ${path}: ${messageOf(error)}`);
  }
  return parseNotebook(text, path);
}

/**
 * Parses the text of a notebook. Notebooks of format 4.0 to 4.4 are brought to 4.5: a cell
 * without an id gets one that follows from its place and its text.
 * @param name what errors call the notebook.
 * @throws if `text` is no notebook of format 4.
 */
export function parseNotebook(text: string, name: string): INotebookContent {
  const fail = (what: string): never => {
    throw new Error(`Cannot read the notebook ${name}: ${what}`);
  };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return fail(`it is not JSON: ${messageOf(error)}`);
  }
  if (!isObject(value)) return fail("it must hold a JSON object");
  if (value.nbformat !== 4) {
    return fail(
      `needs notebook format 4: got nbformat ${JSON.stringify(value.nbformat) ?? "missing"}`,
    );
  }
  if (!Array.isArray(value.cells)) return fail('the list "cells" is missing');
  value.metadata ??= {};
  if (!isObject(value.metadata)) return fail('"metadata" must be an object');
  value.cells.forEach((cell: unknown, index) => checkCell(cell, index, fail));

  const notebook = value as INotebookContent;
  notebook.nbformat_minor = Math.max(5, Number(notebook.nbformat_minor) || 0);
  for (const key of ["orig_nbformat", "orig_nbformat_minor", "signature"]) {
    delete notebook.metadata[key];
  }
  notebook.cells.forEach(joinCell);
  addIds(notebook);
  return notebook;
}

/** The text of a notebook file, as Jupyter writes it: one-space indent, sorted keys, lists of lines. */
export function formatNotebook(notebook: INotebookContent): string {
  return formatJson({ ...notebook, cells: notebook.cells.map(splitCell) }) + "\n";
}

/**
 * Writes a notebook in one step: a reader sees the old file or the new one, never a part.
 * A file that already holds the same text is left alone.
 */
export async function writeNotebook(path: string, notebook: INotebookContent): Promise<void> {
  const text = formatNotebook(notebook);
  const target = await Deno.realPath(path).catch(() => path);
  const [old, info] = await Promise.all([
    Deno.readTextFile(target).catch(() => undefined),
    Deno.stat(target).catch(() => undefined),
  ]);
  if (old === text) return;
  const temporary = `${target}.${randomUUID()}.tmp`;
  try {
    await Deno.writeTextFile(temporary, text, { createNew: true });
    if (info?.mode && Deno.build.os !== "windows") await Deno.chmod(temporary, info.mode & 0o777);
    await Deno.rename(temporary, target);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {});
    throw error;
  }
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isText(value: unknown): boolean {
  return typeof value === "string" ||
    (Array.isArray(value) && value.every((line) => typeof line === "string"));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function checkCell(cell: unknown, index: number, fail: (what: string) => never): void {
  const where = `item ${index + 1} of "cells"`;
  if (!isObject(cell)) return fail(`${where} must be an object`);
  if (!["code", "markdown", "raw"].includes(cell.cell_type as string)) {
    fail(`${where} must be code, markdown or raw: got ${JSON.stringify(cell.cell_type)}`);
  }
  if (!isText(cell.source)) fail(`${where} has no text in "source"`);
  cell.metadata ??= {};
  if (!isObject(cell.metadata)) return fail(`${where} must have an object as "metadata"`);
  delete cell.metadata.trusted;
  const { tags } = cell.metadata;
  if (tags !== undefined && !(Array.isArray(tags) && isText(tags))) {
    fail(`${where} must have a list of words as "tags"`);
  }
  if (cell.cell_type !== "code") return;
  cell.outputs ??= [];
  cell.execution_count ??= null;
  if (!Array.isArray(cell.outputs) || !cell.outputs.every(isObject)) {
    fail(`${where} must have a list of objects as "outputs"`);
  }
}

/** Eight hexadecimal digits a cell, as Jupyter's, but a function of its place and text. */
function addIds(notebook: INotebookContent): void {
  const seen = new Set<unknown>();
  notebook.cells.forEach((cell, index) => {
    for (let salt = 0; typeof cell.id !== "string" || seen.has(cell.id); salt++) {
      const text = `${salt} ${index} ${sourceOf(cell)}`;
      cell.id = createHash("sha256").update(text).digest("hex").slice(0, 8);
    }
    seen.add(cell.id);
  });
}

function joinCell(cell: ICell): void {
  cell.source = joinLines(cell.source);
  for (const bundle of bundlesOf(cell)) {
    for (const [type, value] of Object.entries(bundle)) {
      if (!isJsonType(type) && Array.isArray(value) && isText(value)) {
        bundle[type] = joinLines(value);
      }
    }
  }
  for (const output of isCodeCell(cell) ? cell.outputs : []) {
    if (output.output_type === "stream") output.text = joinLines(output.text as MultilineString);
  }
}

/** A copy of a cell with its texts as lists of lines, as files hold them. */
export function splitCell(cell: ICell): ICell {
  const copy = structuredClone(cell);
  copy.source = splitLines(sourceOf(cell));
  for (const bundle of bundlesOf(copy)) {
    for (const [type, value] of Object.entries(bundle)) {
      if (typeof value === "string" && isSplitType(type)) bundle[type] = splitLines(value);
    }
  }
  for (const output of isCodeCell(copy) ? copy.outputs : []) {
    if (output.output_type === "stream") output.text = splitLines(output.text as string);
  }
  return copy;
}

function bundlesOf(cell: ICell): IMimeBundle[] {
  const attachments = Object.values(cell.attachments ?? {});
  const outputs = isCodeCell(cell) ? cell.outputs.map((output) => output.data) : [];
  return [...attachments, ...outputs].filter((bundle) => isObject(bundle)) as IMimeBundle[];
}

function isJsonType(type: string): boolean {
  return type === "application/json" || /^application\/.*\+json$/.test(type);
}

function isSplitType(type: string): boolean {
  return type.startsWith("text/") || ["application/javascript", "image/svg+xml"].includes(type);
}

function splitLines(text: string): string[] {
  return text.match(LINES) ?? [];
}

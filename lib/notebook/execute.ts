/** Executes a notebook in a Deno kernel of its own, cell by cell. */

import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import {
  executableCells,
  hasTag,
  type ICodeCell,
  type INotebookContent,
  sourceOf,
  stripOutputs,
} from "./document.ts";
import { type ExecuteReply, Kernel, KernelError } from "./kernel.ts";
import { locate } from "./locate.ts";
import { type CellError, Outputs } from "./outputs.ts";

/** Seconds that a cell may take, if nothing else is said. */
export const DEFAULT_TIMEOUT = 600;

/** What `executeNotebook` may be given. */
export interface ExecuteNotebookOptions {
  /** The kernel's working folder: the notebook's (default: the current one). */
  cwd?: string;
  /** Seconds that one cell may take (default: `DEFAULT_TIMEOUT`). */
  timeout?: number;
  /** Called before each cell with its number, counted from 1, and how many there are. */
  onCell?: (cell: number, cells: number) => void;
  /** Ends the execution, and the kernel with it. */
  signal?: AbortSignal;
}

/** Why an execution stopped. */
export interface CellFailure {
  /** The number of the cell: what Jupyter shows as `[n]`. */
  cell: number;
  /** The line in the cell, counted from 1, where it is known. */
  line?: number;
  /** The text of that line. */
  source?: string;
  /** What happened. */
  error: CellError;
}

/**
 * Executes the cells of a notebook in order and puts their outputs and counts into `notebook`,
 * with the kernel's metadata, as Jupyter does. Blank cells are passed over. A cell that throws
 * ends the execution, unless it has the tag `raises-exception`; so does a cell that leaves an
 * uncaught error behind it, that takes too long, or that ends the kernel. The outputs so far stay.
 *
 * File addresses in error messages become relative to `cwd`: outputs hold no paths of a machine.
 * What a cell writes past the console, to `Deno.stdout` or through a child process, is no output;
 * in Jupyter neither.
 *
 * ```ts
 * import assert from "node:assert/strict";
 * import { executeNotebook, parseNotebook } from "./mod.ts";
 *
 * const cells = [{ cell_type: "code", source: "const beta = 0.5;\nnull!.gamma;", metadata: {} }];
 * const notebook = parseNotebook(JSON.stringify({ nbformat: 4, cells }), "example");
 * const failure = await executeNotebook(notebook);
 * assert.equal(failure?.cell, 1);
 * assert.equal(failure?.line, 2);
 * assert.equal(notebook.cells[0]?.execution_count, 1);
 * ```
 *
 * @returns the failure, if a cell failed.
 * @throws if no kernel can be started, or `signal` is aborted.
 */
export async function executeNotebook(
  notebook: INotebookContent,
  options: ExecuteNotebookOptions = {},
): Promise<CellFailure | undefined> {
  const { cwd = Deno.cwd(), timeout = DEFAULT_TIMEOUT, onCell, signal } = options;
  const cells = executableCells(notebook);
  signal?.throwIfAborted();
  await using kernel = await Kernel.start({ cwd });
  const stop = () => void kernel.close();
  signal?.addEventListener("abort", stop);
  try {
    signal?.throwIfAborted();
    stripOutputs(notebook);
    notebook.metadata.kernelspec = { display_name: "Deno", language: "typescript", name: "deno" };
    notebook.metadata.language_info = kernel.languageInfo as { name: string };
    const outputs = new Outputs((text) => withoutPaths(text, cwd));
    const failures: [cell: ICodeCell, error: CellError][] = [];
    for (const [index, cell] of cells.entries()) {
      onCell?.(index + 1, cells.length);
      const fail = (error: CellError) => {
        if (!hasTag(cell, "raises-exception")) failures.push([cell, error]);
      };
      const onMessage = outputs.collector(cell, fail);
      try {
        const reply = await kernel.execute(sourceOf(cell), { onMessage, timeout });
        // A cell that cannot be parsed puts out nothing: the reply alone says so.
        if (reply.status === "error" && failures.length === 0) fail(replyError(reply));
      } catch (error) {
        if (!(error instanceof KernelError)) throw error;
        const before = failures.map(([, { ename, evalue }]) => `, after ${ename}: ${evalue}`);
        const evalue = error.message + before.join("");
        failures.unshift([cell, { ename: error.name, evalue, traceback: [] }]);
      }
      signal?.throwIfAborted();
      // An error can also come late, from a timer that an earlier cell has set.
      const [failed] = failures;
      if (failed) return await describe(...failed, cells.indexOf(failed[0]) + 1);
    }
  } finally {
    signal?.removeEventListener("abort", stop);
  }
  return undefined;
}

function replyError({ ename = "Error", evalue = "", traceback = [] }: ExecuteReply): CellError {
  return { ename, evalue, traceback };
}

async function describe(cell: ICodeCell, error: CellError, number: number): Promise<CellFailure> {
  const source = sourceOf(cell);
  const place = await locate(source, error);
  if (!place) return { cell: number, error };
  if (place.message) error = { ...error, ename: "SyntaxError", evalue: place.message };
  const line = source.split("\n")[place.line - 1]?.trim();
  return { cell: number, line: place.line, source: line, error };
}

function withoutPaths(text: string, cwd: string): string {
  return text.replaceAll(/file:\/\/\/[^\s"'`()<>]*[^\s"'`()<>.,:;]/g, (address) => {
    const [, url, position] = address.match(/^(.*?)((?::\d+)*)$/) ?? [];
    try {
      return relative(cwd, fileURLToPath(url!)).replaceAll("\\", "/") + position;
    } catch {
      return address;
    }
  });
}

/** Runs many notebooks, several at a time: reads, executes, compares, writes. */

import { availableParallelism } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { type StaleCell, staleCells } from "./compare.ts";
import { readNotebook, stripOutputs, writeNotebook } from "./document.ts";
import { type CellFailure, executeNotebook } from "./execute.ts";
import { injectParameters, type ParameterValues } from "./parameters.ts";

/** What `runNotebooks` may be given. */
export interface RunOptions {
  /** What to do with each notebook (default: "execute"). */
  action?: "execute" | "check" | "strip";
  /** How many notebooks run at a time (default: one a core). */
  jobs?: number;
  /** Seconds that one cell may take. */
  timeout?: number;
  /** Values for the notebooks' parameters. */
  parameters?: ParameterValues;
  /** The folder to write to (default: each notebook's own file). */
  out?: string;
  /** Told how each notebook gets on. */
  onProgress?: (event: ProgressEvent) => void;
  /** Ends the run: notebooks that are not finished are not written. */
  signal?: AbortSignal;
}

/** How a notebook got on. */
export type ProgressEvent =
  | { type: "cell"; path: string; cell: number; cells: number }
  | { type: "end"; result: NotebookResult };

/** What became of a notebook. It has passed if there is no failure, no problem and no stale cell. */
export interface NotebookResult {
  /** The notebook's file, as it was given. */
  path: string;
  passed: boolean;
  /** The cell that stopped the execution. */
  failure?: CellFailure;
  /** What is wrong with the notebook as a whole, in a sentence. */
  problem?: string;
  /** The cells whose outputs in the file are out of date, when checking. */
  stale: StaleCell[];
}

/**
 * Executes, checks or strips notebooks. One that fails does not stop the others. The file of a
 * notebook that failed in a cell gets the outputs up to there; a check writes nothing.
 * @throws if two notebooks would be written to one file, or once `signal` is aborted.
 */
export async function runNotebooks(
  paths: readonly string[],
  options: RunOptions = {},
): Promise<NotebookResult[]> {
  const { jobs = availableParallelism(), out, onProgress, signal } = options;
  if (out !== undefined) {
    const names = paths.map((path) => basename(path));
    const twice = names.find((name, index) => names.indexOf(name) !== index);
    if (twice) throw new Error(`Cannot write two notebooks to one file: both are named ${twice}`);
    await Deno.mkdir(out, { recursive: true });
  }
  const results: NotebookResult[] = [];
  const waiting = [...paths.entries()];
  const work = async () => {
    for (let next = waiting.shift(); next && !signal?.aborted; next = waiting.shift()) {
      const [index, path] = next;
      const result = await runNotebook(path, options);
      results[index] = result;
      onProgress?.({ type: "end", result });
    }
  };
  await Promise.allSettled(Array.from({ length: Math.min(jobs, paths.length) }, work));
  signal?.throwIfAborted();
  return results;
}

async function runNotebook(path: string, options: RunOptions): Promise<NotebookResult> {
  const { action = "execute", timeout, parameters, out, onProgress, signal } = options;
  const target = out === undefined ? path : join(out, basename(path));
  try {
    const notebook = await readNotebook(path);
    if (action === "strip") {
      stripOutputs(notebook);
      await writeNotebook(target, notebook);
      return { path, passed: true, stale: [] };
    }
    const before = structuredClone(notebook);
    if (parameters) injectParameters(notebook, parameters, path);
    const failure = await executeNotebook(notebook, {
      cwd: dirname(resolve(path)),
      timeout,
      onCell: (cell, cells) => onProgress?.({ type: "cell", path, cell, cells }),
      signal,
    });
    if (action === "execute") await writeNotebook(target, notebook);
    const stale = action === "check" && !failure ? staleCells(before, notebook) : [];
    return { path, passed: !failure && stale.length === 0, ...(failure && { failure }), stale };
  } catch (error) {
    signal?.throwIfAborted();
    const problem = error instanceof Error ? error.message : String(error);
    return { path, passed: false, problem, stale: [] };
  }
}

/** Compares the outputs in a notebook file with those of a new execution. */

import { executableCells, type ICodeCell, type INotebookContent, splitCell } from "./document.ts";
import { formatJson } from "./json.ts";

/** How many characters of a line are shown around its first difference. */
const WIDTH = 160;

/** A cell whose outputs in the file are not those that it has now. */
export interface StaleCell {
  /** The number of the cell: what Jupyter shows as `[n]`. */
  cell: number;
  /** The first line that differs, as it stands in the file, or near its difference if it is long. */
  was: string;
  /** The same line now. */
  now: string;
}

/**
 * The cells of a notebook whose outputs or execution count have changed.
 * @param before the notebook as it is in its file.
 * @param after the same notebook, executed again.
 */
export function staleCells(before: INotebookContent, after: INotebookContent): StaleCell[] {
  const executed = executableCells(after);
  return executableCells(before).flatMap((cell, index) => {
    const was = linesOf(cell);
    const now = linesOf(executed[index]!);
    const first = now.findIndex((line, number) => line !== was[number]);
    if (first < 0 && was.length === now.length) return [];
    const line = first < 0 ? now.length : first;
    return [{ cell: index + 1, ...excerpts(was[line] ?? "", now[line] ?? "") }];
  });
}

function linesOf(cell: ICodeCell): string[] {
  const { execution_count, outputs } = splitCell(cell);
  return formatJson({ execution_count, outputs }).split("\n");
}

/** Both lines without indent and comma; of long ones, the part around their first difference. */
function excerpts(was: string, now: string): { was: string; now: string } {
  const [a, b] = [was, now].map((line) => line.trim().replace(/,$/, "")) as [string, string];
  let same = 0;
  while (same < a.length && a[same] === b[same]) same++;
  const start = Math.max(0, same - WIDTH / 2);
  const cut = (line: string) => {
    const part = line.slice(start, start + WIDTH);
    return (start > 0 ? "…" : "") + part + (start + WIDTH < line.length ? "…" : "");
  };
  return { was: cut(a), now: cut(b) };
}

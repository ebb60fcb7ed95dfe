/**
 * Type check, lint and format check of a notebook's cells. Written by hand: `deno check` and
 * `deno lint` do not take notebooks, and `deno fmt --check` fails on good ones while its cache is cold.
 */
import type { INotebookContent } from "@jupyterlab/nbformat";
import { basename, dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { runDeno } from "./deno.ts";
import { executableCells, readNotebook, sourceOf, writeNotebook } from "./document.ts";

/** All code of a notebook as one module, and the way back to the cells. */
export interface CellModule {
  source: string;
  /** The cell and the line in it, both from 1 on, of a line of the module from 1 on. */
  locate(line: number): { cell: number; line: number };
}

/** How cells are inspected. */
export interface InspectOptions {
  /** Ends the inspection. */
  signal?: AbortSignal;
}

/** How the format of cells is inspected. */
export interface FormatOptions extends InspectOptions {
  /** Write the right format into the notebook instead of reporting a wrong one. */
  fix?: boolean;
}

interface Written extends CellModule {
  notebook: string;
  file: string;
}

/**
 * Writes the code cells of a notebook out as one module. Cells count from 1 in the order in which
 * they run, as in Jupyter's `[1]`.
 */
export function cellModule(notebook: INotebookContent): CellModule {
  const lines: string[] = [];
  const origins: { cell: number; line: number }[] = [];
  executableCells(notebook).forEach((cell, index) => {
    sourceOf(cell).split("\n").forEach((text, line) => {
      lines.push(text);
      origins.push({ cell: index + 1, line: line + 1 });
    });
  });
  return {
    // The export makes it a module, so that cells without an import can await too.
    source: [...lines, "export {};", ""].join("\n"),
    locate: (line) => origins[line - 1] ?? origins.at(-1) ?? { cell: 1, line: 1 },
  };
}

/**
 * Type-checks the cells of notebooks and returns the problems, each with notebook, cell, line and
 * column. A name that two cells of a notebook declare is a problem here, though the kernel takes it.
 */
export async function checkCells(
  notebooks: readonly string[],
  options: InspectOptions = {},
): Promise<string[]> {
  return await withModules(notebooks, async (modules) => {
    const files = modules.map(({ file }) => file);
    const { ok, stdout, stderr } = await runDeno(["check", ...files], {
      cwd: dirname(files[0]!),
      ...options,
    });
    if (ok) return [];
    const said = `${stdout}\n${stderr}`;
    const problems = said
      .replace(/\n*Stack backtrace:[^]*/, "")
      .replace(/^(?:Check |Download |Initialize |Found \d+ err|error: Type checking f).*\n?/gm, "")
      .split(/\n(?=TS\d+ \[|error: )/)
      .map((problem) => rewrite(problem, modules).trim())
      .filter((problem) => problem !== "");
    return problems.length > 0 ? problems : [said.trim()];
  });
}

/** Lints the cells of notebooks and returns the problems, each with notebook, cell, line and column. */
export async function lintCells(
  notebooks: readonly string[],
  options: InspectOptions = {},
): Promise<string[]> {
  return await withModules(notebooks, async (modules) => {
    const files = modules.map(({ file }) => file);
    const { stdout, stderr } = await runDeno(["lint", "--json", ...files], {
      cwd: dirname(files[0]!),
      ...options,
    });
    let report: LintReport;
    try {
      report = JSON.parse(stdout);
    } catch {
      throw new Error(`Cannot lint the notebooks' cells: deno lint said ${stdout}${stderr}`);
    }
    const problems = report.diagnostics.map(({ filename, range, message, code, hint }) => {
      const place = rewrite(`${filename}:${range.start.line}:${range.start.col + 1}`, modules);
      return `${code}: ${message}${hint ? ` (${hint})` : ""}\n    at ${place}`;
    });
    return [...problems, ...report.errors.map(({ message }) => rewrite(message, modules))];
  });
}

/**
 * Compares the cells of notebooks with what `deno fmt` makes of them under the settings of their
 * folder's deno.json, and returns the problems; or, with `fix`, brings the cells into that form,
 * leaving all else in the file as it is, and returns nothing.
 */
export async function formatCells(
  notebooks: readonly string[],
  options: FormatOptions = {},
): Promise<string[]> {
  const { fix = false, signal } = options;
  const problems: string[] = [];
  for (const path of notebooks) {
    const notebook = await readNotebook(path);
    const { ok, stdout, stderr } = await runDeno(["fmt", "--ext", "ipynb", "-"], {
      cwd: dirname(resolve(path)),
      // deno fmt passes over all cells of a notebook that does not name its language here.
      input: JSON.stringify({
        ...notebook,
        metadata: { ...notebook.metadata, language_info: { name: "typescript" } },
      }),
      ...(signal ? { signal } : {}),
    });
    if (!ok) throw new Error(`Cannot format the cells of ${path}: ${stderr.trim()}`);
    const formatted = executableCells(JSON.parse(stdout));
    executableCells(notebook).forEach((cell, index) => {
      const is = sourceOf(cell).split("\n");
      const should = sourceOf(formatted[index]!).split("\n");
      const first = should.findIndex((text, i) => text !== is[i]);
      if (first < 0 && is.length === should.length) return;
      const line = first < 0 ? should.length : first + 1;
      const wanted = first < 0 ? "end here" : `be ${JSON.stringify(should[first])}`;
      cell.source = should.join("\n");
      problems.push(
        `Not formatted: should ${wanted}\n    at ${path}, cell ${index + 1}, line ${line}`,
      );
    });
    if (fix) await writeNotebook(path, notebook);
  }
  return fix ? [] : problems;
}

interface LintReport {
  diagnostics: {
    filename: string;
    range: { start: { line: number; col: number } };
    message: string;
    code: string;
    hint: string | null;
  }[];
  errors: { message: string }[];
}

/**
 * Writes each notebook's module beside the notebook, where its imports resolve as in the kernel,
 * and removes it whatever happens in `use`. Git ignores the names.
 */
async function withModules(
  notebooks: readonly string[],
  use: (modules: readonly Written[]) => Promise<string[]>,
): Promise<string[]> {
  if (notebooks.length === 0) return [];
  const modules: Written[] = [];
  try {
    for (const path of notebooks) {
      const module = cellModule(await readNotebook(path));
      const name = `.cells-${crypto.randomUUID()}-${basename(path, ".ipynb")}.ts`;
      const file = join(dirname(resolve(path)), name);
      modules.push({ ...module, notebook: path, file });
      await Deno.writeTextFile(file, module.source);
    }
    return await use(modules);
  } finally {
    await Promise.allSettled(modules.map(({ file }) => Deno.remove(file)));
  }
}

/** Puts notebook, cell, line and column for each place in a module, and says what the kernel lets pass. */
function rewrite(text: string, modules: readonly Written[]): string {
  let result = text.replace(
    /^TS2451 \[ERROR\]: .*('.*')\.$|^TS2300 \[ERROR\]: Duplicate identifier ('.*')\.$/gm,
    (_, variable, other) =>
      `Declared twice: ${variable ?? other} needs another name in one of the places, ` +
      `so that the cells read as one program`,
  );
  for (const { file, notebook, locate } of modules) {
    const places = new RegExp(`${RegExp.escape(pathToFileURL(file).href)}:(\\d+):(\\d+)`, "g");
    result = result.replace(places, (_, moduleLine, column) => {
      const { cell, line } = locate(Number(moduleLine));
      return `${notebook}, cell ${cell}, line ${line}, column ${column}`;
    });
  }
  return result;
}

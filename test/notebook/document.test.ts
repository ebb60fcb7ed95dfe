import { execFile } from "node:child_process";
import { chmod, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  executeNotebook,
  formatNotebook,
  parseNotebook,
  readNotebook,
  writeNotebook,
} from "../../lib/notebook/mod.ts";
import { everyKind } from "./fixtures/every_kind.ts";
import { notebookOf } from "./fixtures/notebook_of.ts";

/** Written by nbformat 5.5.0: every kind of cell, output, number and line end that Python knows. */
const byNbformat = join(import.meta.dirname!, "fixtures", "by_nbformat.ipynb");

const run = promisify(execFile);
const python = await findPython();

/** A Python that has nbformat, if this machine has one. */
async function findPython(): Promise<string | undefined> {
  for (const program of ["python3", "/usr/bin/python3"]) {
    try {
      await run(program, ["-c", "import nbformat"]);
      return program;
    } catch {
      // Another may have it.
    }
  }
  return undefined;
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "document-"));
});
afterAll(() => rm(folder, { recursive: true }));

describe("formatNotebook", () => {
  it("gives back byte for byte what nbformat wrote", async () => {
    const text = await readFile(byNbformat, "utf8");
    expect(formatNotebook(parseNotebook(text, byNbformat))).toBe(text);
  });

  it.skipIf(!python)("leaves nbformat nothing to change (needs Python's nbformat)", async () => {
    const notebook = notebookOf(everyKind(7));
    await executeNotebook(notebook);
    const path = join(folder, "executed.ipynb");
    await writeNotebook(path, notebook);
    const text = await readFile(path, "utf8");
    const script = "import nbformat, sys; path = sys.argv[1]; " +
      "nb = nbformat.read(path, nbformat.NO_CONVERT); nbformat.validate(nb); " +
      "nbformat.write(nb, path)";
    await run(python!, ["-W", "error", "-c", script, path]);
    expect(await readFile(path, "utf8")).toBe(text);
  });
});

describe("parseNotebook", () => {
  const wrong: [name: string, value: unknown, message: string][] = [
    ["a list", [], "it must hold a JSON object"],
    ["format 3", { nbformat: 3, worksheets: [] }, "needs notebook format 4: got nbformat 3"],
    ["no format", { cells: [] }, "needs notebook format 4: got nbformat missing"],
    ["no cells", { nbformat: 4 }, 'the list "cells" is missing'],
    [
      "an odd cell",
      { nbformat: 4, cells: [{ cell_type: "markdown", source: "" }, { cell_type: "sql" }] },
      'item 2 of "cells" must be code, markdown or raw: got "sql"',
    ],
    [
      "a cell without text",
      { nbformat: 4, cells: [{ cell_type: "code", source: [1] }] },
      'item 1 of "cells" has no text in "source"',
    ],
    [
      "outputs that are no list",
      { nbformat: 4, cells: [{ cell_type: "code", source: "1", outputs: {} }] },
      'item 1 of "cells" must have a list of objects as "outputs"',
    ],
    [
      "tags that are no list",
      { nbformat: 4, cells: [{ cell_type: "code", source: "1", metadata: { tags: "a" } }] },
      'item 1 of "cells" must have a list of words as "tags"',
    ],
  ];
  it.each(wrong)("rejects %s", (_, value, message) => {
    const text = JSON.stringify(value);
    expect(() => parseNotebook(text, "n.ipynb")).toThrow(
      `Cannot read the notebook n.ipynb: ${message}`,
    );
  });

  it("rejects what is not JSON, and a file that is not there, by name", async () => {
    expect(() => parseNotebook("{", "n.ipynb")).toThrow(
      "Cannot read the notebook n.ipynb: it is not JSON: ",
    );
    const path = join(folder, "none.ipynb");
    await expect(readNotebook(path)).rejects.toThrow(`Cannot read the notebook ${path}: `);
  });

  it("brings older notebooks to format 4.5, with ids that do not change from run to run", () => {
    const cell = { cell_type: "markdown", metadata: { trusted: true }, source: "same" };
    const text = JSON.stringify({
      nbformat: 4,
      nbformat_minor: 2,
      metadata: { orig_nbformat: 4 },
      cells: [cell, { ...cell, id: "kept" }, { ...cell, id: "kept" }, cell],
    });
    const notebook = parseNotebook(text, "old");
    const ids = notebook.cells.map((cell) => cell.id);
    expect(notebook).toMatchObject({ nbformat: 4, nbformat_minor: 5, metadata: {} });
    expect(new Set(ids).size).toBe(4);
    expect(ids[1]).toBe("kept");
    for (const id of ids) expect(id).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
    expect(formatNotebook(parseNotebook(text, "old"))).toBe(formatNotebook(notebook));
    expect(formatNotebook(notebook)).not.toMatch(/trusted|orig_nbformat/);
  });
});

describe("writeNotebook", () => {
  it("replaces a file in one step, through a link, and keeps its permissions", async () => {
    const path = join(folder, "real.ipynb");
    const link = join(folder, "link.ipynb");
    await writeFile(path, "old");
    await chmod(path, 0o640);
    await symlink(path, link);
    await writeNotebook(link, notebookOf(["1"]));
    expect(await readNotebook(path)).toEqual(notebookOf(["1"]));
    expect((await stat(path)).mode & 0o777).toBe(0o640);
    expect((await readdir(folder)).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });

  it("does not touch a file that would stay the same", async () => {
    const path = join(folder, "same.ipynb");
    await writeNotebook(path, notebookOf(["1"]));
    const { ino } = await stat(path);
    await writeNotebook(path, notebookOf(["1"]));
    expect((await stat(path)).ino).toBe(ino);
    await writeNotebook(path, notebookOf(["2"]));
    expect((await stat(path)).ino).not.toBe(ino);
  });
});

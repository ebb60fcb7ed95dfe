import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { cellModule, checkCells, formatCells, lintCells } from "../../lib/notebook/cells.ts";
import { formatNotebook, parseNotebook } from "../../lib/notebook/document.ts";

/** A project with its own settings: what the cells are held to comes from the deno.json above them. */
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "cells-"));
  const settings = { compilerOptions: { strict: true }, fmt: { lineWidth: 40 } };
  await writeFile(join(folder, "deno.json"), JSON.stringify(settings));
  await writeFile(join(folder, "law.ts"), "export const beta: number = 0.5;\n");
});
afterEach(() => rm(folder, { recursive: true }));

function notebook(...cells: string[]) {
  const source = cells.map((source) => ({
    cell_type: source.startsWith("#") ? "markdown" : "code",
    metadata: {},
    source,
    ...(source.startsWith("#") ? {} : { execution_count: 7, outputs: [] }),
  }));
  const metadata = { kernelspec: { display_name: "Deno", language: "typescript", name: "deno" } };
  return parseNotebook(
    JSON.stringify({ cells: source, metadata, nbformat: 4, nbformat_minor: 5 }),
    "n",
  );
}

async function save(name: string, ...cells: string[]): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, formatNotebook(notebook(...cells)));
  return path;
}

const good = [
  'import { beta } from "./law.ts";',
  "# Text",
  "",
  "const half = await beta;",
  "half;",
];

describe("cellModule", () => {
  it("leads each line back to its cell, counted as Jupyter counts", () => {
    const { source, locate } = cellModule(notebook("a\nb", "# Text", " ", "c"));
    expect(source).toBe("a\nb\nc\nexport {};\n");
    expect([1, 2, 3].map(locate)).toEqual([
      { cell: 1, line: 1 },
      { cell: 1, line: 2 },
      { cell: 2, line: 1 },
    ]);
  });
});

describe("checkCells", () => {
  it("takes good notebooks, and leaves nothing behind", async () => {
    const paths = [await save("a.ipynb", ...good), await save("b.ipynb", ...good)];
    expect(await checkCells(paths)).toEqual([]);
    expect((await readdir(folder)).sort()).toEqual(["a.ipynb", "b.ipynb", "deno.json", "law.ts"]);
    expect(await checkCells([])).toEqual([]);
  });

  it("finds wrong types and second declarations, each with its place", async () => {
    const a = await save("a.ipynb", ...good, "# Text", "half;\nconst text: string = half;");
    const b = await save("b.ipynb", "const twice = 1;", "const twice = 2;\ntwice;");
    const problems = (await checkCells([a, b])).sort();
    expect(problems).toHaveLength(3);
    expect(problems[0]).toMatch(/^Declared twice: 'twice' needs another name/);
    expect(problems[0]).toContain(`at ${b}, cell 1, line 1, column 7`);
    expect(problems[1]).toContain(`at ${b}, cell 2, line 1, column 7`);
    expect(problems[2]).toContain("Type 'number' is not assignable to type 'string'");
    expect(problems[2]).toContain(`at ${a}, cell 4, line 2, column 7`);
    expect(problems.join()).not.toContain(".cells-");
    expect((await readdir(folder)).filter((name) => name.startsWith(".cells-"))).toEqual([]);
  });

  it("places what does not parse and what cannot be imported", async () => {
    const a = await save("a.ipynb", "const one = 1;", "one;\nconst two = ;");
    expect((await checkCells([a])).join()).toMatch(
      /Expression expected[^]*a\.ipynb, cell 2, line 2/,
    );
    const b = await save("b.ipynb", "1;", 'import { x } from "./no.ts";\nx;');
    expect((await checkCells([b])).join()).toMatch(
      /Cannot find module[^]*b\.ipynb, cell 2, line 1/,
    );
  });
});

describe("lintCells", () => {
  it("finds what deno lint finds, each with its place", async () => {
    const a = await save("a.ipynb", ...good);
    const b = await save("b.ipynb", "1;", "2;\n  let fixed = 3;\nfixed;", "const = 4;");
    expect(await lintCells([a])).toEqual([]);
    expect((await lintCells([b])).join()).toMatch(/SyntaxError[^]*b\.ipynb, cell 3, line 1/);
    const c = await save("c.ipynb", "1;", "2;\n  let fixed = 3;\nfixed;");
    expect(await lintCells([a, c])).toEqual([
      `prefer-const: \`fixed\` is never reassigned (Use \`const\` instead)\n` +
      `    at ${c}, cell 2, line 2, column 7`,
    ]);
    expect((await readdir(folder)).filter((name) => name.startsWith(".cells-"))).toEqual([]);
  });
});

describe("formatCells", () => {
  it("compares with deno fmt under the settings of the folder", async () => {
    const a = await save("a.ipynb", ...good);
    expect(await formatCells([a])).toEqual([]);
    const b = await save(
      "b.ipynb",
      "1;",
      'const x = [1,\n2];\nconsole.log("0123456789", x, x, x, x);',
    );
    expect(await formatCells([b])).toEqual([
      `Not formatted: should be "const x = [1, 2];"\n    at ${b}, cell 2, line 1`,
    ]);
    const c = await save("c.ipynb", "1;\n\n");
    expect(await formatCells([c])).toEqual([
      `Not formatted: should end here\n    at ${c}, cell 1, line 1`,
    ]);
  });

  it("with fix, changes the code cells and nothing else", async () => {
    const path = await save("a.ipynb", "#  Text\n* item", "const x = [1,\n2]", "x;");
    const before = await readFile(path, "utf8");
    expect(await formatCells([path], { fix: true })).toEqual([]);
    const after = await readFile(path, "utf8");
    expect(after).toBe(
      before.replace('"const x = [1,\\n",\n    "2]"', '"const x = [1, 2];"'),
    );
    expect(after).not.toBe(before);
    expect(await formatCells([path])).toEqual([]);
  });
});

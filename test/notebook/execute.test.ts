import { describe, expect, it } from "vitest";
import { executeNotebook, type INotebookContent, isCodeCell } from "../../lib/notebook/mod.ts";
import { notebookOf } from "./fixtures/notebook_of.ts";
import { everyKind } from "./fixtures/every_kind.ts";

function outputsOf(notebook: INotebookContent) {
  return notebook.cells.filter(isCodeCell).map((cell) => cell.outputs);
}

/** An output without what depends on the place of its cell, or on the kernel's own frames. */
function comparable({ traceback: _, execution_count: __, ...output }: Record<string, unknown>) {
  return output;
}

describe("executeNotebook", () => {
  it("loses no output of 1,000 cells of every kind", async () => {
    const halves = [0, 1].map((half) =>
      Array.from({ length: 19 }, (_, round) => everyKind(100 * half + round)).flat()
    );
    expect(halves.flat().length).toBeGreaterThanOrEqual(1000);
    await Promise.all(halves.map(async (cells) => {
      const notebook = notebookOf(cells);
      expect(await executeNotebook(notebook)).toBeUndefined();
      for (const [index, outputs] of outputsOf(notebook).entries()) {
        const { source, outputs: expected } = cells[index]!;
        expect(outputs.map(comparable), source).toEqual(expected);
      }
    }));
  }, 120_000);

  it("numbers the cells that run and passes over blank ones", async () => {
    const notebook = notebookOf(["1", "", " \n", "// comment", "2"]);
    await executeNotebook(notebook);
    const counts = notebook.cells.map((cell) => cell.execution_count);
    expect(counts).toEqual([1, null, null, 2, 3]);
  });

  it("runs in the notebook's folder and stores what Jupyter needs to open it", async () => {
    const cwd = await Deno.realPath(await Deno.makeTempDir());
    const notebook = notebookOf(["console.log(Deno.cwd())"]);
    await executeNotebook(notebook, { cwd });
    expect(outputsOf(notebook)[0]).toMatchObject([{ text: `${cwd}\n` }]);
    expect(notebook.metadata).toMatchObject({
      kernelspec: { display_name: "Deno", language: "typescript", name: "deno" },
      language_info: { name: "typescript", file_extension: ".ts", mimetype: "text/x.typescript" },
    });
    await Deno.remove(cwd);
  });

  it("stops at a cell that throws and says where, in lines of the cell", async () => {
    const source = "\ninterface A {\n  a: number;\n}\n\nconst a: A = { a: 1 };\nnull!.b;\n";
    const notebook = notebookOf(['console.log("so far")', source, '"never"']);
    const failure = await executeNotebook(notebook);
    expect(failure).toMatchObject({
      cell: 2,
      line: 7,
      source: "null!.b;",
      error: { ename: "TypeError", evalue: "Cannot read properties of null (reading 'b')" },
    });
    const [before, at, after] = outputsOf(notebook);
    expect(before).toMatchObject([{ text: "so far\n" }]);
    expect(at).toMatchObject([{ output_type: "error", ename: "TypeError" }]);
    expect(after).toEqual([]);
    expect(notebook.cells[2]!.execution_count).toBeNull();
  });

  it("counts lines past imports, types, enums and blank lines", async () => {
    const source = [
      'import {\n  join,\n  basename,\n} from "node:path";',
      "type T = string;\n\nenum E {\n  A = 1,\n}\n",
      "await Promise.resolve();\n// a comment\n",
      'throw new Error("here");',
    ].join("\n");
    const failure = await executeNotebook(notebookOf([source]));
    expect(failure?.line).toBe(source.split("\n").length);
  });

  it("says why a cell cannot be parsed, which the kernel does not", async () => {
    const notebook = notebookOf(["const a = 1;\n\nconst b: number = ;"]);
    expect(await executeNotebook(notebook)).toMatchObject({
      cell: 1,
      line: 3,
      source: "const b: number = ;",
      error: { ename: "SyntaxError", evalue: "Expression expected" },
    });
  });

  it("fails on what passes unseen in Jupyter", async () => {
    const unseen = [
      'setTimeout(() => { throw new Error("unseen"); }, 1);\nawait new Promise((r) => setTimeout(r, 20));',
      'Promise.reject(new Error("unseen"));',
      '({ [Symbol.for("Jupyter.display")]() { throw new Error("unseen"); } })',
    ];
    for (const source of unseen) {
      const failure = await executeNotebook(notebookOf([source, "1"]), { timeout: 30 });
      expect(failure, source).toMatchObject({ cell: 1, error: { evalue: "unseen" } });
    }
  });

  it("keeps paths of this machine out of errors", async () => {
    const cwd = await Deno.makeTempDir();
    await Deno.mkdir(`${cwd}/notebooks`);
    await Deno.writeTextFile(
      `${cwd}/lib.ts`,
      'export function f() {\n  throw new Error("f");\n}\n',
    );
    const notebook = notebookOf([
      { source: 'const { f } = await import("../lib.ts");\nf();', tags: ["raises-exception"] },
      { source: 'await import("./none.ts");', tags: ["raises-exception"] },
    ]);
    await executeNotebook(notebook, { cwd: `${cwd}/notebooks` });
    const text = JSON.stringify(outputsOf(notebook));
    expect(text).toContain("(../lib.ts:2:9)");
    expect(text).toContain('Module not found \\"none.ts\\"');
    expect(text).not.toContain(cwd);
    await Deno.remove(cwd, { recursive: true });
  });

  it("kills the kernel of a cell that takes too long, and keeps what it printed", async () => {
    for (const endless of ["for (;;);", "await new Promise(() => {});"]) {
      const before = 'console.log("printed");\nPromise.reject(new Error("first"));\n' +
        "await new Promise((resolve) => setTimeout(resolve, 5));\n";
      const notebook = notebookOf([before + endless, "1"]);
      expect(await executeNotebook(notebook, { timeout: 2 })).toMatchObject({
        cell: 1,
        error: {
          ename: "KernelTimeout",
          evalue: "it took longer than the 2 seconds that a cell may take, after Error: first",
        },
      });
      expect(outputsOf(notebook)).toMatchObject([[{ text: "printed\n" }, { evalue: "first" }], []]);
    }
  });

  it("reports a kernel that dies in a cell", async () => {
    const deaths = {
      'Deno.kill(Deno.pid, "SIGKILL"); for (;;);': "the kernel was killed by SIGKILL",
      "Deno.exit(3)": "the kernel exited with 3",
    };
    for (const [source, evalue] of Object.entries(deaths)) {
      const notebook = notebookOf(["1", `console.log("last words");\n${source}`, "2"]);
      const failure = await executeNotebook(notebook, { timeout: 30 });
      expect(failure).toMatchObject({ cell: 2, error: { ename: "KernelError", evalue } });
    }
  });

  it("stops when its signal is aborted", async () => {
    const stop = new AbortController();
    const running = executeNotebook(notebookOf(["await new Promise(() => {});"]), {
      onCell: () => setTimeout(() => stop.abort(new Error("enough")), 100),
      signal: stop.signal,
    });
    await expect(running).rejects.toThrow("enough");
  });
});

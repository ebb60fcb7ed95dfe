import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  type ICodeCell,
  type INotebookContent,
  readNotebook,
  writeNotebook,
} from "../../lib/notebook/mod.ts";
import { type CellSource, notebookOf } from "./fixtures/notebook_of.ts";
import { canListProcesses, processesWith, until } from "./fixtures/processes.ts";

const project = new URL("../../", import.meta.url).pathname;
const config = `${project}deno.json`;

const hasScript = await new Deno.Command("script", { args: ["-qec", "true", "/dev/null"] })
  .output().then(({ success }) => success, () => false);

/** A folder with `notebooks/` in it, and the temporary folder of what runs there. */
let folder: string;
beforeAll(async () => {
  folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "cli-" }));
  await Deno.mkdir(`${folder}/temporary`);
});
afterAll(() => Deno.remove(folder, { recursive: true }));
beforeEach(async () => {
  await Deno.remove(`${folder}/notebooks`, { recursive: true }).catch(() => {});
  await Deno.mkdir(`${folder}/notebooks`);
});

const file = (name: string) => `${folder}/notebooks/${name}.ipynb`;
const textOf = (name: string) => Deno.readTextFile(file(name));
const save = (name: string, ...cells: CellSource[]) => writeNotebook(file(name), notebookOf(cells));

function codeCell(notebook: INotebookContent, index: number): ICodeCell {
  return notebook.cells[index] as ICodeCell;
}

function command(args: readonly string[]): Deno.Command {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--config", config, `${project}lib/cli/notebooks.ts`, ...args],
    cwd: folder,
    env: { NO_COLOR: "1", TMPDIR: `${folder}/temporary` },
    stdout: "piped",
    stderr: "piped",
  });
}

/** Runs `deno task notebooks` with `args`, in the folder of this test. */
async function notebooks(...args: string[]) {
  const { code, stdout, stderr } = await command(args).output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code, out: out!, err: err!, last: out!.trimEnd().split("\n").at(-1) };
}

describe("deno task notebooks", () => {
  it("executes what is named, and writes the same bytes again", async () => {
    await save("first", "const x = 1;", "console.log(x); x");
    await save("second", 'await Deno.jupyter.display({ "text/plain": "shown" }, { raw: true })');
    await save("other", "1");
    const untouched = await textOf("other");
    const { code, out, last } = await notebooks("first", "notebooks/sec*");
    expect([code, last]).toEqual([0, "2 passed, 0 failed"]);
    expect(out).toMatch(/^ok {3}notebooks\/first\.ipynb: 2 cells, [\d.]+ s$/m);
    expect(await textOf("other")).toBe(untouched);
    expect(codeCell(await readNotebook(file("first")), 1)).toMatchObject({ execution_count: 2 });
    const before = [await textOf("first"), await textOf("second")];
    await notebooks("first", "second", "--jobs", "1");
    expect([await textOf("first"), await textOf("second")]).toEqual(before);
    expect(before.join("")).not.toContain(folder);
  });

  it("reports a failing cell and goes on with the other notebooks", async () => {
    await save("bad", 'console.log("so far");', '\nthrow new Error("boo");', "1");
    await save("good", "1");
    await Deno.writeTextFile(file("broken"), "{");
    const { code, out, err, last } = await notebooks("*", "--jobs", "1");
    expect([code, last]).toEqual([1, "1 passed, 2 failed"]);
    expect(out).toContain("ok   notebooks/good.ipynb");
    expect(err).toContain(
      'FAIL notebooks/bad.ipynb, cell 2, line 2\n  > throw new Error("boo");\n  Error: boo\n',
    );
    expect(err).toContain("Cannot read the notebook notebooks/broken.ipynb: it is not JSON: ");
    expect(await textOf("broken")).toBe("{");
    const bad = await readNotebook(file("bad"));
    expect(codeCell(bad, 0).outputs).toMatchObject([{ text: "so far\n" }]);
    expect(codeCell(bad, 1).outputs).toMatchObject([{ ename: "Error", evalue: "boo" }]);
    expect(codeCell(bad, 2)).toMatchObject({ execution_count: null, outputs: [] });
  });

  it("stops a cell that takes longer than --timeout", async () => {
    await save("slow", "1", "for (;;);");
    const { code, err } = await notebooks("slow", "--timeout", "0.5");
    expect(code).toBe(1);
    expect(err).toContain("FAIL notebooks/slow.ipynb, cell 2\n  KernelTimeout: it took longer");
  });

  it("--check names each stale cell, and writes nothing", async () => {
    await save("notes", "console.log(1)", '"a"', "// comment");
    await save("never", "1");
    await notebooks("notes");
    expect(await notebooks("notes", "--check")).toMatchObject({ code: 0, err: "" });
    const changed = (await textOf("notes")).replace('"1\\n"', '"2\\n"');
    await Deno.writeTextFile(file("notes"), changed);
    const { code, err, last } = await notebooks("notes", "never", "--check");
    expect([code, last]).toEqual([1, "0 passed, 2 failed"]);
    expect(err).toContain('STALE notebooks/notes.ipynb, cell 1\n  was "2\\n"\n  now "1\\n"\n');
    expect(err).toContain(
      'STALE notebooks/never.ipynb, cell 1\n  was "execution_count": null\n  now "execution_count": 1\n',
    );
    expect(err).not.toContain("cell 2");
    expect(await textOf("notes")).toBe(changed);
  });

  it("--param sets parameters in a copy, in --out", async () => {
    const declaration = {
      source: "const bits: number = 3;\nlet method = 1;",
      tags: ["parameters"],
    };
    await save(
      "study",
      declaration,
      'await Deno.readTextFile("here.txt");',
      "[bits, method].join()",
    );
    await Deno.writeTextFile(`${folder}/notebooks/here.txt`, "");
    const before = await textOf("study");
    const args = ["study", "--out", `${folder}/copies/deep`];
    const run = await notebooks(...args, "--param", "bits=4", "--param", "method=gptq");
    expect(run).toMatchObject({ code: 0 });
    const copy = await readNotebook(`${folder}/copies/deep/study.ipynb`);
    expect(codeCell(copy, 1).metadata.tags).toEqual(["injected-parameters"]);
    expect(JSON.stringify(codeCell(copy, 3).outputs)).toContain("4,gptq");
    expect(await textOf("study")).toBe(before);

    expect((await notebooks(...args, "--param", "bit=4")).err).toContain(
      'Cannot set the parameter "bit" in notebooks/study.ipynb: it declares bits, method',
    );
    expect((await notebooks("study", "--param", "bits=4")).err).toContain("without --out");
  });

  it("--strip removes outputs and counts", async () => {
    await save("full", "1", 'console.log("x")');
    const empty = await textOf("full");
    await notebooks("full");
    expect(await textOf("full")).not.toBe(empty);
    expect(await notebooks("full", "--strip")).toMatchObject({ code: 0 });
    const stripped = await readNotebook(file("full"));
    for (const cell of stripped.cells) {
      expect(cell).toMatchObject({ execution_count: null, outputs: [] });
    }
  });

  it("says which notebooks there are, nearest first", async () => {
    for (const name of ["token-law", "size-law", "figures"]) await save(name);
    const { code, err } = await notebooks("token-lav");
    expect(code).toBe(1);
    expect(err).toBe(
      'Cannot find the notebook "token-lav": there are, nearest first,\n' +
        "  token-law\n  size-law\n  figures\n",
    );
  });

  it("refuses options that make no sense before any work", async () => {
    await save("one", "1");
    const wrong = [["--jobs", "0"], ["--timeout", "soon"], ["--check", "--strip"], ["--parm"]];
    for (const args of wrong) {
      const { code, err, out } = await notebooks("one", ...args);
      expect([code, out], args.join(" ")).toEqual([1, ""]);
      expect(err).toMatch(/^error: /);
    }
  });

  it.skipIf(!hasScript)("draws a live line a notebook on a terminal (needs script)", async () => {
    await save("slow", "1", "await new Promise((r) => setTimeout(r, 700));");
    const line = `stty rows 30 cols 100; "${Deno.execPath()}" run -A --config "${config}" ` +
      `"${project}lib/cli/notebooks.ts" slow`;
    const { stdout } = await new Deno.Command("script", {
      args: ["-qec", line, "/dev/null"],
      cwd: folder,
      stdin: "null",
    }).output();
    const out = new TextDecoder().decode(stdout);
    expect(out).toContain(".... notebooks/slow.ipynb: cell 1 of 2, 0.0 s");
    expect(out).toMatch(/\.\.\.\. notebooks\/slow\.ipynb: cell 2 of 2, \d+\.\d s/);
    expect(out).toMatch(/ok {3}notebooks\/slow\.ipynb: 2 cells[^]*1 passed, 0 failed\s*$/);
  });

  it.skipIf(!canListProcesses).each([["SIGINT", 130], ["SIGTERM", 143], ["SIGKILL", 137]] as const)(
    "leaves no kernel and no change behind when %s ends it",
    async (signal, expected) => {
      await save("endless", 'console.log("started");', "for (;;);");
      const before = await textOf("endless");
      const child = command(["endless"]).spawn();
      const kernels = () => processesWith(`${folder}/temporary/`);
      await until(async () => (await kernels()).some((line) => line.includes("--kernel")));
      await new Promise((resolve) => setTimeout(resolve, 500));
      child.kill(signal);
      expect((await child.output()).code).toBe(expected);
      await until(async () => (await kernels()).length === 0);
      expect(await textOf("endless")).toBe(before);
      await until(() => [...Deno.readDirSync(`${folder}/temporary`)].length === 0);
    },
  );
});

describe("deno task kernel", () => {
  it("registers this Deno and says where", async () => {
    const { stdout: info } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"] })
      .output();
    const { denoDir } = JSON.parse(new TextDecoder().decode(info));
    const home = `${folder}/home`;
    const { code, stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--config", config, `${project}lib/cli/kernel.ts`],
      env: { HOME: home, DENO_DIR: denoDir, JUPYTER_DATA_DIR: "" },
    }).output();
    const out = new TextDecoder().decode(stdout);
    const [, place] = out.match(/^Registered the kernel "Deno" in (.*)$/m) ?? [];
    expect(code).toBe(0);
    expect(out).toContain("jupyter lab notebooks/");
    const spec = JSON.parse(await Deno.readTextFile(`${place}/kernel.json`));
    expect(place!.startsWith(home)).toBe(true);
    expect(spec).toMatchObject({ display_name: "Deno", language: "typescript" });
    expect(spec.argv).toEqual(
      [expect.any(String), "jupyter", "--kernel", "--conn", "{connection_file}"],
    );
    expect(out).toContain(`It runs ${spec.argv[0]}`);
  });
});

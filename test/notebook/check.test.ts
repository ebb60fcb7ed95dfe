import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

/** A small project in which every step has something to find. */
const example = (sum: number) =>
  `/**
 * One and one.
 *
 * \`\`\`ts
 * import { sum } from "./mod.ts";
 *
 * if (sum !== ${sum}) throw new Error("wrong example");
 * \`\`\`
 */
export const sum = 2;
`;
const files = {
  "deno.json": JSON.stringify({ fmt: { exclude: ["**/*.ipynb", "deno.json"] } }),
  ".gitignore": ".cells-*\n",
  "lib/mod.ts": example(2),
  "test/mod.test.ts": 'import { sum } from "../lib/mod.ts";\n\nsum.toFixed();\n',
  "notebooks/a.ipynb": notebook('import { sum } from "../lib/mod.ts";', "sum.toFixed();"),
};

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "check-"));
  for (const name of ["lib", "test", "notebooks"]) await mkdir(join(folder, name));
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
});
afterEach(() => rm(folder, { recursive: true }));

function notebook(...sources: string[]): string {
  const cells = sources.map((source, i) => ({
    cell_type: "code",
    execution_count: null,
    id: `cell${i}`,
    metadata: {},
    outputs: [],
    source: [source],
  }));
  return JSON.stringify({ cells, metadata: {}, nbformat: 4, nbformat_minor: 5 }, null, 1) + "\n";
}

function start(...args: string[]): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", resolve("lib/cli/check.ts"), ...args],
    cwd: folder,
    env: { NO_COLOR: "1" },
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

async function ended(child: Deno.ChildProcess): Promise<{ code: number; text: string }> {
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return { code, text: decoder.decode(stdout) + decoder.decode(stderr) };
}

describe("deno task check", () => {
  it("passes a good project", async () => {
    const { code, text } = await ended(start());
    expect(text).toContain("✓ Types of the notebooks' cells");
    expect(text).toMatch(/\n7 passed, 0 failed\n$/);
    expect(code).toBe(0);
  });

  it("names every step that fails, and goes on", async () => {
    await writeFile(join(folder, "lib/mod.ts"), example(3).replace("sum = 2", 'sum="2"'));
    await writeFile(join(folder, "lib/bad.ts"), "export let bad = 1;\n");
    await writeFile(
      join(folder, "notebooks/a.ipynb"),
      notebook('import { sum } from "../lib/mod.ts"', "var x = sum.toFixed();"),
    );
    const { code, text } = await ended(start());
    expect(text).toMatch(/✗ Types of the code\n[^]*test\/mod\.test\.ts:3:5/);
    expect(text).toMatch(/✗ Examples in doc comments\n[^]*wrong example/);
    expect(text).toMatch(/✗ Lint of the code\n[^]*prefer-const/);
    expect(text).toMatch(/✗ Format of the code\n[^]*mod\.ts/);
    expect(text).toMatch(/at notebooks\/a\.ipynb, cell 2, line 1, column 13/);
    expect(text).toMatch(/✗ Lint of the notebooks' cells\n\n +no-var/);
    expect(text).toMatch(
      /should be "import { sum } from \\"..\/lib\/mod.ts\\";"\n.* cell 1, line 1/,
    );
    expect(text).toMatch(/\n0 passed, 7 failed\n$/);
    expect(code).toBe(1);
  });

  it("with --fix, writes code and cells in the right format", async () => {
    await writeFile(join(folder, "lib/mod.ts"), example(2).replace("sum = 2", "sum=2"));
    await writeFile(join(folder, "notebooks/a.ipynb"), notebook("const x = [1,\n2]\nx"));
    const { text } = await ended(start("--fix"));
    expect(text).toMatch(/\n7 passed, 0 failed\n$/);
    expect(await readFile(join(folder, "lib/mod.ts"), "utf8")).toBe(example(2));
    const cells = JSON.parse(await readFile(join(folder, "notebooks/a.ipynb"), "utf8")).cells;
    expect(cells[0].source.join("")).toBe("const x = [1, 2];\nx;");
  });

  it.each([["SIGINT", 130], ["SIGTERM", 143]] as const)(
    "removes what it wrote beside the notebooks on %s",
    async (signal, expected) => {
      const child = start();
      let running = true;
      const end = ended(child).finally(() => running = false);
      const written = async () =>
        (await readdir(join(folder, "notebooks"))).filter((name) => name.startsWith(".cells-"));
      while (running && (await written()).length === 0) {
        await new Promise((done) => setTimeout(done, 5));
      }
      child.kill(signal);
      expect((await end).code).toBe(expected);
      expect(await written()).toEqual([]);
    },
  );

  it("explains itself and refuses what it does not know", async () => {
    const help = await ended(start("--help"));
    expect(help.text).toContain("Example:\n  deno task check --fix");
    const wrong = await ended(start("--fxi"));
    expect(wrong.text).toContain("unknown option '--fxi'");
    expect(wrong.code).toBe(1);
  });
});

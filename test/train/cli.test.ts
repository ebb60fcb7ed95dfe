import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, it } from "vitest";
import { suite } from "../../lib/train/mod.ts";

const scratch = mkdtempSync(join(tmpdir(), "train-cli-"));
afterAll(() => rmSync(scratch, { recursive: true }));

async function run(task: string, args: string[], env: Record<string, string> = {}) {
  const cwd = fileURLToPath(new URL("../../", import.meta.url));
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", `lib/cli/${task}.ts`, ...args],
    cwd,
    env: { NO_COLOR: "1", ...env },
  });
  const { code, stdout, stderr } = await command.output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), errors: decoder.decode(stderr) };
}

it("builds a corpus of one's own texts, trains on it, and goes on when it is asked again", async () => {
  const book = join(scratch, "book.txt");
  const sentences = Array.from({ length: 2000 }, (_, i) => `This is line ${i} of the book.\n\n`);
  writeFileSync(book, sentences.join(""));
  const [corpus, out] = [join(scratch, "corpus"), join(scratch, "runs")];
  const recipe = join(scratch, "recipe.json");
  const empty = { extraction: 1, chunkBytes: 999, heldOut: 0.1, train: [], outOfDomain: [] };
  writeFileSync(recipe, JSON.stringify(empty));
  const built = await run("corpus", ["--text", book, "--recipe", recipe, "--out", corpus]);
  expect(built.errors).toBe("");
  expect(built.out).toMatch(/1\/1 book\.txt .*MB\n[^]*train\.txt .*sha256 [0-9a-f]{64}/);
  const flags = [
    "--width",
    "32",
    "--depth",
    "1",
    "--tokens",
    "32K",
    "--corpus",
    corpus,
    "--out",
    out,
  ];
  const trained = await run("train", flags);
  expect(trained.errors).toBe("");
  expect(trained.out).toMatch(
    /w32-d1-s0-32k .* tokens\/s .*\nw32-d1-s0-32k +finished: after \d+ s, loss \d\.\d+/,
  );
  expect(readdirSync(join(out, "w32-d1-s0-32k")).sort()).toEqual([
    ".lock",
    "log.csv",
    "run.json",
    "step8",
  ]);
  const again = await run("train", flags);
  expect(again).toMatchObject({ code: 0, out: expect.stringContaining("1 of 1 runs finished") });
});

it("lists the runs and how far they are", async () => {
  const folder = join(scratch, "listed");
  const [first, second] = suite;
  for (const run of [first!, second!]) {
    mkdirSync(join(folder, run.name), { recursive: true });
    const record = { run, finished: run === first };
    writeFileSync(join(folder, run.name, "run.json"), JSON.stringify(record));
  }
  const { out } = await run("train", ["--list", "--out", folder]);
  const lines = out.trim().split("\n");
  expect(lines.map((line) => line.split(" ")[0])).toEqual(suite.map(({ name }) => name));
  expect(lines[0]).toMatch(/^w32-d3-s0 +N +38K +D 67\.1M .* done$/);
  expect(lines[1]).toMatch(/checkpoints$/);
});

it("names what is wrong on stderr, and what to do", async () => {
  const refused = async (args: string[], reason: string) => {
    const { code, errors } = await run("train", args);
    expect(code).toBe(1);
    expect(errors).toContain(reason);
  };
  await refused(["w64-d3-s9"], "did you mean w64-d3-s0?");
  await refused([], 'Give names of runs, "suite", --width or --list');
  await refused(["--width", "33"], "--width needs a multiple of 32, the width of a head: got 33");
  const nowhere = join(scratch, "nowhere");
  const lost = await run("train", ["w32-d3-s0", "--corpus", nowhere, "--out", nowhere]);
  expect(lost.errors).toBe("");
  expect(lost.code).toBe(1);
  expect(lost.out).toContain("build it with: deno task corpus");
});

it("says what is left out where there is no apt-get", async () => {
  const bin = join(scratch, "bin");
  mkdirSync(bin);
  const recipe = JSON.parse(
    readFileSync(new URL("../../data/suite/recipe.json", import.meta.url), "utf8"),
  );
  const debian = recipe.train.filter(({ name }: { name: string }) => name === "dict-devil");
  const path = join(scratch, "debian.json");
  writeFileSync(path, JSON.stringify({ ...recipe, train: debian, outOfDomain: [] }));
  const out = join(scratch, "no-apt");
  // The only folder of programs is an empty one.
  const { code, out: text, errors } = await run("corpus", ["--recipe", path, "--out", out], {
    PATH: [bin].join(delimiter),
  });
  expect(code).toBe(1);
  expect(text).toContain("dict-devil");
  expect(text).toContain("left out: a Debian package, and there is no apt-get on this machine");
  expect(errors).toContain("none of its packages could be had");
});

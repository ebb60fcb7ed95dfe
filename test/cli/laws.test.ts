import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import pl from "nodejs-polars";
import { afterAll, describe, expect, it, vi } from "vitest";

vi.setConfig({ testTimeout: 120_000 });
const scratch = mkdtempSync(join(tmpdir(), "laws-"));
afterAll(() => rmSync(scratch, { recursive: true }));

function task(name: string, ...args: string[]) {
  const cli = fileURLToPath(new URL(`../../lib/cli/${name}.ts`, import.meta.url));
  const env = { ...Deno.env.toObject(), NO_COLOR: "1" };
  const { status, stdout, stderr } = spawnSync(Deno.execPath(), [
    "run",
    "-A",
    "--quiet",
    cli,
    ...args,
  ], {
    ...{ cwd: scratch, env, encoding: "utf8" },
  });
  return { status, stdout, stderr };
}

/** QiD by Eq. 8 with round constants, and a little beside it. */
function qidOf(size: number, tokens: number, bits: number, row = 0): number {
  return 0.02 * tokens ** 0.5 / (size ** 0.25 * bits ** 5) * (1 + 0.01 * Math.sin(row * row));
}

function writeTable(name: string, sizes: readonly number[], methods: readonly string[]): string {
  let row = 0;
  const rows = methods.flatMap((method) =>
    ["near", "far"].flatMap((test_set) =>
      sizes.flatMap((size) =>
        [1e9, 4e9, 1.6e10, 6.4e10].flatMap((tokens) =>
          [2, 3, 4, 8].map((bits) => ({
            ...{ model: `m${size}`, size, tokens, bits, test_set },
            method: method.replace("BITS", `${bits}`),
            qid: qidOf(size, tokens, bits, ++row) * (test_set === "near" ? 2 : 1),
            provenance: "measured",
          }))
        )
      )
    )
  );
  const empty = { ...rows[0]!, test_set: "far", qid: null };
  pl.DataFrame([...rows, empty]).writeParquet(join(scratch, name));
  return name;
}

const sizes = [1e7, 3e7, 1e8, 3e8, 1e9];

describe("deno task fit", () => {
  it("finds the law of a table, with intervals, a figure and a JSON result", () => {
    const table = writeTable("own.parquet", sizes, ["gptq:bits=BITS,group=32", "nf4"]);
    const { status, stdout, stderr } = task("fit", table, "--law", "unified", "--test", "far");
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toContain("method: gptq:group=32 (there are also nf4)");
    expect(stdout).toContain("text: far (there are also near)");
    expect(stdout).toContain("1 row left out: no qid");
    expect(stdout).toContain("other bits than 2, 3, 4");
    expect(stdout).toContain("whole models are drawn again (5 of them)");
    const result = JSON.parse(readFileSync(join(scratch, "own-unified.json"), "utf8"));
    expect(result.rows).toBe(5 * 4 * 3);
    const truth = { tokenExponent: 0.5, sizeExponent: 0.25, bitExponent: 5 };
    for (const [name, value] of Object.entries(truth)) {
      expect(Math.abs(result.parameters[name] - value)).toBeLessThan(0.03);
      const [low, high] = result.intervals[name];
      expect(low).toBeLessThan(result.parameters[name]);
      expect(high).toBeGreaterThan(result.parameters[name]);
    }
    expect(result.ranges.tokens).toEqual([1e9, 6.4e10]);
    const svg = readFileSync(join(scratch, "own-unified.svg"), "utf8");
    expect(svg).toContain("fitted to 60 rows of own");
    expect(svg).toContain("measured");
    // The same table gives the same bytes.
    task("fit", table, "--law", "unified", "--test", "far", "--out", "again");
    expect(readFileSync(join(scratch, "again.svg"), "utf8")).toBe(svg);
  });

  it("reads CSV, and holds the exponent of what does not vary", () => {
    const rows = [1e9, 2e9, 4e9, 8e9, 1.6e10].flatMap((tokens) =>
      [2, 3, 4].map((bits) =>
        [1e8, tokens, bits, qidOf(1e8, tokens, bits, tokens / 1e9 + bits)].join()
      )
    );
    writeFileSync(join(scratch, "one.csv"), ["size,tokens,bits,qid", ...rows].join("\n"));
    const { status, stdout } = task("fit", "one.csv", "--law", "unified");
    expect(status).toBe(0);
    expect(stdout).toContain(
      "sizeExponent is held at the published 0.2261: the rows hold one size",
    );
    const { parameters } = JSON.parse(readFileSync(join(scratch, "one-unified.json"), "utf8"));
    expect(Object.keys(parameters)).toEqual(["scale", "tokenExponent", "bitExponent"]);
    expect(Math.abs(parameters.bitExponent - 5)).toBeLessThan(0.05);
  });

  it.each([
    [["none.parquet"], "No table none.parquet"],
    [
      ["several.parquet"],
      "several methods: give --method with one of gptq:group=32, gptq:group=64",
    ],
    [["several.parquet", "--method", "awq"], "no rows of awq: give --method with one of"],
    [
      ["several.parquet", "--method", "gptq:group=32", "--test", "x"],
      "give --test with one of far, near",
    ],
    [
      ["short.csv"],
      "it needs the columns tokens, size, bits, qid: got size,qid".replace(",qid", ", qid"),
    ],
    [["own.txt"], "No table own.txt"],
  ])("says what is wrong: %j", (args, message) => {
    if (!existsSync(join(scratch, "several.parquet"))) {
      writeTable("several.parquet", sizes, ["gptq:bits=BITS,group=32", "gptq:bits=BITS,group=64"]);
      writeFileSync(join(scratch, "short.csv"), "size,qid\n1,2\n");
    }
    const { status, stderr } = task("fit", ...args);
    expect(status).toBe(1);
    expect(stderr).toContain(message);
  });
});

describe("deno task predict", () => {
  it("answers from the published law and from our own, and says what lies outside the data", () => {
    const table = writeTable("suite.parquet", sizes, ["gptq:bits=BITS,group=32"]);
    const question = ["--n", "7e9", "--d", "15e12", "--bits", "3,4"];
    const { status, stdout, stderr } = task(
      "predict",
      ...question,
      "--table",
      table,
      "--test",
      "far",
    );
    expect([status, stderr]).toEqual([0, ""]);
    const value = (title: string, bits: number) => {
      const block = stdout.split("\n\n").find((text) => text.startsWith(title))!;
      return new RegExp(`${bits} bits: (\\S+)  \\((\\S+) to (\\S+)\\)`).exec(block)!.slice(1).map(
        Number,
      );
    };
    const published = 0.017 * 15e12 ** 0.5251 / (7e9 ** 0.2261 * 3 ** 5.4967);
    const [answer, low, high] = value("Published unified law", 3);
    expect(answer).toBeCloseTo(published, 2);
    expect(low).toBeLessThan(published);
    expect(high).toBeGreaterThan(published);
    const own = value("Our unified fit to suite.parquet", 4);
    expect(Math.abs(own[0]! / qidOf(7e9, 15e12, 4) - 1)).toBeLessThan(0.15);
    expect(stdout).toContain(
      "OUTSIDE THE DATA: N = 7B is 7.00 times above the largest, 1B; D = 15T",
    );
    const inside = task("predict", "--n", "1e9", "--d", "1e11", "--bits", "3");
    expect(inside.stdout).toContain("The question lies within the data.");
  });

  it.each([
    [["--n", "0", "--d", "1e9"], "needs a number above 0"],
    [["--d", "1e9"], "required option '--n <parameters>'"],
    [["--n", "1e9", "--d", "1e9", "--bits", "two"], "needs numbers above 0"],
    [["--n", "1e9", "--d", "1e9", "--table", "none.csv"], "No table none.csv"],
  ])("says what is wrong: %j", (args, message) => {
    const { status, stderr } = task("predict", ...args);
    expect(status).toBe(1);
    expect(stderr).toContain(message);
  });
});

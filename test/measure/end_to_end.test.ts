// From a text to a law: trains, quantizes, measures and fits, with the project's own commands.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import pl from "nodejs-polars";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadKernel } from "../../lib/compute/mod.ts";
import { findLaw, fit } from "../../lib/laws/mod.ts";
import type { MeasuredRow } from "../../lib/measure/mod.ts";
import { suiteRun, train } from "../../lib/train/mod.ts";
import { textOf } from "./tiny.ts";

const scratch = mkdtempSync(join(tmpdir(), "end-to-end-"));
afterAll(() => rmSync(scratch, { recursive: true }));

const corpus = join(scratch, "corpus");
const suite = join(scratch, "suite");
const out = join(scratch, "qid.parquet");

/** Runs `deno task measure`. */
function measure(...args: string[]) {
  const cli = fileURLToPath(new URL("../../lib/cli/measure.ts", import.meta.url));
  const env = { ...Deno.env.toObject(), NO_COLOR: "1" };
  const { status, stdout, stderr } = spawnSync(Deno.execPath(), ["run", "-A", cli, ...args], {
    ...{ cwd: scratch, env, encoding: "utf8" },
  });
  return { status, stdout, stderr };
}

const flags = [
  ...["--corpus", corpus, "--length", "64", "--sequences", "64"],
  ...["--calibration-sequences", "32", "--plan", join(scratch, "plan.json")],
];

beforeAll(async () => {
  mkdirSync(corpus);
  const bytes = textOf(2 ** 18);
  writeFileSync(join(corpus, "train.txt"), bytes);
  writeFileSync(join(corpus, "out_of_domain.txt"), textOf(2 ** 14, 2));
  // The in-domain text continues the language of the training text.
  writeFileSync(join(corpus, "in_domain.txt"), textOf(2 ** 18 + 2 ** 14).subarray(2 ** 18));
  for (const depth of [1, 2]) {
    const run = suiteRun({ width: 32, depth });
    const steps = 240;
    await train({
      ...run,
      ...{ context: 64, sequences: 16, steps, checkpoints: [15, 30, 60, 120, steps] },
      ...{ schedule: { kind: "constant", warmUp: 5 }, learningRate: 0.006 },
    }, { text: { bytes, sha256: "made for this test" }, folder: suite, kernel: loadKernel() });
  }
});

describe("a study from a text to a law", () => {
  it("trains, quantizes, measures and fits", () => {
    const methods = ["--method", "gptq:paper,group=32,bits=2,3", "rtn:paper,group=32,bits=2,3"];
    const { status, stdout, stderr } = measure(
      "--suite",
      suite,
      ...methods,
      ...flags,
      "--out",
      out,
    );
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toContain("40 of 40 items are done");
    expect(stdout).toContain(`${out}: 80 rows, of which 0 have an error instead of a result`);

    const frame = pl.readParquet(out);
    const rows = frame.toRecords() as unknown as MeasuredRow[];
    const size = (depth: number) => depth * (12 * 32 * 32 + 13 * 32) + 2 * 32;
    expect(new Set(rows.map((row) => row.size))).toEqual(new Set([size(1), size(2)]));
    expect(new Set(rows.map((row) => row.tokens))).toEqual(
      new Set([15, 30, 60, 120, 240].map((step) => step * 16 * 64)),
    );
    // Training pays, on both texts.
    const lossOf = (model: string, revision: string) =>
      rows.find((row) => row.model === model && row.revision === revision)!.loss16!;
    expect(lossOf("w32-d1-s0", "step240")).toBeLessThan(lossOf("w32-d1-s0", "step15") - 0.3);
    // Two bits cost more than three, GPTQ less than rounding, and the more tokens the more they cost.
    const last = (name: string, bits: number) =>
      rows.filter((row) => {
        const { method_name, revision, test_set } = row;
        return method_name === name && row.bits === bits && revision === "step240" &&
          test_set === "in_domain" && row.model === "w32-d2-s0";
      })[0]!.qid!;
    expect(last("gptq", 2)).toBeGreaterThan(last("gptq", 3));
    expect(last("rtn", 2)).toBeGreaterThan(last("gptq", 2));
    const used = frame.filter(
      pl.col("method_name").eq(pl.lit("rtn")).and(pl.col("test_set").eq(pl.lit("in_domain")))
        .and(pl.col("qid").gt(0)),
    );
    const law = fit(findLaw("bits"), used);
    expect(law.usable).toBe(true);
    expect(law.parameters.bitExponent).toBeGreaterThan(0);
    const token = fit(findLaw("token"), used.filter(pl.col("bits").eq(pl.lit(2))));
    expect(token.parameters.tokenExponent).toBeGreaterThan(0);
  });

  it("is listed, and gives the same table again without measuring", () => {
    const before = readFileSync(out);
    const listed = measure("--resume", "--list", ...flags);
    expect(listed.stdout).toContain("w32-d2-s0");
    expect(listed.stdout).toMatch(/step240 +4\/4 +N 25K +D 246K/);
    expect(measure("--resume", ...flags, "--out", out).status).toBe(0);
    expect(readFileSync(out)).toEqual(before);
  });

  it.each([
    [[], "Give --suite, --model NAME or FOLDER... or --resume"],
    [["--suite", "--resume"], "Give one of --suite, --model and --resume"],
    [["--suite", "nowhere"], "No suite in nowhere: train it with: deno task train suite"],
    [["--suite", suite, "--method", "gptk"], 'did you mean "gptq"'],
    [["--suite", suite, "--test", "in.txt"], "Cannot read the text in.txt: needs text:FILE"],
    [["--suite", suite, "--sequences", "many"], "needs a whole number"],
    [["--suite", suite, "--corpus", "none"], "build it with: deno task corpus"],
  ])("says what is wrong: %j", (args, message) => {
    const plan = join(scratch, "other.json");
    const { status, stderr } = measure("--corpus", corpus, "--plan", plan, ...args);
    expect(status).toBe(1);
    expect(stderr).toContain(message);
  });
});

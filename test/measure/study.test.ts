import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import pl from "nodejs-polars";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  gather,
  makePlan,
  type MeasuredRow,
  partsFolder,
  type PlanOptions,
  quantizeModel,
  readPlan,
  readSequences,
  runStudy,
  stateOf,
  writePlan,
} from "../../lib/measure/mod.ts";
import { textOf, tinyModel, writeTexts, writeTiny } from "./tiny.ts";

const scratch = mkdtempSync(join(tmpdir(), "study-"));
afterAll(() => rmSync(scratch, { recursive: true }));

const methods = ["rtn:group=16,bits=2,3,4", "gptq:group=16,bits=2,3", "awq:group=16,bits=3", "nf4"];
const codeVersion = "0123abc";
let texts: ReturnType<typeof writeTexts>;
let checkpoints: string[];

beforeAll(() => {
  texts = writeTexts(scratch);
  checkpoints = [1, 2, 3].map((step) => {
    const notes = { run: "tiny", step: `${step}`, tokens: `${100 * step}`, seed: "4" };
    return writeTiny(join(scratch, "run", `step${step}`), step, notes);
  });
});

function plan(name: string, folders = checkpoints, changes: Partial<PlanOptions> = {}): string {
  const path = join(scratch, name, "plan.json");
  writePlan(path, makePlan(folders, { methods, ...texts, ...changes }));
  return path;
}

function study(path: string, workers = 1) {
  return runStudy(path, { workers, backend: "wasm", codeVersion });
}

function gathered(path: string): { bytes: Uint8Array; rows: MeasuredRow[] } {
  const out = path.replace("plan.json", "out.parquet");
  gather(path, out);
  const rows = pl.readParquet(out).toRecords() as unknown as MeasuredRow[];
  return { bytes: new Uint8Array(readFileSync(out)), rows };
}

/** A process that measures a share, and the items that it told of. */
function startShare(path: string, told: string[], onItem = (_: ChildProcess) => {}) {
  const worker = fileURLToPath(new URL("../../lib/measure/worker.ts", import.meta.url));
  const task = JSON.stringify({ plan: path, backend: "wasm", codeVersion });
  const child = spawn(Deno.execPath(), ["run", "-A", "--quiet", worker, task]);
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => errors += text);
  createInterface({ input: child.stdout }).on("line", (line) => {
    told.push(JSON.parse(line).id);
    onItem(child);
  });
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  return { child, ended: ended.then((code) => ({ code, errors })) };
}

describe("a study", () => {
  let whole: ReturnType<typeof gathered>;

  beforeAll(async () => {
    const path = plan("whole");
    expect(await study(path)).toBe(0);
    whole = gathered(path);
  });

  it("has a row for each checkpoint, method and text", async () => {
    const { rows } = whole;
    expect(rows).toHaveLength(3 * 7 * 2);
    expect(new Set(rows.map((row) => [row.revision, row.method, row.test_set].join())).size).toBe(
      42,
    );
    const row = rows.find(({ revision, method, test_set }) =>
      revision === "step2" && method === "rtn:bits=2,group=16" && test_set === "far"
    )!;
    const { model } = tinyModel(2);
    const { tokens } = readSequences(texts.tests[1]!);
    const before = model.loss(tokens, { length: 32 });
    const { source } = await quantizeModel(tinyModel(2), row.method, {
      kernel: tinyModel(2).kernel,
    });
    for (const { name, offset } of model.layout) {
      model.parameters.set((await source.tensor(name)).data, offset);
    }
    const after = model.loss(tokens, { length: 32 });
    const differences = Array.from(after, (value, i) => value - before[i]!);
    const qid = differences.reduce((sum, value) => sum + value) / 4;
    const squares = differences.reduce((sum, value) => sum + (value - qid) ** 2, 0);
    expect(row.qid).toBeCloseTo(qid, 6);
    expect(row.qid_se).toBeCloseTo(Math.sqrt(squares / 3 / 4), 6);
    expect(row.loss_quantized! - row.loss16!).toBeCloseTo(row.qid!, 12);
    expect(row).toMatchObject({
      ...{ model: "tiny", family: "gpt_neox", size: 2 * (12 * 32 * 32 + 13 * 32) + 64 },
      ...{ tokens: 200, revision: "step2", seed: 4, method_name: "rtn", bits: 2, group: 16 },
      ...{ sequence_length: 32, sequences: 4, calibration_set: null, error: null },
      ...{ code_version: codeVersion, provenance: "measured" },
      bits_per_weight: 2 + (16 + 2) / 16,
    });
    const calibrated = rows.filter(({ calibration_set }) => calibration_set === "train");
    expect(new Set(calibrated.map(({ method_name }) => method_name))).toEqual(
      new Set(["gptq", "awq"]),
    );
    expect(calibrated.every((row) => row.calibration_sequences === 5 && row.calibration_seed === 7))
      .toBe(true);
  });

  it("killed at random moments gives the same table, and does no item twice", async () => {
    const path = plan("killed");
    const told: string[] = [];
    let kills = 0;
    while (true) {
      let due = 1 + Math.floor(2 * Math.random());
      const { ended } = startShare(path, told, (child) => {
        // Somewhere within the next item.
        if (--due === 0 && kills < 4) setTimeout(() => child.kill("SIGKILL"), 20 * Math.random());
      });
      const { code, errors } = await ended;
      expect(errors).toBe("");
      if (code === 0) break;
      kills++;
    }
    expect(kills).toBeGreaterThanOrEqual(2);
    expect(new Set(told).size).toBe(told.length);
    expect(gathered(path).bytes).toEqual(whole.bytes);
    const left = readdirSync(partsFolder(path)).filter((name) => name.includes("partial"));
    expect(left).toEqual([]);
  });

  it("is shared by two processes without an item done twice", async () => {
    const path = plan("shared");
    const shares = [[], []] as string[][];
    const ended = await Promise.all(shares.map((told) => startShare(path, told).ended));
    expect(ended.map(({ errors, code }) => [errors, code])).toEqual([["", 0], ["", 0]]);
    const told = shares.flat();
    expect(told).toHaveLength(21);
    expect(new Set(told).size).toBe(21);
    expect(gathered(path).bytes).toEqual(whole.bytes);
  });

  it("goes on when a checkpoint is bad or changes: rows with the error, and no path", async () => {
    const bad = writeTiny(join(scratch, "bad", "step9"), 5);
    const file = join(bad, "model.safetensors");
    writeFileSync(file, readFileSync(file).subarray(0, 5000));
    const changed = writeTiny(join(scratch, "changed", "step1"), 6);
    const path = plan("with_bad", [bad, changed, checkpoints[0]!], { methods: ["nf4", "fp4"] });
    writeTiny(changed, 7);
    expect(await study(path)).toBe(0);
    const { rows } = gathered(path);
    expect(rows).toHaveLength(12);
    const of = (model: string) => rows.filter((row) => row.model === model);
    for (const row of of("bad")) {
      expect(row).toMatchObject({ revision: "step9", qid: null, weights_sha256: null, bits: 4 });
      expect(row.error).toContain("Cannot read bad/step9/model.safetensors");
    }
    for (const row of of("changed")) expect(row.error).toContain("The weights have changed since");
    for (const row of of("tiny")) {
      expect(row).toMatchObject({ error: null, provenance: "measured" });
    }
    expect(JSON.stringify(rows)).not.toContain(scratch);
  });

  it("keeps what is done when the plan grows, and stops when a text has changed", async () => {
    const path = plan("grown", checkpoints.slice(0, 1), { methods: ["nf4"] });
    await study(path);
    const part = join(partsFolder(path), `${readPlan(path).items[0]!.id}.parquet`);
    const before = readFileSync(part);
    plan("grown", checkpoints.slice(0, 2), { methods: ["fp4", "nf4"] });
    const { done, open } = stateOf(path, readPlan(path));
    expect([done.length, open.length]).toEqual([1, 3]);
    expect(readFileSync(part)).toEqual(before);
    const { file } = texts.tests[0]!;
    const text = readFileSync(file);
    try {
      writeFileSync(file, textOf(4000, 99));
      await expect(study(path)).rejects.toThrow(`${file} has changed since it was planned`);
    } finally {
      writeFileSync(file, text);
    }
    expect(await study(path)).toBe(0);
    expect(existsSync(part)).toBe(true);
  });
});

describe("a plan", () => {
  it("is the same each time, with an id an item", () => {
    const make = () => makePlan(checkpoints, { methods, ...texts });
    expect(make()).toEqual(make());
    const ids = make().items.map(({ id }) => id);
    expect(new Set(ids).size).toBe(21);
    // Another text, other sequences and other weights are other items.
    const others = [
      makePlan(checkpoints, { methods, tests: texts.tests.slice(0, 1) }),
      makePlan(checkpoints, { methods, ...texts, calibration: { ...texts.calibration, seed: 8 } }),
    ];
    for (const { items } of others) expect(items.some(({ id }) => ids.includes(id))).toBe(false);
  });

  it("stops at equal weights with both names", () => {
    const copy = writeTiny(join(scratch, "run", "step77"), 1, { run: "tiny", step: "77" });
    const folders = [...checkpoints, copy];
    expect(() => makePlan(folders, { methods, ...texts })).toThrow(
      "tiny: step1 and step77 have the same weights",
    );
    expect(makePlan(folders, { methods, ...texts, allowEqual: true }).checkpoints).toHaveLength(4);
  });

  it("refuses what is missing or given twice", () => {
    expect(() => makePlan([], { methods, ...texts })).toThrow("got 0, 7 and 2");
    expect(() => makePlan(checkpoints, { methods, tests: [texts.tests[0]!, texts.tests[0]!] }))
      .toThrow(
        "the test text near is given twice",
      );
    expect(() => makePlan([checkpoints[0]!, checkpoints[0]!], { methods, ...texts })).toThrow(
      "the checkpoint tiny step1 is given twice",
    );
    expect(() => readPlan(join(scratch, "none.json"))).toThrow("Cannot read the plan");
  });
});

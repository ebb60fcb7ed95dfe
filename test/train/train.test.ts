import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { SafetensorsFile } from "../../lib/checkpoint/mod.ts";
import { loadKernel } from "../../lib/compute/mod.ts";
import { createModel, readConfig } from "../../lib/model/mod.ts";
import {
  Batches,
  checkpointFolder,
  progressOf,
  readRecord,
  type Run,
  train,
  type TrainOptions,
} from "../../lib/train/mod.ts";
import { filesOf, tinyRun, tinyText } from "./tiny.ts";

const scratch = mkdtempSync(join(tmpdir(), "train-"));
afterAll(() => rmSync(scratch, { recursive: true }));
const kernel = loadKernel();
const text = tinyText();

function folderFor(name: string): string {
  return mkdtempSync(join(scratch, `${name}-`));
}

function run(run: Run, folder: string, options: Partial<TrainOptions> = {}): Promise<boolean> {
  return train(run, { text, folder, kernel, ...options });
}

/** Trains some steps of a run, as if it were told to stop after them. */
async function runAndStop(spec: Run, folder: string, steps = 25): Promise<void> {
  let asked = 0;
  const signal = {
    get aborted() {
      return asked++ === steps;
    },
  } as AbortSignal;
  expect(await run(spec, folder, { signal })).toBe(false);
  expect(progressOf(folder, spec)).toEqual({ step: steps, finished: false });
}

function losses(folder: string, name = "tiny"): number[] {
  const rows = readFileSync(join(folder, name, "log.csv"), "utf8").trim().split("\n").slice(1);
  return rows.map((row) => Number(row.split(",")[3]));
}

describe("a run", () => {
  const folder = folderFor("whole");
  const spec = tinyRun({ steps: 400, checkpoints: [20, 400] });

  it("learns the text", async () => {
    expect(await run(spec, folder)).toBe(true);
    const values = losses(folder);
    expect(values).toHaveLength(400);
    expect(values[0]).toBeGreaterThan(5); // about ln 256
    expect(Math.max(...values.slice(-20))).toBeLessThan(1);
  });

  it("leaves checkpoints with names of Hugging Face, whose loss is the logged one", () => {
    const checkpoint = checkpointFolder(join(folder, "tiny"), 20);
    const config = readConfig(JSON.parse(readFileSync(join(checkpoint, "config.json"), "utf8")));
    using file = new SafetensorsFile(join(checkpoint, "model.safetensors"));
    expect([...file.tensors.keys()]).toContain(
      "gpt_neox.layers.0.attention.query_key_value.weight",
    );
    expect(file.metadata).toMatchObject({
      format: "pt",
      step: "20",
      tokens: String(20 * 16 * 8),
      seed: "1",
      corpus_sha256: text.sha256,
    });
    const model = createModel(kernel, config, { weights: (name) => file.floats(name) });
    const batches = new Batches(text.bytes, { context: 16, sequences: 8, seed: 1 });
    const next = model.loss(batches.at(20), { length: 16 });
    const mean = next.reduce((sum, value) => sum + value) / next.length;
    expect(mean).toBeCloseTo(losses(folder)[20]!, 5);
  });

  it("is not trained again when it is finished", async () => {
    const before = filesOf(folder);
    let reports = 0;
    expect(await run(spec, folder, { onProgress: () => reports++ })).toBe(true);
    expect(reports).toBe(0);
    expect(filesOf(folder)).toEqual(before);
    expect(progressOf(folder, spec)).toEqual({ step: 400, finished: true });
    expect(readRecord(join(folder, "tiny"))).toMatchObject({
      run: spec,
      size: 12 * 32 ** 2 + 15 * 32,
    });
  });

  it("has another order of the text and other weights with another seed, and the same with the same", async () => {
    const [same, other] = [folderFor("same"), folderFor("other")];
    await run(spec, same);
    expect(filesOf(same)).toEqual(filesOf(folder));
    await run({ ...spec, seed: 2, steps: 20, checkpoints: [20] }, other);
    expect(losses(other)).not.toEqual(losses(folder).slice(0, 20));
  });

  it("that branches off another's state is that run, bit for bit", async () => {
    const folder = folderFor("branch");
    const steps = 60;
    const wsd = tinyRun({ schedule: { kind: "wsd", warmUp: 5, decayFrom: 40, steps } });
    const stable = tinyRun({
      name: "stable",
      schedule: { kind: "constant", warmUp: 5 },
      branchPoints: [40],
    });
    const branch = { ...wsd, name: "branch", from: { run: "stable", step: 40 }, checkpoints: [60] };
    await run(wsd, folder);
    await expect(run(branch, folder)).rejects.toThrow(/state-step40/);
    await run(stable, folder);
    await run(branch, folder);
    expect(losses(folder, "branch")).toEqual(losses(folder).slice(40));
    const [whole, part] = ["tiny", "branch"].map((name) => {
      using file = new SafetensorsFile(join(folder, name, "step60", "model.safetensors"));
      return [...file.tensors.keys()].map((tensor) => file.floats(tensor));
    });
    expect(part).toEqual(whole);
  });

  it("of BitNet learns too", async () => {
    const folder = folderFor("bitnet");
    await run(tinyRun({ bitLinear: "b1.58", steps: 200, checkpoints: [200] }), folder);
    expect(losses(folder).at(-1)).toBeLessThan(3);
  });
});

describe("a run that goes on", () => {
  it("gives the same bytes as one that was never stopped", async () => {
    const [whole, stopped] = [folderFor("whole"), folderFor("stopped")];
    await run(tinyRun(), whole);
    await runAndStop(tinyRun(), stopped);
    expect(await run(tinyRun(), stopped)).toBe(true);
    expect(filesOf(stopped)).toEqual(filesOf(whole));
  });

  it("refuses a state that was cut, naming it, and keeps what is finished", async () => {
    const folder = folderFor("cut");
    await runAndStop(tinyRun(), folder);
    const state = join(folder, "tiny", "state.safetensors");
    truncateSync(state, 1000);
    await expect(run(tinyRun(), folder)).rejects.toThrow(state);
    rmSync(state);
    expect(await run(tinyRun(), folder)).toBe(true);
  });

  it("refuses other settings, another text, and other code's leftovers it removes", async () => {
    const folder = folderFor("settings");
    await runAndStop(tinyRun(), folder);
    await expect(run(tinyRun({ learningRate: 0.02 }), folder)).rejects.toThrow(
      "it was started with learningRate 0.01: got 0.02",
    );
    await expect(run(tinyRun(), folder, { text: tinyText(4001) })).rejects.toThrow("corpusSha256");
    writeFileSync(join(folder, "tiny", ".state.safetensors.1.partial"), "half");
    await run(tinyRun(), folder);
    expect(readdirSync(join(folder, "tiny")).filter((name) => name.includes("partial"))).toEqual(
      [],
    );
  });
});

describe("a run that cannot be trained", () => {
  const folder = folderFor("wrong");

  it("is refused before any work", async () => {
    const refused = (changes: Partial<Run>, reason: string) =>
      expect(run(tinyRun(changes), folder)).rejects.toThrow(reason);
    await refused({ heads: 3 }, "heads: needs a divisor of 32: got 3");
    await refused({ steps: 0, checkpoints: [] }, "steps: needs a whole number above 0: got 0");
    await refused({ checkpoints: [40, 20] }, "checkpoints: needs steps above 0 to 60");
    await refused({ name: "../x" }, "name: needs a-z");
    await refused({ steps: 9999 }, "needs 1279872 bytes of text, each once");
    expect(readdirSync(folder)).toEqual([]);
  });

  it("says when it diverges, and at which rate", async () => {
    const wild = tinyRun({ learningRate: 1e30 });
    await expect(run(wild, folder)).rejects.toThrow(/tiny .*lower/s);
  });

  it("names the folder that cannot be written", async () => {
    const file = join(folder, "file");
    writeFileSync(file, "");
    await expect(run(tinyRun(), file)).rejects.toThrow(`Cannot write ${join(file, "tiny")}`);
  });
});

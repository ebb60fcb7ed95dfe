// The commands of a researcher: checkpoints of a hub to a table, and the table to a law.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { Buffer } from "node:buffer";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pl from "nodejs-polars";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { openWeights, weightsHash } from "../../lib/checkpoint/mod.ts";
import { loadKernel } from "../../lib/compute/mod.ts";
import { createModel, readConfig } from "../../lib/model/mod.ts";
import { type MeasuredRow, readPlan } from "../../lib/measure/mod.ts";
import { startHub, type TestHub } from "../checkpoint/hub_server.ts";
import { textOf } from "./tiny.ts";
import { type Ran, runTask, tokenizer, trainTiny } from "./tiny_hub.ts";

// Many processes are started one after the other.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const scratch = mkdtempSync(join(tmpdir(), "hub-study-"));
const model = "EleutherAI/pythia-160m-deduped";
const secret = "hf_sEcReT";
let hub: TestHub;
let folders: Record<string, string>;

beforeAll(() => {
  const steps = { step1000: 15, step4000: 50, step143000: 150 };
  folders = trainTiny(join(scratch, "models"), { seed: 1, width: 128, steps });
  const broken = join(scratch, "broken");
  cpSync(folders.step4000!, broken, { recursive: true });
  const weights = readFileSync(join(broken, "model.safetensors"));
  writeFileSync(join(broken, "model.safetensors"), weights.subarray(0, weights.length - 8));
  const repacked = join(scratch, "repacked");
  cpSync(folders.step1000!, repacked, { recursive: true });
  // The same weights in another file: a space more in the header.
  const file = readFileSync(join(repacked, "model.safetensors"));
  const header = Number(file.readBigUInt64LE(0));
  const longer = Buffer.alloc(8);
  longer.writeBigUInt64LE(BigInt(header + 8));
  const parts = [
    longer,
    file.subarray(8, 8 + header),
    Buffer.from(" ".repeat(8)),
    file.subarray(8 + header),
  ];
  writeFileSync(join(repacked, "model.safetensors"), Buffer.concat(parts));
  hub = startHub({
    token: secret,
    models: {
      [model]: {
        ...folders,
        main: folders.step143000!,
        step9: folders.step143000!,
        step77: broken,
      },
      "tiny/repacked": { step1: folders.step1000!, step2: repacked },
    },
  });
  // It goes on where the text ends that the models were trained on.
  writeFileSync(join(scratch, "wikitext2.txt"), textOf(68_000, 1).subarray(60_000));
});
afterAll(async () => {
  await hub.close();
  rmSync(scratch, { recursive: true });
});

function task(name: string, ...args: string[]): Promise<Ran> {
  const env = { HF_ENDPOINT: hub.endpoint, HF_HOME: join(scratch, "cache"), HF_TOKEN: secret };
  return runTask(name, args, { cwd: scratch, env });
}

const rowsOf = (file: string) =>
  pl.readParquet(join(scratch, file)).toRecords() as unknown as MeasuredRow[];

describe("a study of checkpoints on a hub", () => {
  it("goes from names to a table and from the table to a law", async () => {
    const measured = await task(
      "measure",
      ...["--model", model, "--revision", "step1000,step4000,step143000"],
      ...["--method", "gptq:paper:bits=2,3,4", "--method", "awq:bits=4", "--method", "nf4"],
      ...["--test", "text:wikitext2.txt", "--out", "qid.parquet"],
    );
    expect(measured.stderr).toBe("");
    expect(measured.status).toBe(0);
    expect(measured.stdout).toContain("15 of 15 items are done");
    expect(measured.stdout).toContain("qid.parquet: 15 rows, of which 0 have an error");
    expect(measured.stdout).toContain("the first quarter of wikitext2.txt");
    expect(measured.stdout + readFileSync(join(scratch, ".cache/measure/plan.json"), "utf8"))
      .not.toContain(secret);

    const rows = rowsOf("qid.parquet");
    expect(new Set(rows.map(({ tokens }) => tokens))).toEqual(
      new Set([1000, 4000, 143000].map((step) => step * 2_097_152)),
    );
    const row = rows.find(({ revision, method_name }) =>
      revision === "step4000" && method_name === "nf4"
    )!;
    using weights = openWeights(folders.step4000!);
    expect(row).toMatchObject({
      ...{
        model,
        family: "gpt_neox",
        size: 12 * 128 * 128 + 13 * 128 + 2 * 128,
        error: null,
      },
      ...{ weights_sha256: weightsHash(weights), commit: hub.commit(model, "step4000") },
      ...{ sequence_length: 64, bits: 4, calibration_set: null, test_set: "wikitext2" },
    });
    // The base loss is that of the model that was trained, on the tokens of the text's last three quarters.
    const text = readFileSync(join(scratch, "wikitext2.txt"), "utf8");
    const ids = tokenizer.encode(text.slice(text.length / 4));
    const starts = Array.from({ length: row.sequences }, (_, i) => i * row.stride!);
    const tokens = Int32Array.from(starts.flatMap((at) => [...ids.subarray(at, at + 65)]));
    const config = readConfig(
      JSON.parse(readFileSync(join(folders.step4000!, "config.json"), "utf8")),
    );
    const trained = createModel(loadKernel(), config, {
      weights: (name) => weights.tensor(name).data,
    });
    const losses = trained.loss(tokens);
    const loss = losses.reduce((sum, value) => sum + value) / losses.length;
    expect(row.loss16).toBeCloseTo(loss, 5);
    const predicted = starts.flatMap((at) => [...ids.subarray(at + 1, at + 65)]);
    const bytes = predicted.reduce((sum, id) => sum + tokenizer.bytes[id]!, 0);
    expect(row.bits_per_byte16).toBeCloseTo(loss * predicted.length / Math.LN2 / bytes, 5);
    const qid = (revision: string, bits: number) =>
      rows.find((row) =>
        row.revision === revision && row.method_name === "gptq" && row.bits === bits
      )!.qid!;
    expect(qid("step143000", 2)).toBeGreaterThan(qid("step143000", 4));
    expect(qid("step143000", 2)).toBeGreaterThan(qid("step1000", 2));

    const fitted = await task("fit", "qid.parquet", "--law", "unified");
    expect(fitted.stderr).toBe("");
    expect(fitted.status).toBe(0);
    expect(fitted.stdout).toContain("tokenExponent");
    expect(fitted.stdout).toContain("sizeExponent is held at the published 0.2261");
  });

  it("downloads and measures nothing twice", async () => {
    const before = readFileSync(join(scratch, "qid.parquet"));
    hub.requests.length = 0;
    expect((await task("measure", "--resume", "--out", "qid.parquet")).status).toBe(0);
    expect(hub.requests).toEqual([]);
    expect(readFileSync(join(scratch, "qid.parquet"))).toEqual(before);
  });

  it("takes overlapping sequences with a stride", async () => {
    const { status, stderr } = await task(
      "measure",
      ...["--model", model, "--revision", "step1000", "--method", "nf4", "--stride", "16"],
      ...["--sequences", "20", "--test", "text:wikitext2.txt", "--plan", "stride.json"],
      ...["--out", "stride.parquet"],
    );
    expect([status, stderr]).toEqual([0, ""]);
    const [row] = rowsOf("stride.parquet");
    expect(row).toMatchObject({ stride: 16, sequences: 20, sequence_length: 64, error: null });
    const ids = tokenizer.encode(readFileSync(join(scratch, "wikitext2.txt"), "utf8"));
    using weights = openWeights(folders.step1000!);
    const config = readConfig(
      JSON.parse(readFileSync(join(folders.step1000!, "config.json"), "utf8")),
    );
    const trained = createModel(loadKernel(), config, {
      weights: (name) => weights.tensor(name).data,
    });
    // -ln p of each token from the logits; each is predicted from at least 48 tokens before it.
    let sum = 0;
    for (let i = 0; i < 20; i++) {
      const logits = trained.logits(ids.slice(i * 16, i * 16 + 64));
      for (let at = 48; at < 64; at++) {
        const row = [...logits.subarray(at * 320, (at + 1) * 320)];
        const target = ids[i * 16 + at + 1]!;
        sum += Math.log(row.reduce((sum, x) => sum + Math.exp(x), 0)) - row[target]!;
      }
    }
    expect(row!.loss16).toBeCloseTo(sum / 320, 4);
  });

  it("turns a broken checkpoint into rows with the error, and measures the others; --retry tries again", async () => {
    const flags = [
      ...["--method", "nf4", "fp4", "--test", "text:wikitext2.txt", "--plan", "bad.json"],
      ...["--out", "bad.parquet"],
    ];
    const { status, stdout } = await task(
      "measure",
      ...["--model", model, "--revision", "step77,step1000", ...flags],
    );
    expect(status).toBe(0);
    expect(stdout).toContain("4 rows, of which 2 have an error");
    const bad = rowsOf("bad.parquet").filter(({ revision }) => revision === "step77");
    for (const { error } of bad) expect(error).toMatch(/^Cannot read .*step77.*model.safetensors/);
    expect(JSON.stringify(bad)).not.toContain(scratch);
    const again = await task("measure", "--plan", "bad.json", "--retry", "--out", "bad.parquet");
    expect(again.stdout).toContain("2 items with an error are open again");
  });

  it("stops at equal weights with the names of both, and goes on when told", async () => {
    const flags = ["--method", "nf4", "--test", "text:wikitext2.txt", "--plan", "equal.json"];
    const stopped = await task(
      "measure",
      "--model",
      model,
      "--revision",
      "step9,step1000",
      ...flags,
    );
    expect(stopped.status).toBe(1);
    expect(stopped.stderr).toContain(`${model}: step9 and main have the same weights`);
    // The last step may equal main.
    const last = await task(
      "measure",
      "--model",
      model,
      "--revision",
      "step143000,main",
      "--list",
      ...flags,
    );
    expect(last.stdout).toContain("0 of 2 items are done");
    // Files that differ hide equal weights from the hub's list: the measurement sees them.
    const repacked = [
      "--model",
      "tiny/repacked",
      "--revision",
      "step1,step2",
      ...flags,
      "--workers",
      "1",
    ];
    const hidden = await task("measure", ...repacked);
    expect(hidden.status).toBe(1);
    expect(hidden.stderr).toContain("tiny/repacked: step1 and step2 have the same weights");
    const allowed = await task("measure", ...repacked, "--allow-equal");
    expect([allowed.status, allowed.stdout]).toEqual([0, expect.stringContaining("2 of 2 items")]);
    expect(readPlan(join(scratch, "equal.json")).allowEqual).toBe(true);
  });

  it.each([
    [
      ["--model", model, "--revision", "step100"],
      'has no revision "step100": the nearest of 6 are step1000',
    ],
    [["--model", "tiny/none"], "no such model, or a private one"],
    [["--model", "nowhere"], "No folder nowhere, and no name of a model on the hub"],
    [["--suite", "--revision", "step1"], "--revision goes with --model"],
    [["--model", ".", "--revision", "step1"], "The folder . has no revisions"],
  ])("says what is wrong: %j", async (args, message) => {
    const flags = ["--test", "text:wikitext2.txt", "--plan", "wrong.json", "--method", "nf4"];
    const { status, stderr } = await task("measure", ...args, ...flags);
    expect(status).toBe(1);
    expect(stderr).toContain(message);
    expect(stderr).not.toContain(secret);
  });
});

describe("a folder of checkpoints", () => {
  it("is a model, with what its tokens are said to be", async () => {
    const folder = join(scratch, "own", "step500");
    mkdirSync(join(scratch, "own"));
    cpSync(folders.step4000!, folder, { recursive: true });
    const { stdout } = await task(
      "measure",
      ...["--model", "own/step500", "--tokens-per-step", "1000", "--method", "nf4", "--list"],
      ...["--test", "text:wikitext2.txt", "--plan", "own.json"],
    );
    expect(stdout).toMatch(/own +step500 +0\/1 +N 199K +D 500K/);
    expect(stdout).toContain("memory: at most 0.");
  });
});

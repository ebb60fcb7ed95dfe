// A plan on a cluster: Slurm on this machine where it is installed, and the manifest for Kubernetes.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import pl from "nodejs-polars";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { gptNeoXConfig } from "../../lib/model/mod.ts";
import {
  makePlan,
  partsFolder,
  readPlan,
  stateOf,
  writeKubernetesJob,
  writePlan,
} from "../../lib/measure/mod.ts";
import { type SlurmCluster, startSlurm, whyNoSlurm } from "./slurm_cluster.ts";
import { tinyConfig, writeTexts, writeTiny } from "./tiny.ts";
import { runTask } from "./tiny_hub.ts";

// Many processes are started, one after the other or by the cluster.
vi.setConfig({ testTimeout: 600_000, hookTimeout: 120_000 });

// In the repository, so that one volume holds all.
const root = fileURLToPath(new URL("../../", import.meta.url));
mkdirSync(join(root, ".cache"), { recursive: true });
const scratch = mkdtempSync(join(root, ".cache", "cluster-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const methods = ["rtn:group=16,bits=2,3,4,8", "gptq:group=16,bits=2,3,4", "nf4", "fp4", "mxint4"];
let texts: ReturnType<typeof writeTexts>;
let checkpoints: string[];

beforeAll(() => {
  texts = writeTexts(scratch);
  checkpoints = [1, 2, 3, 4, 5].map((step) => {
    const notes = { run: "tiny", step: `${step}`, tokens: `${100 * step}`, seed: "4" };
    // The last takes long enough that a task can be killed between two items.
    const large = gptNeoXConfig({ width: 256, layers: 4, heads: 4, context: 32 });
    const config = step === 5 ? large : tinyConfig;
    return writeTiny(join(scratch, "run", `step${step}`), step, notes, config);
  });
});

function plan(name: string): string {
  const path = join(scratch, name, "plan.json");
  writePlan(path, makePlan(checkpoints, { methods, ...texts }));
  return path;
}

const reason = whyNoSlurm();
if (reason !== undefined) console.log(`A plan on Slurm is not tested: ${reason}`);

describe.skipIf(reason !== undefined)("a plan on Slurm", () => {
  let cluster: SlurmCluster;
  beforeAll(async () => {
    cluster = await startSlurm(join(scratch, "slurm"));
  });
  afterAll(() => cluster?.stop());

  it("finds what was killed, hands it over again, and gives the table of one machine", async () => {
    const path = plan("slurm");
    const items = readPlan(path).items.length;
    expect(items).toBeGreaterThanOrEqual(50);
    const measure = async (...args: string[]) => {
      const { status, stdout, stderr } = await runTask("measure", args, {
        ...{ cwd: scratch, env: cluster.env },
      });
      expect([status, stderr]).toEqual([0, ""]);
      return stdout;
    };
    const submit = () => measure("--plan", path, "--submit", "slurm", "--chunk", "5");
    const first = await submit();
    expect(first).toMatch(/Slurm job 1: 10 tasks/);
    expect(first).toContain("50 items handed over, 0 of them again after they failed; 0 under way");
    // One of the last two tasks is killed when its log tells of its first item.
    const logs = join(partsFolder(path), "submissions", "logs");
    const begun = () =>
      readdirSync(logs).find((name) =>
        /^1_[89]\.log$/.test(name) && doneIn(join(logs, name)) === 1
      );
    await cluster.until(() => begun() !== undefined, "the first item of a task");
    const killed = begun()!.replace(".log", "");
    cluster.run("scancel", "--full", "--signal=KILL", killed);
    const queue = () => cluster.run("squeue", "--noheader", "--array", "--format=%i");
    await cluster.until(() => queue().trim() === "", "the end of the job");
    const { open } = stateOf(path, readPlan(path));
    expect(open.length).toBeGreaterThan(0);
    expect(open.length).toBeLessThan(5);

    const again = await submit();
    expect(again).toContain(
      `${open.length} items handed over, ${open.length} of them again after they failed; 0 under way`,
    );
    // What is under way is not handed over twice.
    expect(await submit()).toContain("0 items handed over, 0 of them again after they failed");
    await cluster.until(() => queue().trim() === "", "the end of the second job");
    const out = join(scratch, "slurm.parquet");
    expect(await measure("--plan", path, "--gather", "--out", out)).toContain(
      `${2 * items} rows, of which 0 have an error`,
    );
    const own = plan("local");
    await measure("--plan", own, "--resume", "--out", join(scratch, "local.parquet"));
    const rowsOf = (file: string) => pl.readParquet(file).drop("code_version").toRecords();
    expect(rowsOf(out)).toEqual(rowsOf(join(scratch, "local.parquet")));
  });
});

describe("a plan on Kubernetes", () => {
  it("is an indexed Job whose tasks measure all items", async () => {
    const path = plan("kubernetes");
    const options = { backend: "wasm", codeVersion: "0123abc", megabytes: 900 } as const;
    await expect(writeKubernetesJob(path, { ...options, claim: "shared", mount: scratch })).rejects
      .toThrow("needs one folder that holds");
    const { submission, manifest } = await writeKubernetesJob(path, {
      ...options,
      ...{ claim: "shared", chunk: 7 },
    });
    const job = JSON.parse(readFileSync(manifest!, "utf8"));
    const { spec } = job;
    expect([job.apiVersion, job.kind, spec.completionMode]).toEqual(["batch/v1", "Job", "Indexed"]);
    expect(spec.completions).toBe(Math.ceil(50 / 7));
    const { containers: [container], volumes: [volume], restartPolicy } = spec.template.spec;
    expect(restartPolicy).toBe("Never");
    expect(volume).toEqual({ name: "shared", persistentVolumeClaim: { claimName: "shared" } });
    expect(container.volumeMounts).toEqual([
      { name: volume.name, mountPath: root.replace(/\/$/, "") },
    ]);
    expect(container.resources.limits.memory).toBe("900Mi");
    expect(JSON.stringify(job)).not.toContain("HF_TOKEN");
    expect(submission!.chunks.flat()).toEqual(readPlan(path).items.map(({ id }) => id));
    // The command of one index, run here, does the items of that chunk and no other.
    const [, ...args] = container.command;
    const env = { JOB_COMPLETION_INDEX: "7" };
    const command = new Deno.Command(Deno.execPath(), {
      args,
      env,
      stdout: "piped",
      stderr: "piped",
    });
    const { code, stdout, stderr } = await command.output();
    expect([code, new TextDecoder().decode(stderr)]).toEqual([0, ""]);
    expect(new TextDecoder().decode(stdout).trim()).toMatch(/^tiny step5 \S+: done$/);
    expect(stateOf(path, readPlan(path)).done.map(({ id }) => id)).toEqual(submission!.chunks[7]);
  });
});

function doneIn(log: string): number {
  return existsSync(log) ? readFileSync(log, "utf8").split("\n").filter(Boolean).length : 0;
}

// The memory that a process takes, beside what is said of it.
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { bytesOf, encodeFloats, writeSafetensors } from "../../lib/checkpoint/mod.ts";
import { makePlan, memoryOfPlan, readPlan, stateOf, writePlan } from "../../lib/measure/mod.ts";
import { countParameters, gptNeoXConfig, layoutOf, writeConfig } from "../../lib/model/mod.ts";
import { writeTexts } from "./tiny.ts";

const scratch = mkdtempSync(join(tmpdir(), "memory-"));
afterAll(() => rmSync(scratch, { recursive: true }));

/** Writes a model of bytes whose weights are small. */
function writeModel(name: string, width: number, layers: number): string {
  const folder = join(scratch, name, "step1");
  mkdirSync(folder, { recursive: true });
  const config = gptNeoXConfig({ width, layers, heads: 8, context: 32 });
  writeFileSync(join(folder, "config.json"), JSON.stringify(writeConfig(config)));
  const tensors = layoutOf(config).map(({ name, shape, length }) => ({
    ...{ name, dtype: "BF16" as const, shape: [...shape] },
    bytes: () => {
      const values = new Float32Array(length);
      for (let i = 0; i < length; i++) values[i] = ((i * 7919) % 2003 - 1001) / 50_000;
      return bytesOf(encodeFloats(values, "BF16"));
    },
  }));
  writeSafetensors(join(folder, "model.safetensors"), tensors);
  return folder;
}

/** Runs a plan in one process and returns the most memory that it took, in bytes. */
async function peakOf(plan: string): Promise<number> {
  const worker = fileURLToPath(new URL("../../lib/measure/worker.ts", import.meta.url));
  const task = JSON.stringify({ plan, backend: "wasm", codeVersion: "0123abc" });
  const child = spawn(Deno.execPath(), [
    "run",
    "-A",
    "--quiet",
    "--v8-flags=--expose-gc",
    worker,
    task,
  ], {
    stdio: ["pipe", "ignore", "inherit"],
  });
  let peak = 0;
  const look = setInterval(() => {
    try {
      const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
      peak = Math.max(peak, 1024 * Number(/VmHWM:\s*(\d+) kB/.exec(status)?.[1] ?? 0));
    } catch {
      // It has ended.
    }
  }, 20);
  await new Promise((resolve) => child.on("close", resolve));
  clearInterval(look);
  return peak;
}

describe.skipIf(Deno.build.os !== "linux")("the memory of a process", () => {
  it.each([
    ["a deep model, none of whose blocks is kept", 512, 36, ["rtn:bits=4,group=32"]],
    ["a Hessian and its factor", 768, 1, ["gptq:bits=4,group=32"]],
    ["inputs that are kept", 256, 1, ["awq:bits=4,group=32"]],
  ])("is at most what is said: %s", async (name, width, layers, methods) => {
    const folder = writeModel(`w${width}`, width, layers);
    const plan = join(scratch, `w${width}`, "plan.json");
    writePlan(plan, makePlan([folder], { methods, ...writeTexts(scratch) }));
    const said = memoryOfPlan(readPlan(plan))!;
    const peak = await peakOf(plan);
    expect(stateOf(plan, readPlan(plan)).open).toEqual([]);
    console.log(`${name}: ${Math.round(peak / 1e6)} MB of ${Math.round(said / 1e6)} MB`);
    expect(peak).toBeGreaterThan(1e8);
    expect(peak).toBeLessThan(said);
    const config = gptNeoXConfig({ width, layers, heads: 8 });
    // A process that kept all weights would break the bound of the deep model.
    if (layers > 1) expect(said).toBeLessThan(1e8 + 4 * countParameters(config).total);
  }, 300_000);
});

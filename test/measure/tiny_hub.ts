// Tiny models of tokens, trained for a moment, as folders that a hub can serve; and the project's own commands.
import { spawn } from "node:child_process";
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bytesOf, writeSafetensors } from "../../lib/checkpoint/mod.ts";
import { loadKernel } from "../../lib/compute/mod.ts";
import {
  createAdamW,
  createModel,
  gptNeoXConfig,
  openTokenizer,
  writeConfig,
} from "../../lib/model/mod.ts";
import { textOf } from "./tiny.ts";

const fixture = fileURLToPath(new URL("../model/fixtures/llama", import.meta.url));
export const tokenizer = openTokenizer(fixture)!;

/** Trains a model of 320 tokens and writes its checkpoints, at so many steps, as folders by revision. */
export function trainTiny(
  folder: string,
  { seed, width, steps }: { seed: number; width: number; steps: Readonly<Record<string, number>> },
): Record<string, string> {
  const config = gptNeoXConfig({ width, layers: 1, heads: 2, context: 64, vocabulary: 320 });
  const kernel = loadKernel();
  const model = createModel(kernel, config, { seed });
  const optimizer = createAdamW(kernel, model);
  const ids = tokenizer.encode(new TextDecoder().decode(textOf(60_000, 1)));
  const folders: Record<string, string> = {};
  const last = Math.max(...Object.values(steps));
  for (let step = 1; step <= last; step++) {
    const tokens = new Int32Array(8 * 33);
    for (let row = 0; row < 8; row++) {
      const start = ((step * 8 + row) * 6151) % (ids.length - 33);
      tokens.set(ids.subarray(start, start + 33), row * 33);
    }
    model.lossAndGradients(tokens, { length: 32 });
    optimizer.step(0.004);
    for (const [revision] of Object.entries(steps).filter(([, at]) => at === step)) {
      const path = join(folder, revision);
      mkdirSync(path, { recursive: true });
      writeFileSync(join(path, "config.json"), JSON.stringify(writeConfig(config)));
      copyFileSync(join(fixture, "tokenizer.json"), join(path, "tokenizer.json"));
      const tensors = [...model.tensors()].map(([name, { shape, data }]) => ({
        ...{ name, dtype: "F32" as const, shape },
        bytes: () => bytesOf(data),
      }));
      writeSafetensors(join(path, "model.safetensors"), tensors, { format: "pt" });
      folders[revision] = path;
    }
  }
  return folders;
}

/** What a command gave. */
export interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `deno task NAME ARGS`, while a server in this process goes on. */
export function runTask(
  name: string,
  args: readonly string[],
  { cwd, env = {} }: { cwd: string; env?: Readonly<Record<string, string>> },
): Promise<Ran> {
  const cli = fileURLToPath(new URL(`../../lib/cli/${name}.ts`, import.meta.url));
  return new Promise((resolve, reject) => {
    const child = spawn(Deno.execPath(), ["run", "-A", "--quiet", cli, ...args], {
      ...{ cwd, env: { ...Deno.env.toObject(), NO_COLOR: "1", ...env } },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let [stdout, stderr] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => stdout += text);
    child.stderr.setEncoding("utf8").on("data", (text: string) => stderr += text);
    child.on("error", reject);
    child.on("close", (status) => resolve({ status, stdout, stderr }));
  });
}

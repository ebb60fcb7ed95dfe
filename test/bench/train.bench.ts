/** What the training loop costs beside the model's own work: batches, log, checkpoint, progress. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadKernel } from "../../lib/compute/mod.ts";
import { createAdamW, createModel } from "../../lib/model/mod.ts";
import {
  Batches,
  configOf,
  type Run,
  suiteRun,
  tokensPerStep,
  train,
} from "../../lib/train/mod.ts";
import type { BenchRow } from "./bench.ts";

const steps = 40;
const text = Uint8Array.from({ length: 2 ** 20 }, (_, i) => (i * i) % 251);

/** Whole runs, with a checkpoint at the end, beside the same steps alone. */
export default async function bench(): Promise<readonly BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const width of [32, 128]) {
    const run = { ...suiteRun({ width, bytes: steps * 4096 }), checkpoints: [steps] };
    stepsAlone(run); // compiles
    const alone = stepsAlone(run);
    const ours = await wholeRun(run);
    const rate = Math.round(steps * tokensPerStep(run) / ours * 1000);
    rows.push({
      name: `${steps} steps of width ${width}, depth ${run.depth}`,
      ours,
      peer: { name: "the model's steps alone", milliseconds: alone },
      note: `${rate.toLocaleString("en")} tokens/s`,
    });
  }
  return rows;
}

async function wholeRun(run: Run): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "train-bench-"));
  try {
    const kernel = loadKernel();
    const start = performance.now();
    await train(run, { text: { bytes: text, sha256: "" }, folder, kernel });
    return performance.now() - start;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function stepsAlone(run: Run): number {
  const kernel = loadKernel();
  const { context, sequences, seed, learningRate } = run;
  const batches = new Batches(text, { context, sequences, seed });
  const rows = Array.from({ length: steps }, (_, step) => batches.at(step));
  const start = performance.now();
  const model = createModel(kernel, configOf(run), { seed });
  const optimizer = createAdamW(kernel, model);
  for (const batch of rows) {
    model.lossAndGradients(batch, { length: context });
    optimizer.step(learningRate);
  }
  return performance.now() - start;
}

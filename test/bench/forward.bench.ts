/**
 * The forward pass of a model of Pythia-160M's shape, block by block from a file as `deno task measure` runs it, with both
 * backends, on one thread and on two (a sequence each), beside the same model in PyTorch on
 * the CPU (forward_reference.py).
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bytesOf, writeSafetensors } from "../../lib/checkpoint/mod.ts";
import { mapPool } from "../../lib/compute/mod.ts";
import { gptNeoXConfig, layoutOf } from "../../lib/model/mod.ts";
import { type BenchRow, runPython } from "./bench.ts";

/** Pythia-160M: its sequences have 2,048 tokens. */
const shape = { width: 768, layers: 12, heads: 12, vocabulary: 50304, context: 2048 };
const sequences = 2;

export default async function bench(): Promise<readonly BenchRow[]> {
  const folder = mkdtempSync(join(tmpdir(), "forward-"));
  try {
    const file = join(folder, "model.safetensors");
    writeWeights(file);
    const rows: BenchRow[] = [];
    for (const threads of [1, 2]) {
      const torch = await runPython<{ library: string; milliseconds: number }>(
        "forward_reference.py",
        { ...shape, sequences, threads },
        { modules: ["torch"], threads },
      );
      for (const backend of ["wasm", "blas"] as const) {
        const ours = await timeForward({ file, backend, threads });
        if (ours === undefined) continue;
        const rate = Math.round(sequences * shape.context / ours * 1000).toLocaleString("en");
        rows.push({
          name:
            `Pythia-160M, ${sequences} x ${shape.context} tokens, ${backend}, ${threads} threads`,
          ours,
          note: `${rate} tokens/s`,
          ...(torch && { peer: { name: torch.library, milliseconds: torch.milliseconds } }),
        });
      }
    }
    return rows;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Weights small enough that nothing overflows. */
function writeWeights(file: string): void {
  const tensors = layoutOf(gptNeoXConfig(shape)).map(({ name, shape, length }) => ({
    ...{ name, dtype: "F32" as const, shape: [...shape] },
    bytes: () => {
      const values = new Float32Array(length);
      for (let i = 0; i < length; i++) values[i] = ((i * 7919) % 2003 - 1001) / 50_000;
      return bytesOf(values);
    },
  }));
  writeSafetensors(file, tensors);
}

/**
 * Milliseconds of a pass over all sequences, from the rates of workers that run side by side; nothing where the system has
 * no BLAS.
 */
async function timeForward(
  { file, backend, threads }: { file: string; backend: "wasm" | "blas"; threads: number },
): Promise<number | undefined> {
  const task = new URL("./forward_task.ts", import.meta.url);
  const context = { file, backend, shape };
  try {
    const seeds = Array.from({ length: threads }, (_, seed) => seed);
    const times = await mapPool<number>(seeds, task, { workers: threads, context });
    return sequences / times.reduce((sum, milliseconds) => sum + 1 / milliseconds, 0);
  } catch (error) {
    if (backend === "blas") return undefined;
    throw error;
  }
}

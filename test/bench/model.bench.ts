/**
 * A whole training step (loss, gradients, clipping, AdamW) of GPT-NeoX on bytes, on one thread with
 * both backends, beside the same model in PyTorch on the CPU (model_reference.py): fused attention
 * and a fused optimiser, on the same shapes.
 */
import { loadKernel, type MatrixKernel } from "../../lib/compute/mod.ts";
import { countParameters, createAdamW, createModel, gptNeoXConfig } from "../../lib/model/mod.ts";
import { type BenchRow, runPython, timeIt } from "./bench.ts";

interface Shape {
  width: number;
  layers: number;
  heads: number;
  sequences: number;
  context: number;
}

/** Four small models of other depths, and the widths of the suite at its depth. */
const shapes: Shape[] = [
  ...([[64, 2], [64, 4], [128, 4], [256, 4]] as const)
    .map(([width, layers]) => ({ width, layers, heads: 4, sequences: 32, context: 128 })),
  ...[32, 64, 96, 128, 192, 256]
    .map((width) => ({ width, layers: 3, heads: width / 32, sequences: 16, context: 256 })),
];

export default async function bench(): Promise<readonly BenchRow[]> {
  const torch = await runPython<{ library: string; milliseconds: number[] }>(
    "model_reference.py",
    shapes,
    { modules: ["torch"] },
  );
  const rows: BenchRow[] = [];
  for (const [i, shape] of shapes.entries()) {
    for (const backend of ["wasm", "blas"] as const) {
      const row = await timeStep(shape, backend);
      const milliseconds = torch?.milliseconds[i];
      if (!row) continue;
      rows.push(milliseconds ? { ...row, peer: { name: torch.library, milliseconds } } : row);
    }
  }
  return rows;
}

async function timeStep(shape: Shape, backend: "wasm" | "blas"): Promise<BenchRow | undefined> {
  const kernel = load(backend);
  if (!kernel) return undefined;
  const { sequences, context } = shape;
  const config = gptNeoXConfig(shape);
  const model = createModel(kernel, config, { seed: 1 });
  const optimizer = createAdamW(kernel, model);
  const tokens = Uint8Array.from(
    { length: sequences * (context + 1) },
    (_, i) => (i * i * 7) % 256,
  );
  const ours = await timeIt(() => {
    model.lossAndGradients(tokens);
    optimizer.step(1e-4);
  }, { milliseconds: 1500 });
  const size = (countParameters(config).nonEmbedding / 1000).toFixed(0);
  const rate = Math.round(sequences * context / ours * 1000).toLocaleString("en");
  return {
    name:
      `width ${shape.width}, depth ${shape.layers} (N = ${size}K), ${sequences} x ${context}, ${kernel.library}`,
    ours,
    note: `${rate} tokens/s`,
  };
}

/** Nothing where the system has no BLAS. */
function load(backend: "wasm" | "blas"): MatrixKernel | undefined {
  try {
    return loadKernel({ backend });
  } catch {
    return undefined;
  }
}

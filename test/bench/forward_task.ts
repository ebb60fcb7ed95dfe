/** A worker's part of forward.bench.ts: the milliseconds of one sequence, after another to warm up. */
import { SafetensorsFile } from "../../lib/checkpoint/mod.ts";
import { type Backend, loadKernel } from "../../lib/compute/mod.ts";
import { gptNeoXConfig, type GptNeoXOptions, inferLosses, openModel } from "../../lib/model/mod.ts";

export default async function forward(
  seed: number,
  { file, backend, shape }: {
    file: string;
    backend: Backend;
    shape: GptNeoXOptions & { context: number; vocabulary: number };
  },
): Promise<number> {
  const kernel = loadKernel({ backend, memory: 2 ** 31 });
  using source = new SafetensorsFile(file);
  const { context, vocabulary } = shape;
  const tokens = Int32Array.from(
    { length: context + 1 },
    (_, i) => ((seed * (context + 1) + i) * 7919) % vocabulary,
  );
  const model = openModel(kernel, { config: gptNeoXConfig(shape), source });
  await inferLosses(model, tokens);
  const start = performance.now();
  await inferLosses(model, tokens);
  return performance.now() - start;
}

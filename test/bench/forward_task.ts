/** A worker's part of forward.bench.ts. */
import { SafetensorsFile } from "../../lib/checkpoint/mod.ts";
import { type Backend, loadKernel, type MatrixKernel } from "../../lib/compute/mod.ts";
import { gptNeoXConfig, type GptNeoXOptions, inferLosses, openModel } from "../../lib/model/mod.ts";

/** Which sequences. */
export interface ForwardItem {
  readonly first: number;
  readonly count: number;
}

let kernel: MatrixKernel | undefined;

export default async function forward(
  { first, count }: ForwardItem,
  { file, backend, shape }: {
    file: string;
    backend: Backend;
    shape: GptNeoXOptions & { context: number; vocabulary: number };
  },
): Promise<number[]> {
  kernel ??= loadKernel({ backend, memory: 2 ** 31 });
  if (count === 0) return [];
  using source = new SafetensorsFile(file);
  const { context, vocabulary } = shape;
  const tokens = Int32Array.from(
    { length: count * (context + 1) },
    (_, i) => ((first * (context + 1) + i) * 7919) % vocabulary,
  );
  return [
    ...await inferLosses(openModel(kernel, { config: gptNeoXConfig(shape), source }), tokens),
  ];
}

// Small checkpoints and texts on a disk.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { bytesOf, writeSafetensors } from "../../lib/checkpoint/mod.ts";
import { loadKernel } from "../../lib/compute/mod.ts";
import { createModel, gptNeoXConfig, writeConfig } from "../../lib/model/mod.ts";
import type { PlanOptions } from "../../lib/measure/mod.ts";

/** Words in an order drawn from the seed, the first ones often, as in any language. */
export function textOf(bytes: number, seed = 1): Uint8Array {
  const random = xoroshiro128plus(seed);
  const draw = (below: number) => uniformInt(random, 0, below - 1);
  const letters = "etaoinshrdlu";
  const words = Array.from(
    { length: 60 },
    () => Array.from({ length: 2 + draw(5) }, () => letters[draw(letters.length)]).join(""),
  );
  let text = "";
  while (text.length < bytes) {
    text += `${words[Math.min(draw(60), draw(60))]}${draw(9) ? " " : ". "}`;
  }
  return new TextEncoder().encode(text.slice(0, bytes));
}

export const tinyConfig = gptNeoXConfig({ width: 32, layers: 2, heads: 2, context: 32 });

/** A model whose weights are drawn, large enough to matter. */
export function tinyModel(seed: number, config = tinyConfig) {
  const kernel = loadKernel();
  const model = createModel(kernel, config, { seed });
  model.parameters.forEach((value, i) => model.parameters[i] = 2 * value + 0.05 * Math.sin(i * i));
  const tensors = model.tensors();
  const source = { names: [...tensors.keys()], tensor: (name: string) => tensors.get(name)! };
  return { kernel, model, config, source };
}

/** Writes a model's checkpoint as `deno task train` does. */
export function writeTiny(
  folder: string,
  seed: number,
  notes: Record<string, string> = {},
  config = tinyConfig,
): string {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "config.json"), JSON.stringify(writeConfig(config)));
  const tensors = [...tinyModel(seed, config).model.tensors()].map(([name, { shape, data }]) => ({
    name,
    dtype: "F32" as const,
    shape,
    bytes: () => bytesOf(data),
  }));
  writeSafetensors(join(folder, "model.safetensors"), tensors, { format: "pt", ...notes });
  return folder;
}

/** Two test texts and one to calibrate on, in a folder. */
export function writeTexts(folder: string):
  & Pick<PlanOptions, "tests">
  & Required<
    Pick<PlanOptions, "calibration">
  > {
  const text = (name: string, seed: number) => {
    const file = join(folder, `${name}.txt`);
    writeFileSync(file, textOf(4000, seed));
    return { name, file, length: 32 };
  };
  return {
    tests: [{ ...text("near", 2), sequences: 6 }, { ...text("far", 3), sequences: 4 }],
    calibration: { ...text("train", 1), sequences: 5, seed: 7 },
  };
}

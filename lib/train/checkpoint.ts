/** Checkpoints that `transformers` opens: a folder with config.json and model.safetensors. */
import { existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bytesOf, writeSafetensors } from "../checkpoint/mod.ts";
import { type Model, writeConfig } from "../model/mod.ts";
import { naming } from "./naming.ts";

const modelFile = "model.safetensors";

/** The folder of a checkpoint, named as Pythia's revisions are: step512. */
export function checkpointFolder(runFolder: string, step: number): string {
  return join(runFolder, `step${step}`);
}

/** Whether a checkpoint is there, and whole. */
export function hasCheckpoint(runFolder: string, step: number): boolean {
  return existsSync(join(checkpointFolder(runFolder, step), modelFile));
}

/** Writes a checkpoint. It is there when its model.safetensors is, which comes last. */
export function writeCheckpoint(
  folder: string,
  model: Model,
  notes: Readonly<Record<string, string>>,
): void {
  const config = join(folder, "config.json");
  naming(config, () => {
    mkdirSync(folder, { recursive: true });
    writeFileSync(`${config}.partial`, `${JSON.stringify(writeConfig(model.config), null, 2)}\n`);
    renameSync(`${config}.partial`, config);
  });
  const tensors = [...model.tensors()].map(([name, { shape, data }]) => ({
    name,
    dtype: "F32",
    shape,
    bytes: () => bytesOf(data),
  } as const));
  const path = join(folder, modelFile);
  naming(path, () => writeSafetensors(path, tensors, { format: "pt", ...notes }));
}

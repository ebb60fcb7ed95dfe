/** Checkpoints to measure: what a plan knows of them, and folders as `deno task train` writes them. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { openWeights, SafetensorsFile, weightsHash } from "../checkpoint/mod.ts";
import { countParameters, type ModelConfig, readConfig } from "../model/mod.ts";

/** A checkpoint as a plan knows it. What could not be read is null, and `error` says why. */
export interface CheckpointEntry {
  /** The run's name, or the model's on the hub. */
  readonly model: string;
  /** The step: "step512". */
  readonly revision: string;
  /** Where it lies; null for one of the hub. */
  readonly folder: string | null;
  /** What the revision stands for on the hub; else null. */
  readonly commit?: string | null;
  /** The last step of the model on the hub, which `main` rightly equals. */
  readonly last?: string | null;
  readonly family: string | null;
  /** Non-embedding parameters. */
  readonly size: number | null;
  /** Training tokens. */
  readonly tokens: number | null;
  /** Seed of the training run. */
  readonly seed: number | null;
  /** The model's shape. */
  readonly config?: ModelConfig | null;
  /** SHA-256 of tokenizer.json; null where tokens are bytes. */
  readonly tokenizer?: string | null;
  /** Hash of names, types, shapes and values; of one of the hub it is known when it is measured. */
  readonly weights_sha256: string | null;
  /** What the hub lists: a hash over those of the files. */
  readonly published_sha256?: string | null;
  /** The same of the model's `main`. */
  readonly main_sha256?: string | null;
  readonly error: string | null;
}

/** What is not known of a checkpoint. */
export const unknown = {
  ...{ family: null, size: null, tokens: null, seed: null, weights_sha256: null, error: null },
};

/** Tokens of a model that may read bytes, with a few special ones. */
const mostBytes = 512;

/** What configuration and tokenizer in a folder say. Throws when a model of tokens has no tokenizer. */
export function describeFolder(
  folder: string,
): Pick<CheckpointEntry, "family" | "size" | "config" | "tokenizer"> {
  const config = readConfigOf(folder);
  const tokenizer = tokenizerHash(folder);
  if (tokenizer === null && config.vocabulary > mostBytes) {
    throw new Error(
      `No tokenizer.json: a model of ${config.vocabulary} tokens needs one: save it with transformers' fast tokenizer`,
    );
  }
  const size = countParameters(config).nonEmbedding;
  return { family: config.family, size, config, tokenizer };
}

/** SHA-256 of the tokenizer in a folder; null when there is none. */
export function tokenizerHash(folder: string): string | null {
  const path = join(folder, "tokenizer.json");
  if (!existsSync(path)) return null;
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}

/** Looks at the checkpoint in a folder, and hashes its weights. */
export function readCheckpoint(path: string): CheckpointEntry {
  const folder = resolve(path);
  const names = { model: basename(dirname(folder)), revision: basename(folder), folder };
  try {
    const described = describeFolder(folder);
    const notes = notesOf(folder);
    const number = (key: string) => /^\d+$/.test(notes[key] ?? "") ? Number(notes[key]) : null;
    using weights = openWeights(folder);
    return {
      ...names,
      ...(notes.run === undefined ? {} : { model: notes.run }),
      ...(notes.step === undefined ? {} : { revision: `step${notes.step}` }),
      ...described,
      tokens: number("tokens"),
      seed: number("seed"),
      weights_sha256: weightsHash(weights),
      error: null,
    };
  } catch (error) {
    return { ...names, ...unknown, error: withoutPath(error, names) };
  }
}

/** Opens a model for as long as `use` takes. */
export async function withModel<Result>(
  folder: string,
  use: (model: { config: ModelConfig; source: ReturnType<typeof openWeights> }) => Promise<Result>,
): Promise<Result> {
  using source = openWeights(folder);
  return await use({ config: readConfigOf(folder), source });
}

/** An error's message, in which the checkpoint's folder has no path: tables are the same on every machine. */
export function withoutPath(
  error: unknown,
  { model, revision, folder: own }: Pick<CheckpointEntry, "model" | "revision" | "folder">,
  folder: string | null = own,
): string {
  const message = error instanceof Error ? error.message : String(error);
  if (folder === null) return message;
  const short = own === null
    ? `${model} ${revision}`
    : join(basename(dirname(folder)), basename(folder));
  return message.replaceAll(folder, short);
}

/**
 * The folders of the checkpoints of all runs in a folder, by run and step. BitNet's are left out: their weights are
 * rounded as the model runs.
 */
export function suiteCheckpoints(folder: string): string[] {
  if (!existsSync(folder)) {
    throw new Error(`No suite in ${folder}: train it with: deno task train suite`);
  }
  const runs = readdirSync(folder).filter((name) => existsSync(join(folder, name, "run.json")));
  const isBitNet = (name: string) =>
    JSON.parse(readFileSync(join(folder, name, "run.json"), "utf8")).run.bitLinear !== undefined;
  return runs.sort().filter((name) => !isBitNet(name))
    .flatMap((name) => checkpointsOf(join(folder, name)));
}

/** The folders of the checkpoints in a run's folder, by step. */
export function checkpointsOf(runFolder: string): string[] {
  const step = (revision: string) => Number(/^step(\d+)$/.exec(revision)?.[1] ?? NaN);
  return readdirSync(runFolder)
    .filter((revision) => existsSync(join(runFolder, revision, "model.safetensors")))
    .filter((revision) => Number.isFinite(step(revision)))
    .sort((a, b) => step(a) - step(b))
    .map((revision) => join(runFolder, revision));
}

function readConfigOf(folder: string): ModelConfig {
  const path = join(folder, "config.json");
  if (!existsSync(path)) throw new Error(`No checkpoint in ${folder}: needs config.json`);
  return readConfig(JSON.parse(readFileSync(path, "utf8")));
}

/** What `deno task train` notes in the file: run, step, tokens, seed. */
function notesOf(folder: string): Readonly<Record<string, string>> {
  const path = join(folder, "model.safetensors");
  if (!existsSync(path)) return {};
  using file = new SafetensorsFile(path);
  return file.metadata;
}

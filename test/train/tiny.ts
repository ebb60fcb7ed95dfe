/** A text and a run that are trained in a second. */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildCorpus, type CorpusText, type Run } from "../../lib/train/mod.ts";

/** Sentences that are told from each other by two numbers. */
function sentences(count: number): string {
  const animals = ["cat", "dog", "cow", "hen", "fox"];
  return Array.from({ length: count }, (_, i) => {
    return `The ${animals[i % 5]} and the ${animals[(i * 7) % 3]} of farm ${i} sat on the mat.`;
  }).join("\n\n");
}

/** The text without a folder around it. */
export function tinyText(count = 4000): CorpusText {
  const bytes = new TextEncoder().encode(sentences(count));
  return { bytes, sha256: createHash("sha256").update(bytes).digest("hex") };
}

/** The text as a corpus in a folder. */
export async function tinyCorpus(folder: string): Promise<string> {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "own.txt");
  writeFileSync(file, sentences(4000));
  const recipe = { extraction: 1, chunkBytes: 999, heldOut: 0.1, train: [], outOfDomain: [] };
  await buildCorpus(recipe, { out: folder, texts: [file] });
  return folder;
}

/** A run of a tiny model. */
export function tinyRun(changes: Partial<Run> = {}): Run {
  const steps = changes.steps ?? 60;
  return {
    name: "tiny",
    width: 32,
    depth: 1,
    heads: 1,
    context: 16,
    sequences: 8,
    steps,
    seed: 1,
    schedule: { kind: "cosine", warmUp: 5, steps },
    learningRate: 0.01,
    checkpoints: [20, 40, steps],
    ...changes,
  };
}

/** SHA-256 of each file of a folder by its path. */
export function filesOf(folder: string): Record<string, string> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name)).sort();
  return Object.fromEntries(paths.map((path) => {
    const hash = createHash("sha256").update(readFileSync(path)).digest("hex");
    return [path.slice(folder.length + 1), hash];
  }));
}

/** The plan of a study: written down before anything is measured. */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { findEqualWeights } from "../checkpoint/mod.ts";
import { type CheckpointEntry, readCheckpoint } from "./checkpoints.ts";
import { readSequences, textHash, type TextSequences } from "./sequences.ts";
import { readMethods } from "./method_list.ts";

/** A text of a plan. */
export interface PlannedText extends TextSequences {
  /** Hash of its sequences of bytes; of the whole file where checkpoints have tokenizers. */
  readonly sha256: string;
}

/** One checkpoint by one method, on all texts. */
export interface PlanItem {
  /** Hash of all that its result depends on but the code. */
  readonly id: string;
  /** Index in `checkpoints`. */
  readonly checkpoint: number;
  readonly method: string;
}

/** A study, as plan.json holds it. */
export interface Plan {
  /** What texts are cut into: bytes when left out, or the tokens of each checkpoint's tokenizer. */
  readonly unit?: "bytes" | "tokens";
  /** Whether to go on when two checkpoints turn out to hold the same weights. */
  readonly allowEqual?: boolean;
  readonly tests: readonly PlannedText[];
  readonly calibration: PlannedText | null;
  readonly checkpoints: readonly CheckpointEntry[];
  readonly items: readonly PlanItem[];
}

/** What a study is to measure. */
export interface PlanOptions {
  /** Specs, each maybe with several values: "gptq:paper,bits=2,3". */
  readonly methods: readonly string[];
  /** Texts on which losses are taken, all with sequences of one length. */
  readonly tests: readonly TextSequences[];
  /** For methods that need it. */
  readonly calibration?: TextSequences;
  /** Go on when two checkpoints hold the same weights. */
  readonly allowEqual?: boolean;
}

/**
 * Makes the plan of all checkpoints (folders, or entries that were read before) by all methods. A checkpoint that cannot be read stays in it, with its error.
 *
 * Throws when a method is unknown, a text too short, a name or a checkpoint given twice, or when two checkpoints hold the
 * same weights.
 */
export function makePlan(
  given: readonly (string | CheckpointEntry)[],
  options: PlanOptions,
): Plan {
  const methods = readMethods(options.methods);
  if (given.length === 0 || methods.length === 0 || options.tests.length === 0) {
    throw new Error(
      "Cannot plan a study: needs at least one checkpoint, one method and one test text: " +
        `got ${given.length}, ${methods.length} and ${options.tests.length}`,
    );
  }
  const lengths = new Set(options.tests.map(({ length }) => length));
  if (lengths.size > 1) {
    throw new Error(
      `Cannot plan a study: needs one length of sequences: got ${[...lengths].join(", ")}`,
    );
  }
  const checkpoints = given.map((one) => typeof one === "string" ? readCheckpoint(one) : one);
  refuseTwice(checkpoints.map(nameOf), "checkpoint");
  const unit = unitOf(checkpoints);
  const planText = unit === "tokens" ? planTokens : planBytes;
  const tests = options.tests.map(planText);
  refuseTwice(tests.map(({ name }) => name), "test text");
  const calibration = options.calibration ? planText(options.calibration) : null;
  const hashOf = (entry: CheckpointEntry) => entry.weights_sha256 ?? entry.published_sha256 ?? null;
  const equal = equalWeights(
    checkpoints.map((entry) => ({ entry, sha256: hashOf(entry) })),
  );
  if (equal !== undefined && !options.allowEqual) {
    throw new Error(
      `Cannot plan a study: ${equal}: leave them out, or allow it with --allow-equal`,
    );
  }
  const texts = [...tests, calibration].map((text) => {
    if (text === null) return null;
    const { name, sha256, length, sequences, seed, stride, part } = text;
    const known = [name, sha256, length, sequences];
    return unit === "tokens" ? [...known, seed, stride, part] : known;
  });
  const items = checkpoints.flatMap((entry, checkpoint) =>
    methods.map((method) => {
      const { model, revision } = entry;
      const id = createHash("sha256")
        .update(JSON.stringify([model, revision, hashOf(entry), method, texts]))
        .digest("hex").slice(0, 24);
      return { id, checkpoint, method };
    })
  );
  const allowed = options.allowEqual ? { allowEqual: true } : {};
  return { unit, ...allowed, tests, calibration, checkpoints, items };
}

/**
 * Says which revisions of a model hold the same weights; undefined when none do. `main`, which is
 * looked at even where it is not planned, rightly equals the model's last step.
 */
export function equalWeights(
  known: readonly { readonly entry: CheckpointEntry; readonly sha256: string | null }[],
): string | undefined {
  const messages: string[] = [];
  for (const [model, group] of Map.groupBy(known, ({ entry }) => entry.model)) {
    const hashes = group.flatMap(({ entry: { revision }, sha256 }) =>
      sha256 === null ? [] : [{ revision, sha256 }]
    );
    const main = group.find(({ entry }) => entry.main_sha256)?.entry.main_sha256;
    if (main && !hashes.some(({ revision }) => revision === "main")) {
      hashes.push({ revision: "main", sha256: main });
    }
    const final = group.find(({ entry }) => entry.last)?.entry.last ?? undefined;
    for (const { message } of findEqualWeights(hashes, { final })) {
      messages.push(`${model}: ${message}`);
    }
  }
  return messages.length > 0 ? messages.join("; ") : undefined;
}

/** Whether checkpoints read bytes or tokens. Throws when some do the one and some the other. */
function unitOf(checkpoints: readonly CheckpointEntry[]): "bytes" | "tokens" {
  const readable = checkpoints.filter(({ error }) => error === null);
  const [tokens, bytes] = [true, false].map((has) =>
    readable.find(({ tokenizer }) => (tokenizer ?? null) !== null === has)
  );
  if (tokens && bytes) {
    throw new Error(
      `Cannot plan a study: ${nameOf(tokens)} has a tokenizer and ${
        nameOf(bytes)
      }, which has none, ` +
        "reads bytes: plan them apart",
    );
  }
  return tokens ? "tokens" : "bytes";
}

/** Writes a plan, whole or not at all. */
export function writePlan(path: string, plan: Plan): void {
  mkdirSync(dirname(resolve(path)), { recursive: true });
  writeFileSync(`${path}.partial`, `${JSON.stringify(plan, null, 1)}\n`);
  renameSync(`${path}.partial`, path);
}

/** Reads a plan that {@linkcode writePlan} wrote. */
export function readPlan(path: string): Plan {
  try {
    const plan = JSON.parse(readFileSync(path, "utf8")) as Plan;
    for (const key of ["tests", "checkpoints", "items"] as const) {
      if (!Array.isArray(plan[key])) throw new Error(`no list "${key}" in it`);
    }
    return plan;
  } catch (error) {
    throw new Error(`Cannot read the plan ${path}: ${(error as Error).message}`, { cause: error });
  }
}

/** A checkpoint's name in messages. */
export function nameOf({ model, revision }: CheckpointEntry): string {
  return `${model} ${revision}`;
}

function planBytes(text: TextSequences): PlannedText {
  const { sha256, stride } = readSequences(text);
  return { ...text, file: resolve(text.file), sha256, stride };
}

function planTokens(text: TextSequences): PlannedText {
  return { ...text, file: resolve(text.file), sha256: textHash(text.file) };
}

function refuseTwice(names: readonly string[], what: string): void {
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) {
    throw new Error(`Cannot plan a study: the ${what} ${twice} is given twice`);
  }
}

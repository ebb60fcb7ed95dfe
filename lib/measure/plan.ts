/** The plan of a study: written down before anything is measured. */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { findEqualWeights } from "../checkpoint/mod.ts";
import { type CheckpointEntry, readCheckpoint } from "./checkpoints.ts";
import { readSequences, type TextSequences } from "./sequences.ts";
import { readMethods } from "./method_list.ts";

/** A text of a plan, whose sequences are known by their hash. */
export interface PlannedText extends TextSequences {
  readonly sha256: string;
  readonly stride: number;
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
 * Makes the plan of all checkpoints (folders) by all methods. A checkpoint that cannot be read stays in it, with its error.
 *
 * Throws when a method is unknown, a text too short, a name or a checkpoint given twice, or when two checkpoints hold the
 * same weights.
 */
export function makePlan(folders: readonly string[], options: PlanOptions): Plan {
  const methods = readMethods(options.methods);
  if (folders.length === 0 || methods.length === 0 || options.tests.length === 0) {
    throw new Error(
      "Cannot plan a study: needs at least one checkpoint, one method and one test text: " +
        `got ${folders.length}, ${methods.length} and ${options.tests.length}`,
    );
  }
  const lengths = new Set(options.tests.map(({ length }) => length));
  if (lengths.size > 1) {
    throw new Error(
      `Cannot plan a study: needs one length of sequences: got ${[...lengths].join(", ")}`,
    );
  }
  const tests = options.tests.map(planText);
  refuseTwice(tests.map(({ name }) => name), "test text");
  const calibration = options.calibration ? planText(options.calibration) : null;
  const checkpoints = folders.map(readCheckpoint);
  refuseTwice(checkpoints.map(nameOf), "checkpoint");
  const hashed = checkpoints.flatMap((entry) =>
    entry.weights_sha256 ? [{ revision: nameOf(entry), sha256: entry.weights_sha256 }] : []
  );
  const equal = findEqualWeights(hashed);
  if (equal.length > 0 && !options.allowEqual) {
    throw new Error(
      `Cannot plan a study: ${equal.map(({ message }) => message).join("; ")}: ` +
        "leave them out, or allow it with --allow-equal",
    );
  }
  const texts = [...tests, calibration].map((text) => {
    return text && [text.name, text.sha256, text.length, text.sequences];
  });
  const items = checkpoints.flatMap((entry, checkpoint) =>
    methods.map((method) => {
      const { model, revision, weights_sha256 } = entry;
      const id = createHash("sha256")
        .update(JSON.stringify([model, revision, weights_sha256, method, texts]))
        .digest("hex").slice(0, 24);
      return { id, checkpoint, method };
    })
  );
  return { tests, calibration, checkpoints, items };
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

function planText(text: TextSequences): PlannedText {
  const { sha256, stride } = readSequences(text);
  return { ...text, file: resolve(text.file), sha256, stride };
}

function refuseTwice(names: readonly string[], what: string): void {
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) {
    throw new Error(`Cannot plan a study: the ${what} ${twice} is given twice`);
  }
}

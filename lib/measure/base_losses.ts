/** What every method is compared with: a checkpoint's own losses, taken once and kept beside the parts. */
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { openWeights, weightsHash } from "../checkpoint/mod.ts";
import type { MatrixKernel } from "../compute/mod.ts";
import { type CheckpointEntry, withModel } from "./checkpoints.ts";
import { baseLosses } from "./evaluate.ts";
import { waitForLock } from "./lock.ts";
import type { StudyTexts } from "./measure_item.ts";
import { equalWeights, nameOf, type Plan } from "./plan.ts";
import { joinSequences } from "./texts.ts";

/** Two checkpoints hold the same weights: the whole study stops. */
export class EqualWeightsError extends Error {
  override readonly name = "EqualWeightsError";
}

/** What is known of a checkpoint before a method is tried. */
export interface BaseRecord {
  /** The mean loss of each test sequence, nats per token. */
  readonly base: Float64Array;
  readonly weightsSha256: string;
}

interface StoredRecord {
  readonly name: string;
  readonly weights_sha256: string;
  readonly losses: readonly number[];
}

/** How the losses of a checkpoint are taken. */
export interface BaseOptions {
  readonly folder: string;
  readonly texts: StudyTexts;
  readonly kernel: MatrixKernel;
}

/** The losses of a plan's checkpoints, in a folder beside its parts. */
export class BaseLosses {
  readonly #plan: Plan;
  readonly #folder: string;

  constructor(plan: Plan, parts: string) {
    this.#plan = plan;
    this.#folder = join(parts, "base");
  }

  /**
   * The losses of a checkpoint, from the disk or taken now; one process at a time takes them. Throws when the weights are
   * not those that were planned, and an {@linkcode EqualWeightsError} when another checkpoint of the model holds the same.
   */
  async of(entry: CheckpointEntry, options: BaseOptions): Promise<BaseRecord> {
    mkdirSync(this.#folder, { recursive: true });
    const weightsSha256 = hashOf(options.folder);
    const planned = entry.weights_sha256;
    if (planned !== null && weightsSha256 !== planned) {
      throw new Error(
        `The weights have changed since they were planned: needs SHA-256 ${planned}: got ${weightsSha256}`,
      );
    }
    const { tests } = options.texts;
    const key = createHash("sha256")
      .update(JSON.stringify([nameOf(entry), weightsSha256, tests.map(({ sha256 }) => sha256)]))
      .digest("hex").slice(0, 24);
    const path = join(this.#folder, `${key}.json`);
    using _ = await waitForLock(join(this.#folder, `${key}.lock`));
    if (existsSync(path)) {
      const { losses } = JSON.parse(readFileSync(path, "utf8")) as StoredRecord;
      return { base: Float64Array.from(losses), weightsSha256 };
    }
    if (!this.#plan.allowEqual) this.#refuseEqual(entry, weightsSha256);
    const test = joinSequences(tests);
    const { kernel } = options;
    const base = await withModel(options.folder, (model) => baseLosses(kernel, model, test));
    const record: StoredRecord = {
      ...{ name: nameOf(entry), weights_sha256: weightsSha256, losses: [...base] },
    };
    // JSON keeps every bit of a finite number.
    if (base.every(Number.isFinite)) {
      writeFileSync(`${path}.partial`, JSON.stringify(record));
      renameSync(`${path}.partial`, path);
    }
    return { base, weightsSha256 };
  }

  /** Compares with the checkpoints that were measured before: their files may differ though their weights do not. */
  #refuseEqual(entry: CheckpointEntry, weightsSha256: string): void {
    const hashes = new Map([[nameOf(entry), weightsSha256]]);
    for (const file of readdirSync(this.#folder).filter((name) => name.endsWith(".json"))) {
      const record = JSON.parse(readFileSync(join(this.#folder, file), "utf8")) as StoredRecord;
      if (record.name !== nameOf(entry)) hashes.set(record.name, record.weights_sha256);
    }
    const equal = equalWeights(
      this.#plan.checkpoints.map((known) => {
        // Hashes of another kind cannot be compared.
        const compared = { ...known, main_sha256: null };
        return { entry: compared, sha256: hashes.get(nameOf(known)) ?? null };
      }),
    );
    if (equal === undefined) return;
    throw new EqualWeightsError(
      `Cannot go on with the study: ${equal}: leave them out, or plan it with --allow-equal`,
    );
  }
}

function hashOf(folder: string): string {
  using weights = openWeights(folder);
  return weightsHash(weights);
}

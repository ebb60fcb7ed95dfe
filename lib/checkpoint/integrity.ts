/** Which weights a checkpoint really holds: some hubs serve the same ones under two names. */
import { createHash } from "node:crypto";
import type { Weights } from "./weights.ts";

/** The progress of hashing, in bytes. */
export interface HashOptions {
  readonly progress?: (done: number, total: number) => void;
}

/**
 * SHA-256, in hexadecimal, over the names, types, shapes and bytes of all tensors, by name. The same
 * weights in other shards, in another order or with other notes in the file have the same hash. Reads
 * 8 MiB at a time.
 */
export function weightsHash(weights: Weights, options: HashOptions = {}): string {
  const hash = createHash("sha256");
  let total = 0;
  for (const { start, end } of weights.tensors.values()) total += end - start;
  let done = 0;
  for (const name of weights.names) {
    const { dtype, shape } = weights.tensors.get(name)!;
    hash.update(`${JSON.stringify([name, dtype, shape])}\n`);
    for (const piece of weights.chunks(name)) {
      hash.update(piece);
      done += piece.length;
      options.progress?.(done, total);
    }
  }
  return hash.digest("hex");
}

/** The hash of a revision's weights. */
export interface RevisionHash {
  readonly revision: string;
  readonly sha256: string;
}

/** Revisions that hold the same weights. */
export interface EqualWeights {
  readonly sha256: string;
  /** Two or more, in the order given. */
  readonly revisions: readonly string[];
  /** What to tell the user. */
  readonly message: string;
}

/** What `findEqualWeights` need not report. */
export interface EqualOptions {
  /** The revision that `main` rightly equals: the last step. */
  readonly final?: string;
}

/**
 * The revisions that hold the same weights as another, which steps of one training run never do. All
 * hashes must be of one kind: of `weightsHash`, or of `publishedHashes`. Source of the need: 86 of the
 * 154 step branches of EleutherAI/pythia-2.8b serve the final weights.
 *
 * ```ts
 * import assert from "node:assert/strict";
 * import { findEqualWeights } from "./mod.ts";
 *
 * const [equal] = findEqualWeights([
 *   { revision: "step1000", sha256: "c0ffee" },
 *   { revision: "step2000", sha256: "beef" },
 *   { revision: "main", sha256: "c0ffee" },
 * ]);
 * assert.deepEqual(equal?.revisions, ["step1000", "main"]);
 * ```
 */
export function findEqualWeights(
  entries: readonly RevisionHash[],
  options: EqualOptions = {},
): EqualWeights[] {
  const byHash = Map.groupBy(entries, ({ sha256 }) => sha256);
  const found: EqualWeights[] = [];
  for (const [sha256, group] of byHash) {
    const revisions = [...new Set(group.map(({ revision }) => revision))];
    const rightly = revisions.length === 2 && revisions.includes("main") &&
      options.final !== undefined && revisions.includes(options.final);
    if (revisions.length < 2 || rightly) continue;
    const names = `${revisions.slice(0, -1).join(", ")} and ${revisions.at(-1)}`;
    const message = `${names} have the same weights (SHA-256 ${sha256.slice(0, 16)}...): ` +
      "at least one does not hold what its name says";
    found.push({ sha256, revisions, message });
  }
  return found;
}

/** The last of the names stepN: the one that `main` rightly equals. */
export function finalStep(revisions: readonly string[]): string | undefined {
  const step = (name: string) => Number(/^step(\d+)$/.exec(name)?.[1] ?? -1);
  const last = revisions.reduce<string | undefined>(
    (best, name) => step(name) > step(best ?? "") ? name : best,
    undefined,
  );
  return last;
}

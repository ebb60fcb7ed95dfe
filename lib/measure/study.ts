/** Measures the items of a plan: each once, however many processes are at it and however often they are killed. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { weightsHash } from "../checkpoint/mod.ts";
import type { MatrixKernel } from "../compute/mod.ts";
import { type CheckpointEntry, withModel, withoutPath } from "./checkpoints.ts";
import { baseLosses } from "./evaluate.ts";
import { failedRows, measureItem } from "./measure_item.ts";
import { nameOf, type Plan, type PlanItem, type PlannedText, readPlan } from "./plan.ts";
import type { Sequences } from "./quantize_model.ts";
import { writeParquet } from "../parquet.ts";
import { frameOf, gatherParts, type MeasuredRow } from "./rows.ts";
import { readSequences } from "./sequences.ts";

/** What {@linkcode measureShare} needs beside the plan. */
export interface ShareOptions {
  readonly kernel: MatrixKernel;
  /** The code that measures: it stands in each row. */
  readonly codeVersion: string;
  /** Stops between two items. */
  readonly signal?: AbortSignal;
  /** Told of each item when its part is written. */
  readonly onItem?: (id: string, error: string | null) => void;
}

/** The folder of a plan's parts: one Parquet file an item. */
export function partsFolder(planPath: string): string {
  return `${planPath.replace(/\.json$/, "")}.parts`;
}

/** The items whose parts are written, and those that are still to do. */
export function stateOf(planPath: string, plan: Plan): { done: PlanItem[]; open: PlanItem[] } {
  const folder = partsFolder(planPath);
  const written = new Set(existsSync(folder) ? readdirSync(folder) : []);
  const groups = Object.groupBy(
    plan.items,
    ({ id }) => written.has(`${id}.parquet`) ? "done" : "open",
  );
  return { done: groups.done ?? [], open: groups.open ?? [] };
}

/**
 * Measures the items of a plan that no other process has done or is at, checkpoint by checkpoint. Each item's rows are
 * written as a part of their own, whole or not at all; a process that is killed loses the item that it was at. An item
 * that fails has rows with the error. Any number of processes may work on one plan, on one machine.
 *
 * Returns true when no item is left to this process, though others may still be at theirs.
 *
 * Throws when a text is not the one that was planned with, and when a part cannot be written.
 */
export async function measureShare(planPath: string, options: ShareOptions): Promise<boolean> {
  const plan = readPlan(planPath);
  const folder = partsFolder(planPath);
  const locks = join(folder, "locks");
  mkdirSync(locks, { recursive: true });
  const texts = readTexts(plan);
  for (const [index, entry] of plan.checkpoints.entries()) {
    const items = plan.items.filter(({ checkpoint }) => checkpoint === index);
    const isOpen = ({ id }: PlanItem) => !existsSync(join(folder, `${id}.parquet`));
    if (!items.some(isOpen)) continue;
    const key = createHash("sha256").update(nameOf(entry)).digest("hex").slice(0, 16);
    using lock = tryLock(join(locks, key));
    if (!lock) continue;
    removePartials(folder, items);
    for await (
      const { id, rows } of measureCheckpoint(plan, entry, texts, items.filter(isOpen), options)
    ) {
      writeParquet(join(folder, `${id}.parquet`), frameOf(rows));
      options.onItem?.(id, rows[0]!.error);
      if (await stopped(options.signal)) return false;
    }
  }
  return true;
}

/**
 * Gathers the parts that are there into one sorted table. The same parts give the same bytes. Rows that the table has
 * already stay, but for those that a part measures again.
 */
export function gather(planPath: string, out: string): { rows: number; failed: number } {
  const { done } = stateOf(planPath, readPlan(planPath));
  const folder = partsFolder(planPath);
  const frame = gatherParts(done.map(({ id }) => join(folder, `${id}.parquet`)), out);
  writeParquet(out, frame);
  const failed = frame.height - frame.getColumn("error").nullCount();
  return { rows: frame.height, failed };
}

/** The texts of a plan: all test sequences together, and those for calibration. */
export interface StudyTexts {
  readonly test: Sequences;
  readonly calibration?: Sequences;
}

function readTexts({ tests, calibration }: Plan): StudyTexts {
  const read = (planned: PlannedText) => {
    const found = readSequences(planned);
    if (found.sha256 === planned.sha256) return found;
    throw new Error(
      `Cannot go on with the study: ${planned.file} has changed since it was planned: ` +
        `needs sequences with SHA-256 ${planned.sha256}: got ${found.sha256}: plan it again`,
    );
  };
  const parts = tests.map((planned) => read(planned).tokens);
  const tokens = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    tokens.set(part, at);
    at += part.length;
  }
  return {
    test: { tokens, length: tests[0]!.length },
    ...(calibration && { calibration: read(calibration) }),
  };
}

interface MeasuredItem {
  readonly id: string;
  readonly rows: MeasuredRow[];
}

/** The rows of each item. What goes wrong with the checkpoint is said in all of them. */
async function* measureCheckpoint(
  plan: Plan,
  entry: CheckpointEntry,
  texts: StudyTexts,
  items: readonly PlanItem[],
  { kernel, codeVersion }: ShareOptions,
): AsyncGenerator<MeasuredItem> {
  const failed = (item: PlanItem, error: unknown) => ({
    id: item.id,
    rows: failedRows(plan, item, { codeVersion, error: withoutPath(error, entry.folder) }),
  });
  let base: Float64Array;
  try {
    if (entry.error !== null) throw new Error(entry.error);
    base = await withModel(entry.folder, (model) => {
      const found = weightsHash(model.source);
      if (found !== entry.weights_sha256) {
        throw new Error(
          `The weights have changed since they were planned: needs SHA-256 ${entry.weights_sha256}: got ${found}`,
        );
      }
      return baseLosses(kernel, model, texts.test);
    });
  } catch (error) {
    for (const item of items) yield failed(item, error);
    return;
  }
  for (const item of items) {
    let measured: MeasuredItem;
    try {
      const rows = await withModel(entry.folder, (model) => {
        return measureItem(plan, item, { model, base, texts, kernel, codeVersion });
      });
      measured = { id: item.id, rows };
    } catch (error) {
      measured = failed(item, error);
    }
    yield measured;
  }
}

/** Lets signals through. */
async function stopped(signal?: AbortSignal): Promise<boolean> {
  await new Promise((resolve) => setTimeout(resolve));
  return signal?.aborted ?? false;
}

/** A lock that ends with the process, however that ends; undefined when another process has it. */
function tryLock(path: string): Disposable | undefined {
  const file = Deno.openSync(path, { create: true, write: true });
  if (file.tryLockSync(true)) return { [Symbol.dispose]: () => file.close() };
  file.close();
  return undefined;
}

/** What a killed process left half written. */
function removePartials(folder: string, items: readonly PlanItem[]): void {
  const ids = new Set(items.map(({ id }) => id));
  for (const name of readdirSync(folder)) {
    if (name.endsWith(".partial") && ids.has(name.split(".")[0]!)) rmSync(join(folder, name));
  }
}

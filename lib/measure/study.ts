/** Measures the items of a plan: each once, however many processes are at it and however often they are killed. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { MatrixKernel } from "../compute/mod.ts";
import { BaseLosses, EqualWeightsError } from "./base_losses.ts";
import { type CheckpointEntry, withModel, withoutPath } from "./checkpoints.ts";
import { folderOf } from "./hub_checkpoints.ts";
import { tryLock } from "./lock.ts";
import { failedRows, measureItem } from "./measure_item.ts";
import { writeParquet } from "../parquet.ts";
import { nameOf, type Plan, type PlanItem, readPlan } from "./plan.ts";
import { frameOf, gatherParts, type MeasuredRow } from "./rows.ts";
import { TextReader } from "./texts.ts";

/** What {@linkcode measureShare} needs beside the plan. */
export interface ShareOptions {
  readonly kernel: MatrixKernel;
  /** The code that measures: it stands in each row. */
  readonly codeVersion: string;
  /** The items to measure, by their ids; all that are open when left out. */
  readonly items?: readonly string[];
  /** Stops between two items. */
  readonly signal?: AbortSignal;
  /** Told of each item when its part is written. */
  readonly onItem?: (id: string, error: string | null) => void;
  /** Told how far the download of a checkpoint's file is, in bytes. */
  readonly onDownload?: (file: string, done: number, total: number) => void;
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
 * Measures the items of a plan that no other process has done or is at, checkpoint by checkpoint: first those of
 * checkpoints that no other process is at, then those that are left of the others. Each item's rows are written as a part
 * of their own, whole or not at all; a process that is killed loses the item that it was at. An item that fails has rows
 * with the error. Any number of processes may work on one plan.
 *
 * Returns true when no item is left to this process, though others may still be at theirs.
 *
 * Throws when a text is not the one that was planned with, when a part cannot be written, and when two checkpoints turn
 * out to hold the same weights.
 */
export async function measureShare(planPath: string, options: ShareOptions): Promise<boolean> {
  const plan = readPlan(planPath);
  const folder = partsFolder(planPath);
  const locks = join(folder, "locks");
  mkdirSync(locks, { recursive: true });
  const texts = new TextReader(plan);
  const wanted = options.items && new Set(options.items);
  const isOpen = ({ id }: PlanItem) =>
    (wanted?.has(id) ?? true) && !existsSync(join(folder, `${id}.parquet`));
  for (const alone of [true, false]) {
    for (const [index, entry] of plan.checkpoints.entries()) {
      const items = plan.items.filter((item) => item.checkpoint === index && isOpen(item));
      if (items.length === 0) continue;
      using lock = alone ? tryLock(join(locks, keyOf(entry))) : undefined;
      if (alone && !lock) continue;
      const measured = measureCheckpoint(plan, entry, { ...options, texts, planPath });
      for (const item of items) {
        using own = tryLock(join(locks, item.id));
        if (!own || !isOpen(item)) continue;
        removePartials(folder, item);
        const rows = await measured(item);
        writeParquet(join(folder, `${item.id}.parquet`), frameOf(rows));
        options.onItem?.(item.id, rows[0]!.error);
        if (await stopped(options.signal)) return false;
      }
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

/** Removes the parts of items that have an error, so that they are open again. Returns how many. */
export function reopenFailed(planPath: string): number {
  const folder = partsFolder(planPath);
  const { done } = stateOf(planPath, readPlan(planPath));
  const failed = done.map(({ id }) => join(folder, `${id}.parquet`)).filter((path) => {
    const errors = gatherParts([path]).getColumn("error");
    return errors.nullCount() < errors.length;
  });
  for (const path of failed) rmSync(path);
  return failed.length;
}

type Tools = ShareOptions & { readonly texts: TextReader; readonly planPath: string };

/** Gives the rows of a checkpoint's items. What goes wrong with the checkpoint is said in all of them. */
function measureCheckpoint(
  plan: Plan,
  entry: CheckpointEntry,
  { kernel, codeVersion, texts, planPath, onDownload }: Tools,
): (item: PlanItem) => Promise<MeasuredRow[]> {
  let { folder } = entry;
  const prepare = async () => {
    if (entry.error !== null) throw new Error(entry.error);
    const found = folder = await folderOf(entry, onDownload);
    const read = texts.of(found);
    const known = new BaseLosses(plan, partsFolder(planPath));
    const base = await known.of(entry, { folder: found, texts: read, kernel });
    return { ...base, found, read };
  };
  let prepared: ReturnType<typeof prepare> | undefined;
  return async (item) => {
    try {
      prepared ??= prepare();
      const { found, read, base, weightsSha256 } = await prepared;
      return await withModel(found, (model) => {
        const options = { model, base, weightsSha256, texts: read, kernel, codeVersion };
        return measureItem(plan, item, options);
      });
    } catch (error) {
      if (error instanceof EqualWeightsError) throw error;
      return failedRows(plan, item, { codeVersion, error: withoutPath(error, entry, folder) });
    }
  };
}

/** Lets signals through. */
async function stopped(signal?: AbortSignal): Promise<boolean> {
  await new Promise((resolve) => setTimeout(resolve));
  return signal?.aborted ?? false;
}

/** The name of a checkpoint's lock. */
function keyOf(entry: CheckpointEntry): string {
  return createHash("sha256").update(nameOf(entry)).digest("hex").slice(0, 16);
}

/** What a killed process left half written. */
function removePartials(folder: string, { id }: PlanItem): void {
  for (const name of readdirSync(folder)) {
    if (name.endsWith(".partial") && name.startsWith(`${id}.`)) rmSync(join(folder, name));
  }
}

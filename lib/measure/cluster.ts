/** A plan handed to a cluster: which items which task measures, written down so that tasks that failed are found. */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Backend } from "../compute/mod.ts";
import { type Plan, readPlan } from "./plan.ts";
import { partsFolder, stateOf } from "./study.ts";

/** The program that a task runs, with the path of a submission. */
export const taskProgram = fileURLToPath(new URL("./cluster_task.ts", import.meta.url));

/** What was handed to a cluster at once. Task i measures the items `chunks[i]`. */
export interface Submission {
  readonly plan: string;
  readonly backend: Backend;
  readonly codeVersion: string;
  readonly cluster: "slurm" | "kubernetes";
  readonly chunks: readonly (readonly string[])[];
}

/** A submission on the disk. */
export interface WrittenSubmission extends Submission {
  /** The file that it lies in, with a number as its name. */
  readonly path: string;
  /** What the cluster called it; undefined when it was not taken. */
  readonly job?: string;
}

/** How a plan is handed over. */
export interface SubmitOptions extends Omit<Submission, "plan" | "chunks"> {
  /** Items of one task. Default: as few as give at most 1,000 tasks, since Slurm takes 1,001 unless told. */
  readonly chunk?: number;
  /** Which tasks of earlier submissions are still waiting or at work. */
  readonly active: (submission: WrittenSubmission) => Promise<readonly number[]>;
}

/** What became of the items of earlier submissions, and the new one. */
export interface Submitted {
  /** Items that are left to tasks which are waiting or at work. */
  readonly underWay: number;
  /** Items of earlier tasks that ended without a result: killed, or failed. */
  readonly failed: number;
  /** Undefined when nothing is left to hand over. */
  readonly submission?: WrittenSubmission;
}

/** Writes down a submission of all items that are neither done nor under way. */
export async function writeSubmission(
  planPath: string,
  options: SubmitOptions,
): Promise<Submitted> {
  const { chunk, active, ...rest } = options;
  if (chunk !== undefined && chunk < 1) {
    throw new RangeError(`Cannot submit the plan: a task needs at least 1 item: got ${chunk}`);
  }
  const plan = resolve(planPath);
  const earlier = submissionsOf(plan);
  const [underWay, tried] = [new Set<string>(), new Set<string>()];
  for (const submission of earlier) {
    for (const id of submission.job === undefined ? [] : submission.chunks.flat()) tried.add(id);
    for (const task of await active(submission)) {
      for (const id of submission.chunks[task] ?? []) underWay.add(id);
    }
  }
  // Looked at last: what a task has ended by now is done, or was lost.
  const open = stateOf(plan, readPlan(plan)).open.map(({ id }) => id);
  const left = open.filter((id) => !underWay.has(id));
  const counts = {
    underWay: open.length - left.length,
    failed: left.filter((id) => tried.has(id)).length,
  };
  if (left.length === 0) return counts;
  const size = chunk ?? Math.ceil(left.length / 1000);
  const chunks = Array.from(
    { length: Math.ceil(left.length / size) },
    (_, i) => left.slice(i * size, (i + 1) * size),
  );
  const folder = submissionsFolder(plan);
  mkdirSync(join(folder, "logs"), { recursive: true });
  const path = join(folder, `${String(earlier.length + 1).padStart(4, "0")}.json`);
  const submission: Submission = { ...rest, plan, chunks };
  writeFileSync(`${path}.partial`, `${JSON.stringify(submission, null, 1)}\n`);
  renameSync(`${path}.partial`, path);
  return { ...counts, submission: { ...submission, path } };
}

/** Notes what the cluster calls a submission. */
export function noteJob({ path }: WrittenSubmission, job: string): void {
  writeFileSync(jobFile(path), `${job}\n`);
}

/** Reads a submission. */
export function readSubmission(path: string): WrittenSubmission {
  const submission = JSON.parse(readFileSync(path, "utf8")) as Submission;
  const job = existsSync(jobFile(path)) ? readFileSync(jobFile(path), "utf8").trim() : undefined;
  return { ...submission, path, job };
}

/** Where the output of a submission's tasks goes. */
export function logsFolder(plan: string): string {
  return join(submissionsFolder(plan), "logs");
}

/** The plan's items that a task measures. */
export function itemsOf(submission: Submission, task: number): readonly string[] {
  const items = submission.chunks[task];
  if (items) return items;
  throw new RangeError(
    `Cannot run task ${task}: needs a whole number from 0 to ${submission.chunks.length - 1}`,
  );
}

/** Checkpoint and method of an item. */
export function describeItem({ items, checkpoints }: Plan, id: string): string {
  const item = items.find((one) => one.id === id);
  if (!item) return id;
  const { model, revision } = checkpoints[item.checkpoint]!;
  return `${model} ${revision} ${item.method}`;
}

function submissionsFolder(plan: string): string {
  return join(partsFolder(resolve(plan)), "submissions");
}

function submissionsOf(plan: string): WrittenSubmission[] {
  const folder = submissionsFolder(plan);
  const names = existsSync(folder) ? readdirSync(folder) : [];
  return names.filter((name) => /^\d+\.json$/.test(name)).sort()
    .map((name) => readSubmission(join(folder, name)));
}

function jobFile(path: string): string {
  return path.replace(/\.json$/, ".job");
}

/** A study in several processes, with the time that is left. */
import { spawn } from "node:child_process";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { methods, parseSpec } from "../quantize/mod.ts";
import { collecting, processesFor } from "./memory.ts";
import { type Plan, type PlanItem, readPlan } from "./plan.ts";
import { stateOf } from "./study.ts";
import type { Downloading, ItemDone, StudyTask } from "./worker.ts";

/** How far a study is. */
export interface StudyProgress {
  /** The item that was just done. */
  readonly item: PlanItem;
  readonly error: string | null;
  readonly done: number;
  readonly total: number;
  /** Seconds, from the time that the items done by this call took and the sizes of their models. */
  readonly secondsLeft: number;
}

/** How a study is run. */
export interface RunStudyOptions extends Omit<StudyTask, "plan"> {
  /** Processes; if left out one for each core, as far as the free memory goes. */
  readonly workers?: number;
  readonly onProgress?: (progress: StudyProgress) => void;
  /** Told how far downloads are. */
  readonly onDownload?: (download: Downloading) => void;
  /** Stops all processes after the items that they are at. */
  readonly signal?: AbortSignal;
}

const workerPath = fileURLToPath(new URL("./worker.ts", import.meta.url));

/**
 * Measures what is open in a plan with several processes. Returns how many items are still open: 0 unless it was stopped,
 * or another process is at some. Throws when a process fails, after the others have ended.
 */
export async function runStudy(planPath: string, options: RunStudyOptions): Promise<number> {
  const plan = readPlan(planPath);
  const { workers = processesFor(plan), onProgress, onDownload, signal, ...task } = options;
  const { open } = stateOf(planPath, plan);
  const items = new Map(plan.items.map((item) => [item.id, item]));
  const weightOf = costs(plan);
  const started = performance.now();
  let [done, worked] = [plan.items.length - open.length, 0];
  let left = open.reduce((sum, item) => sum + weightOf(item), 0);
  const onLine = (line: ItemDone | Downloading) => {
    if ("file" in line) return onDownload?.(line);
    const { id, error } = line;
    const item = items.get(id)!;
    done++;
    worked += weightOf(item);
    left = Math.max(0, left - weightOf(item));
    const secondsLeft = (performance.now() - started) / 1000 * left / worked;
    onProgress?.({ item, error, done, total: plan.items.length, secondsLeft });
  };
  const count = Math.max(1, Math.min(workers, open.length));
  const failures = open.length === 0 ? [] : await Promise.all(
    Array.from({ length: count }, () => runProcess({ plan: planPath, ...task }, onLine, signal)),
  );
  const reason = failures.find((failure) => failure !== undefined);
  if (reason !== undefined) throw new Error(reason);
  return stateOf(planPath, plan).open.length;
}

/** About what an item costs: passes over the model, the larger the longer. */
function costs({ checkpoints }: Plan): (item: PlanItem) => number {
  const passes = { nothing: 1, hessian: 2, activations: 6 };
  return ({ checkpoint, method }) => {
    const { needs } = parseSpec(method, methods).method;
    return passes[needs] * ((checkpoints[checkpoint]!.size ?? 0) + 50_000);
  };
}

/** One process; resolves when it has ended, with the reason if it failed. */
async function runProcess(
  task: StudyTask,
  onLine: (line: ItemDone | Downloading) => void,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  // The open standard input tells the process that this one is alive.
  const args = ["run", "-A", "--quiet", collecting, workerPath, JSON.stringify(task)];
  const child = spawn(Deno.execPath(), args, {
    env: { ...process.env, OPENBLAS_NUM_THREADS: "1", OMP_NUM_THREADS: "1", NO_COLOR: "1" },
    stdio: ["pipe", "pipe", "pipe"],
  });
  const stop = () => child.kill("SIGTERM");
  if (signal?.aborted) stop();
  signal?.addEventListener("abort", stop);
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors = (errors + text).slice(-4000);
  });
  createInterface({ input: child.stdout }).on("line", (line) => onLine(JSON.parse(line)));
  const ended = await new Promise<[number | null, string | null]>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, killed) => resolve([code, killed]));
  });
  signal?.removeEventListener("abort", stop);
  const [code, killed] = ended;
  if (code === 0) return undefined;
  return errors.trim() ||
    `A process was ${killed ? `killed by ${killed}` : `ended with code ${code}`}`;
}

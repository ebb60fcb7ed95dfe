/** Several runs at a time, each in a process of its own with one thread. */
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import type { TrainProgress } from "./meter.ts";
import type { Run } from "./run.ts";
import { isReady } from "./train.ts";
import { stoppedCode, type WorkerTask } from "./worker.ts";

/** What happens to a run. */
export type TrainEvent =
  | { readonly type: "started" | "finished" | "stopped"; readonly run: Run }
  | { readonly type: "failed"; readonly run: Run; readonly reason: string }
  | { readonly type: "progress"; readonly run: Run; readonly progress: TrainProgress };

/** Where runs are trained, and how many at a time. */
export interface SideBySideOptions extends Omit<WorkerTask, "run"> {
  /** Processes at a time; one for each core if left out. */
  readonly processes?: number;
  readonly onEvent?: (event: TrainEvent) => void;
  /** Stops all runs with their states saved. */
  readonly signal?: AbortSignal;
}

const workerPath = fileURLToPath(new URL("./worker.ts", import.meta.url));

/**
 * Trains runs in the given order, several at a time. One that branches off another waits until that
 * has kept its state. One that fails leaves the others alone. Returns the last event of each run that
 * was started.
 */
export async function trainSideBySide(
  runs: readonly Run[],
  options: SideBySideOptions,
): Promise<TrainEvent[]> {
  const { processes = navigator.hardwareConcurrency, onEvent, signal, ...task } = options;
  const waiting = [...runs];
  const running = new Map<string, Promise<void>>();
  const ended: TrainEvent[] = [];
  while (true) {
    while (running.size < processes && !signal?.aborted) {
      const open = new Set([...waiting.map(({ name }) => name), ...running.keys()]);
      const next = waiting.findIndex(({ from }) =>
        !from || !open.has(from.run) || isReady(task.folder, from)
      );
      if (next < 0) break;
      const [run] = waiting.splice(next, 1) as [Run];
      onEvent?.({ type: "started", run });
      const work = runProcess({ run, ...task }, onEvent, signal).then((event) => {
        running.delete(run.name);
        ended.push(event);
        onEvent?.(event);
      });
      running.set(run.name, work);
    }
    if (running.size === 0) return ended;
    await Promise.race([...running.values()]);
  }
}

/** One process; resolves when it has ended, however it did. */
async function runProcess(
  task: WorkerTask,
  onEvent: SideBySideOptions["onEvent"],
  signal: AbortSignal | undefined,
): Promise<TrainEvent> {
  const { run } = task;
  // The open standard input tells the process that this one is alive.
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", workerPath, JSON.stringify(task)],
    env: { OPENBLAS_NUM_THREADS: "1", OMP_NUM_THREADS: "1", NO_COLOR: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const stop = () => child.kill("SIGTERM");
  signal?.addEventListener("abort", stop);
  const errors = new Response(child.stderr).text();
  for await (const line of createInterface({ input: Readable.fromWeb(child.stdout) })) {
    onEvent?.({ type: "progress", run, progress: JSON.parse(line) as TrainProgress });
  }
  const { code, signal: killed } = await child.status;
  signal?.removeEventListener("abort", stop);
  await child.stdin.close().catch(() => {}); // closed with the process
  if (code === 0) return { type: "finished", run };
  if (code === stoppedCode || (killed && signal?.aborted)) return { type: "stopped", run };
  const how = killed ? `was killed by ${killed}` : `ended with code ${code}`;
  return { type: "failed", run, reason: (await errors).trim() || `the process ${how}` };
}

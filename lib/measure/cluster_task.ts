/**
 * One task of a cluster: `deno run -A cluster_task.ts SUBMISSION`. Which one it is stands in SLURM_ARRAY_TASK_ID, or in
 * JOB_COMPLETION_INDEX on Kubernetes. Its output says what it did; it fails when it could not measure all of its items.
 */
import { loadKernel } from "../compute/mod.ts";
import { describeItem, itemsOf, readSubmission } from "./cluster.ts";
import { readPlan } from "./plan.ts";
import { kernelMemory } from "./memory.ts";
import { measureShare } from "./study.ts";

if (import.meta.main) {
  try {
    const submission = readSubmission(Deno.args[0]!);
    const { plan, backend, codeVersion } = submission;
    const task = Number(
      Deno.env.get("SLURM_ARRAY_TASK_ID") ?? Deno.env.get("JOB_COMPLETION_INDEX"),
    );
    const items = itemsOf(submission, task);
    const read = readPlan(plan);
    const onItem = (id: string, error: string | null) => {
      console.log(`${describeItem(read, id)}: ${error ?? "done"}`);
    };
    const stop = new AbortController();
    Deno.addSignalListener("SIGTERM", () => stop.abort());
    const kernel = loadKernel({ backend, memory: kernelMemory });
    const options = { kernel, codeVersion, items, signal: stop.signal, onItem };
    Deno.exit(await measureShare(plan, options) ? 0 : 143);
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    Deno.exit(1);
  }
}

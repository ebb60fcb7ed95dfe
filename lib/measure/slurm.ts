/** A plan on Slurm, as an array job: one task a chunk of items, on a file system that all nodes share. */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  logsFolder,
  noteJob,
  type SubmitOptions,
  type Submitted,
  taskProgram,
  writeSubmission,
  type WrittenSubmission,
} from "./cluster.ts";
import { collecting } from "./memory.ts";

/** How a plan is given to Slurm. */
export interface SlurmOptions extends Omit<SubmitOptions, "cluster" | "active"> {
  /** Megabytes of a task. */
  readonly megabytes: number;
  /** Further options of sbatch, such as "--partition=cpu". */
  readonly sbatch?: readonly string[];
}

/**
 * Gives all items that are neither done nor under way to Slurm. Items of earlier tasks that ended without a result are
 * among them. Throws with what Slurm says when it does not take the job.
 */
export async function submitToSlurm(
  planPath: string,
  { megabytes, sbatch = [], ...options }: SlurmOptions,
): Promise<Submitted & { readonly job?: string }> {
  const active = (submission: WrittenSubmission) => Promise.resolve(activeTasks(submission));
  const submitted = await writeSubmission(planPath, { ...options, cluster: "slurm", active });
  const { submission } = submitted;
  if (!submission) return submitted;
  const script = submission.path.replace(/\.json$/, ".sh");
  writeFileSync(script, scriptOf(submission));
  const job = run("sbatch", [
    ...["--parsable", "--job-name=measure", `--array=0-${submission.chunks.length - 1}`],
    ...["--ntasks=1", "--cpus-per-task=1", `--mem=${megabytes}M`],
    `--output=${join(logsFolder(submission.plan), "%A_%a.log")}`,
    ...[...sbatch, script],
  ]).trim().split(";")[0]!;
  noteJob(submission, job);
  return { ...submitted, job };
}

/** What a task runs. */
function scriptOf({ path }: WrittenSubmission): string {
  const command = [Deno.execPath(), "run", "-A", "--quiet", collecting, taskProgram, path].map(
    quoted,
  );
  return [
    "#!/bin/sh",
    "export OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 NO_COLOR=1",
    `exec ${command.join(" ")}`,
    "",
  ].join("\n");
}

/** The tasks of a job that Slurm still has. */
function activeTasks({ cluster, job }: WrittenSubmission): number[] {
  if (cluster !== "slurm" || job === undefined) return [];
  const { status, stdout, stderr } = call("squeue", [
    ...["--noheader", "--array", "--format=%i", `--jobs=${job}`],
  ]);
  // Slurm forgets a job a few minutes after its end.
  if (status !== 0 && /invalid job id/i.test(stderr)) return [];
  if (status !== 0) throw new Error(`Cannot ask Slurm for the job ${job}: ${stderr.trim()}`);
  return stdout.split("\n").flatMap((line) => {
    const task = /_(\d+)$/.exec(line.trim())?.[1];
    return task === undefined ? [] : [Number(task)];
  });
}

function run(command: string, args: readonly string[]): string {
  const { status, stdout, stderr } = call(command, args);
  if (status === 0) return stdout;
  throw new Error(`Slurm does not take the job: ${command}: ${stderr.trim() || `code ${status}`}`);
}

function call(command: string, args: readonly string[]) {
  const { error, status, stdout, stderr } = spawnSync(command, args, { encoding: "utf8" });
  if (error) {
    throw new Error(
      `Cannot run ${command}: ${error.message}: submit where Slurm is installed (Debian: slurm-client)`,
    );
  }
  return { status, stdout, stderr };
}

/** A word for the shell. */
function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/** A plan on Kubernetes, as an indexed Job: the manifest, written for `kubectl apply`. */
import { writeFileSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { hubSettings } from "../checkpoint/mod.ts";
import { collecting } from "./memory.ts";
import { readPlan } from "./plan.ts";
import { type SubmitOptions, type Submitted, taskProgram, writeSubmission } from "./cluster.ts";

/** How the Job is made. */
export interface KubernetesOptions extends Omit<SubmitOptions, "cluster" | "active"> {
  /** Megabytes of a task. */
  readonly megabytes: number;
  /** The persistent volume claim that holds this repository, the plan, its texts and the checkpoints. */
  readonly claim: string;
  /** Where it is mounted: a folder that holds all of these here. */
  readonly mount?: string;
  readonly image?: string;
  /** Tasks at a time. Default 16. */
  readonly parallelism?: number;
}

/**
 * Writes the manifest of a Job for all items that are not done, and returns its path. Kubernetes runs a task again that
 * failed; what no task could do is in the next manifest. A secret named "huggingface", where there is one, becomes the
 * environment: HF_TOKEN. Throws when the volume cannot hold all that the tasks need.
 */
export async function writeKubernetesJob(
  planPath: string,
  { megabytes, claim, mount, image = "denoland/deno:2.9.6", parallelism = 16, ...options }:
    KubernetesOptions,
): Promise<Submitted & { readonly manifest?: string }> {
  const { cache, endpoint } = hubSettings();
  const root = fileURLToPath(new URL("../../", import.meta.url));
  const plan = readPlan(planPath);
  const { tests, calibration, checkpoints } = plan;
  const texts = [...tests, ...(calibration ? [calibration] : [])];
  const needed = [
    ...new Set([
      ...[root, dirname(resolve(planPath)), ...texts.map(({ file }) => dirname(file))],
      ...checkpoints.map(({ folder }) => folder ?? cache),
    ]),
  ];
  const mountPath = resolve(mount ?? commonFolder(needed));
  const outside = needed.find((path) => relative(mountPath, path).startsWith(".."));
  if (outside !== undefined || mountPath === sep) {
    throw new Error(
      `Cannot write the Job: needs one folder that holds ${needed.join(", ")} and is not ${sep}: ` +
        `got ${mountPath}: give --mount, or set HF_HOME`,
    );
  }
  // Whether a task is still at work is known to the cluster alone.
  const active = () => Promise.resolve([]);
  const submitted = await writeSubmission(planPath, { ...options, cluster: "kubernetes", active });
  const { submission } = submitted;
  if (!submission) return submitted;
  const memory = `${megabytes}Mi`;
  const env = { ...oneThread, HF_HUB_CACHE: cache, HF_ENDPOINT: endpoint };
  const tasks = submission.chunks.length;
  const job = {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { generateName: "measure-", labels: { app: "measure" } },
    spec: {
      completionMode: "Indexed",
      completions: tasks,
      parallelism: Math.min(parallelism, tasks),
      backoffLimitPerIndex: 2,
      maxFailedIndexes: tasks,
      template: {
        metadata: { labels: { app: "measure" } },
        spec: {
          restartPolicy: "Never",
          volumes: [{ name: "shared", persistentVolumeClaim: { claimName: claim } }],
          containers: [{
            name: "measure",
            image,
            command: ["deno", "run", "-A", "--quiet", collecting, taskProgram, submission.path],
            workingDir: mountPath,
            env: Object.entries(env).map(([name, value]) => ({ name, value })),
            envFrom: [{ secretRef: { name: "huggingface", optional: true } }],
            resources: { requests: { cpu: "1", memory }, limits: { memory } },
            volumeMounts: [{ name: "shared", mountPath }],
          }],
        },
      },
    },
  };
  const manifest = submission.path.replace(/\.json$/, ".job.json");
  writeFileSync(manifest, `${JSON.stringify(job, null, 2)}\n`);
  return { ...submitted, manifest };
}

const oneThread = { OPENBLAS_NUM_THREADS: "1", OMP_NUM_THREADS: "1", NO_COLOR: "1" };

/** The deepest folder that holds all. */
function commonFolder(paths: readonly string[]): string {
  const parts = paths.map((path) => resolve(path).split(sep));
  const first = parts[0]!;
  const end = first.findIndex((part, i) => parts.some((other) => other[i] !== part));
  return first.slice(0, end < 0 ? first.length : end).join(sep) || join(sep);
}

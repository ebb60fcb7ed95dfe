/** What the folder of a trained run says, as rows of the suite's tables. */
import { copyFileSync, mkdirSync } from "node:fs";
import { basename, extname, join } from "node:path";
import { mean, sampleStandardDeviation } from "simple-statistics";
import { encodeFloats, SafetensorsFile, weightsHash, writeSafetensors } from "../checkpoint/mod.ts";
import { loadKernel } from "../compute/mod.ts";
import {
  baseLosses,
  checkpointsOf,
  readSequences,
  weightChanges,
  withModel,
} from "../measure/mod.ts";
import type { suiteTables, TableRow } from "../suite_tables.ts";
import {
  checkpointFolder,
  keptCheckpoints,
  type RunRecord,
  seriesOf,
  tokensPerStep,
  trainingCurve,
} from "../train/mod.ts";

type Rows<Name extends keyof typeof suiteTables> = TableRow<
  (typeof suiteTables)[Name]["columns"]
>[];

const provenance = "measured";

/** What a run was trained with. A run of one's own is of the series "own". */
export function runRow(
  { run, size, codeVersion, backend, corpusSha256 }: RunRecord,
): Rows<"runs">[0] {
  const { name, width, depth, seed, steps, schedule, learningRate, bitLinear = "none" } = run;
  const tokensAt = (step: number) => step * tokensPerStep(run);
  return {
    run: name,
    series: seriesOf(name) ?? "own",
    ...{ width, depth, size, seed, tokens: tokensAt(steps), schedule: schedule.kind },
    decay_from: schedule.kind === "wsd"
      ? tokensAt(schedule.decayFrom)
      : schedule.kind === "cosine"
      ? tokensAt(schedule.warmUp)
      : null,
    decay_to: schedule.kind === "constant" ? null : tokensAt(schedule.steps),
    peak_rate: learningRate,
    bit_linear: bitLinear,
    code_version: codeVersion,
    backend,
    corpus_sha256: corpusSha256,
    provenance,
  };
}

/** Its training curve. */
export function trainingRows({ run }: RunRecord, folder: string): Rows<"training"> {
  return trainingCurve(folder).map(({ learningRate, gradientNorm, ...rest }) => ({
    run: run.name,
    ...rest,
    learning_rate: learningRate,
    gradient_norm: gradientNorm,
    provenance,
  }));
}

/** The changes of its weights between each checkpoint and the next, and over the pairs at equal distances. */
export function fluctuationRows({ run, size }: RunRecord, folder: string): Rows<"fluctuation"> {
  const steps = run.checkpoints;
  return steps.slice(1).flatMap((to, i) => {
    const from = steps[i]!;
    const [before, after] = [from, to].map((step) => checkpointFolder(folder, step));
    return weightChanges(before!, after!).map(({ quantiles, rmsChange, rmsWeight, ...rest }) => ({
      ...{ run: run.name, size },
      tokens_from: from * tokensPerStep(run),
      tokens_to: to * tokensPerStep(run),
      ...{ layer: rest.layer, matrix: rest.matrix, weights: rest.weights, ...quantiles },
      ...{ rms_change: rmsChange, rms_weight: rmsWeight },
      ...{ step2: rest.steps[2], step3: rest.steps[3], step4: rest.steps[4], provenance },
    }));
  });
}

/** Positions in a test sequence, and sequences of each test text, as in deno task measure. */
const test = { length: 256, sequences: 256 };

/** The losses of its checkpoints as they run, on each test text. */
export async function bitnetRows(
  { run }: RunRecord,
  folder: string,
  tests: readonly string[],
): Promise<Rows<"bitnet">> {
  const kernel = loadKernel();
  const rows: Rows<"bitnet"> = [];
  for (const [index, checkpoint] of checkpointsOf(folder).entries()) {
    for (const file of tests) {
      const name = basename(file, extname(file));
      const sequences = readSequences({ name, file, ...test });
      await withModel(checkpoint, async (model) => {
        const losses = [...await baseLosses(kernel, model, sequences)];
        rows.push({
          run: run.name,
          tokens: run.checkpoints[index]! * tokensPerStep(run),
          ...{ test_set: name, loss: mean(losses) },
          loss_se: sampleStandardDeviation(losses) / Math.sqrt(losses.length),
          ...{ weights_sha256: weightsHash(model.source), provenance },
        });
      });
    }
  }
  return rows;
}

/**
 * Copies those of its checkpoints that stay in the repository, as half-precision floats, and returns how many
 * there are.
 */
export function keepCheckpoints(run: string, folder: string, out: string): number {
  const kept = keptCheckpoints.filter((one) => one.run === run);
  for (const { step } of kept) {
    const [from, to] = [folder, join(out, run)].map((runs) => checkpointFolder(runs, step));
    mkdirSync(to!, { recursive: true });
    copyFileSync(join(from!, "config.json"), join(to!, "config.json"));
    using source = new SafetensorsFile(join(from!, "model.safetensors"));
    const tensors = [...source.tensors].map(([name, { shape }]) => ({
      ...{ name, shape, dtype: "F16" as const },
      bytes: () => encodeFloats(source.tensor(name).data, "F16"),
    }));
    writeSafetensors(join(to!, "model.safetensors"), tensors, source.metadata);
  }
  return kept.length;
}

/** The training loop. A run that is killed goes on from its last state to the same bytes. */
import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { MatrixKernel } from "../compute/mod.ts";
import { type AdamW, createAdamW, createModel, type Model } from "../model/mod.ts";
import { Batches } from "./batches.ts";
import { checkpointFolder, writeCheckpoint } from "./checkpoint.ts";
import { codeVersion } from "./code_version.ts";
import type { CorpusText } from "./corpus/corpus.ts";
import { lockFolder } from "./lock.ts";
import { Meter, type TrainProgress } from "./meter.ts";
import { naming } from "./naming.ts";
import { checkRun, configOf, type Run, runSize, tokensPerStep } from "./run.ts";
import { openRecord, readRecord, type RunRecord, writeRecord } from "./run_record.ts";
import { rateAt } from "./schedule.ts";
import { readState, stepOf, writeState } from "./state.ts";
import { TrainingLog } from "./training_log.ts";

/** What a run needs besides itself. */
export interface TrainOptions {
  readonly text: CorpusText;
  /** Folder of all runs; the run's files go into one of its name. */
  readonly folder: string;
  readonly kernel: MatrixKernel;
  /** Seconds between two states on the disk: what a kill can cost. */
  readonly saveEverySeconds?: number;
  readonly onProgress?: (progress: TrainProgress) => void;
  /** Stops the run between two steps, with its state saved. */
  readonly signal?: AbortSignal;
}

const stateFile = "state.safetensors";
/** Folders of lib/ that a run's result depends on. */
const trainingCode = ["checkpoint", "compute", "model", "train"];

/**
 * Trains a run, from its start or its last state, to its end or until it is told to stop. Returns
 * whether it is finished. On the same machine with the same backend, code and text, a run gives the
 * same checkpoints and log whether or not it was killed on the way.
 *
 * @throws before any work if the run is not sound, its folder was made with other settings or text,
 * a state is cut, or the text is shorter than the run; later if the loss is no number or the disk
 * is full. What is finished stays.
 */
export async function train(run: Run, options: TrainOptions): Promise<boolean> {
  const { text, folder, kernel, saveEverySeconds = 60, onProgress, signal } = options;
  checkRun(run);
  const { context, sequences, seed } = run;
  const batches = new Batches(text.bytes, { context, sequences, seed });
  if (batches.steps < run.steps) {
    const needed = run.steps * tokensPerStep(run);
    throw new Error(
      `Cannot train ${run.name}: needs ${needed} bytes of text, each once: got ${text.bytes.length}`,
    );
  }
  const runFolder = join(folder, run.name);
  naming(runFolder, () => mkdirSync(runFolder, { recursive: true }));
  using _lock = lockFolder(runFolder, `train ${run.name}`);
  removePartials(runFolder);

  const asked = {
    run,
    corpusSha256: text.sha256,
    codeVersion: codeVersion(trainingCode),
    backend: kernel.backend,
    size: runSize(run),
    finished: false,
  };
  const record = openRecord(runFolder, asked);
  if (record.finished) return true;
  const model = createModel(kernel, configOf(run), { seed });
  const optimizer = createAdamW(kernel, model);
  const notes = notesOf(run, text);
  const statePath = join(runFolder, stateFile);
  const start = run.from?.step ?? 0;
  let step = restore(run, { model, optimizer, notes, folder });
  using log = new TrainingLog(join(runFolder, "log.csv"), step - start);

  const save = (path: string) => {
    log.save();
    const { first, second } = optimizer.state;
    const state = { step, parameters: model.parameters, first, second };
    naming(path, () => writeState(path, state, notes));
  };
  const meter = new Meter(run, step);
  let saved = performance.now();
  // A signal that came while all this was made ready is heard before the first step.
  await new Promise((resolve) => setTimeout(resolve, 1));
  while (step < run.steps) {
    if (signal?.aborted) {
      save(statePath);
      return false;
    }
    const learningRate = run.learningRate * rateAt(run.schedule, step);
    const loss = model.lossAndGradients(batches.at(step), { length: context });
    const { gradientNorm } = takeStep(run, optimizer, { step, loss, learningRate });
    step++;
    log.add({ step, tokens: step * tokensPerStep(run), learningRate, loss, gradientNorm });
    if (run.checkpoints.includes(step)) {
      writeCheckpoint(checkpointFolder(runFolder, step), model, checkpointNotes(asked, step));
    }
    if (run.branchPoints?.includes(step)) save(branchPath(folder, run.name, step));
    if (performance.now() - saved >= saveEverySeconds * 1000) {
      save(statePath);
      saved = performance.now();
    }
    const progress = meter.take(step, loss);
    if (progress) {
      onProgress?.(progress);
      await new Promise((resolve) => setTimeout(resolve)); // lets a signal through
    }
  }
  log.save();
  writeRecord(runFolder, { ...record, finished: true });
  rmSync(statePath, { force: true });
  return true;
}

/** One step of the optimiser; throws when the run has diverged. */
function takeStep(
  run: Run,
  optimizer: AdamW,
  { step, loss, learningRate }: { step: number; loss: number; learningRate: number },
): { gradientNorm: number } {
  try {
    if (!Number.isFinite(loss)) throw new Error(`the loss is ${loss}`);
    return optimizer.step(learningRate);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(
      `${run.name} diverged at step ${step + 1}: ${reason}: ` +
        `train it with a lower learning rate than ${run.learningRate}`,
      { cause: error },
    );
  }
}

/** Whether the state from which a run branches off has been kept. */
export function isReady(folder: string, from: NonNullable<Run["from"]>): boolean {
  return existsSync(branchPath(folder, from.run, from.step));
}

/** How far a run has come, from its files. */
export function progressOf(folder: string, run: Run): { step: number; finished: boolean } {
  const runFolder = join(folder, run.name);
  const record = readRecord(runFolder);
  if (!record) return { step: 0, finished: false };
  if (record.finished) return { step: run.steps, finished: true };
  const state = join(runFolder, stateFile);
  return { step: existsSync(state) ? stepOf(state) : run.from?.step ?? 0, finished: false };
}

interface Restored {
  readonly model: Model;
  readonly optimizer: AdamW;
  readonly notes: Record<string, string>;
  readonly folder: string;
}

/** Sets the last state, or that of the run it branches off; returns the steps done. */
function restore(run: Run, { model, optimizer, notes, folder }: Restored): number {
  const own = join(folder, run.name, stateFile);
  const path = existsSync(own) ? own : run.from && branchPath(folder, run.from.run, run.from.step);
  if (!path) return 0;
  const { first, second } = optimizer.state;
  const step = readState(path, { parameters: model.parameters, first, second }, notes);
  optimizer.state.steps = step;
  return step;
}

function branchPath(folder: string, run: string, step: number): string {
  return join(folder, run, `state-step${step}.safetensors`);
}

/** What two runs must share if one is to go on from the other's state. */
function notesOf(run: Run, text: CorpusText): Record<string, string> {
  const { width, depth, heads, bitLinear, context, sequences, seed } = run;
  const model = { width, depth, heads, bitLinear };
  return {
    model: JSON.stringify(model),
    data: JSON.stringify({ sha256: text.sha256, context, sequences, seed }),
  };
}

function checkpointNotes(record: RunRecord, step: number): Record<string, string> {
  const { run, corpusSha256, codeVersion, backend, size } = record;
  return {
    run: run.name,
    step: String(step),
    tokens: String(step * tokensPerStep(run)),
    size: String(size),
    seed: String(run.seed),
    learning_rate: String(run.learningRate),
    schedule: JSON.stringify(run.schedule),
    corpus_sha256: corpusSha256,
    code_version: codeVersion,
    backend,
  };
}

/** What a killed process left half written. */
function removePartials(runFolder: string): void {
  for (const entry of readdirSync(runFolder, { recursive: true, encoding: "utf8" })) {
    if (entry.endsWith(".partial")) rmSync(join(runFolder, entry));
  }
}

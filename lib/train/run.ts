/** A run: everything that its checkpoints depend on, besides the text and the code. */
import { countParameters, gptNeoXConfig, type ModelConfig } from "../model/mod.ts";
import type { Schedule } from "./schedule.ts";

/** One training run. Steps count optimiser steps; a checkpoint at step k has seen k batches. */
export interface Run {
  /** Also the name of its folder. */
  readonly name: string;
  readonly width: number;
  readonly depth: number;
  readonly heads: number;
  /** Weights of the linear maps in training: full precision if left out. */
  readonly bitLinear?: "b1.58" | "b1";
  /** Bytes a sequence predicts. */
  readonly context: number;
  /** Sequences a step. */
  readonly sequences: number;
  /** Steps in all. */
  readonly steps: number;
  /** Seed of the initial weights and of the order of the data. */
  readonly seed: number;
  readonly schedule: Schedule;
  /** Peak learning rate. */
  readonly learningRate: number;
  /** Steps after which a checkpoint is written, in increasing order. */
  readonly checkpoints: readonly number[];
  /** Steps after which the whole state is kept, for runs that branch off. */
  readonly branchPoints?: readonly number[];
  /** Goes on from the state that another run kept, whose data it follows. */
  readonly from?: { readonly run: string; readonly step: number };
}

/** Bytes of text that a run trains on in one step. */
export function tokensPerStep({ context, sequences }: Run): number {
  return context * sequences;
}

/** The model that a run trains. */
export function configOf(run: Run): ModelConfig {
  const { width, depth, heads, context, bitLinear } = run;
  return gptNeoXConfig({ width, layers: depth, heads, context, bitLinear });
}

/** Non-embedding parameters of a run's model. */
export function runSize(run: Run): number {
  return countParameters(configOf(run)).nonEmbedding;
}

/** Checks a run before any work; throws and names what is wrong. */
export function checkRun(run: Run): void {
  const fail = (what: string, needs: string, got: unknown) => {
    throw new Error(`Cannot train ${run.name}: ${what}: needs ${needs}: got ${got}`);
  };
  for (const key of ["width", "depth", "heads", "context", "sequences", "steps"] as const) {
    if (!(Number.isInteger(run[key]) && run[key] > 0)) {
      fail(key, "a whole number above 0", run[key]);
    }
  }
  if (!/^[a-z0-9][a-z0-9.-]*$/.test(run.name)) fail("name", "a-z, 0-9, . and -", run.name);
  if (run.width % run.heads !== 0) fail("heads", `a divisor of ${run.width}`, run.heads);
  if (!Number.isInteger(run.seed)) fail("seed", "a whole number", run.seed);
  if (!(run.learningRate > 0)) fail("learningRate", "a number above 0", run.learningRate);
  const start = run.from?.step ?? 0;
  for (const key of ["checkpoints", "branchPoints"] as const) {
    const steps = run[key] ?? [];
    const inOrder = steps.every((step, i) => step > (i === 0 ? start : steps[i - 1]!));
    if (!inOrder || (steps.at(-1) ?? 0) > run.steps) {
      fail(key, `steps above ${start} to ${run.steps}, in increasing order`, steps.join(", "));
    }
  }
}

/** The training loss of a run over stretches of it, few enough rows for a figure. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The mean over some steps in a row. */
export interface TrainingStretch {
  /** Tokens seen at its end. */
  readonly tokens: number;
  readonly steps: number;
  /** Learning rate of its last step. */
  readonly learningRate: number;
  /** Mean training loss, nats per token. */
  readonly loss: number;
  readonly gradientNorm: number;
}

/** Stretches for each doubling of the steps. */
const perDoubling = 12;

/**
 * The log in a run's folder as stretches that grow with the steps, 12 for each doubling and at least one step
 * long. Throws when there is no log.
 */
export function trainingCurve(runFolder: string): TrainingStretch[] {
  const path = join(runFolder, "log.csv");
  if (!existsSync(path)) {
    throw new Error(`No training log ${path}: needs a folder of deno task train`);
  }
  const lines = readFileSync(path, "utf8").trimEnd().split("\n").slice(1);
  const rows = lines.map((line) => line.split(",").map(Number));
  // A stretch ends at a step that is a power of two to the twelfth part of a whole number, the last step among them.
  const groups = Map.groupBy(
    rows,
    ([step = 0]) => Math.ceil(perDoubling * Math.log2(Math.max(step, perDoubling)) - 1e-9),
  );
  return [...groups.values()].map((group) => {
    const mean = (column: number) =>
      group.reduce((sum, row) => sum + row[column]!, 0) / group.length;
    const [, tokens = NaN, learningRate = NaN] = group.at(-1)!;
    return { tokens, steps: group.length, learningRate, loss: mean(3), gradientNorm: mean(4) };
  });
}

/** Exercises of notebook 23, with their hidden answers. */
import { paretoPoints } from "../../lib/figures/mod.ts";
import type { Exercise } from "../../lib/notebook/mod.ts";
import {
  foldsOf,
  heldOutPredictions,
  heldOutScores,
  predictorRows,
} from "../../lib/predictor/mod.ts";

export const lowestPrediction: Exercise = {
  id: "23.1",
  solution() {
    const { train } = foldsOf(predictorRows(), "size").at(-1)!;
    return Math.min(...train.map(({ lossQuantized }) => lossQuantized));
  },
  unit: "nats per byte",
  hint:
    "A tree's leaf holds the mean of the training rows in it. What is the lowest mean there can be?",
  explanation: "No mean is lower than the lowest value: a forest cannot extrapolate.",
};

export const profileOnStages: Exercise = {
  id: "23.2",
  solution() {
    const all = heldOutPredictions("stage");
    return heldOutScores(all.filter(({ predictor }) => predictor === "profile read at the SQNR"), 2)
      .mae.value;
  },
  unit: "nats per byte",
  hint: 'Take `heldOutPredictions("stage")` and `heldOutScores(...).mae`.',
  explanation:
    "It has one number to learn for each algorithm, so a stage it never saw is no harder.",
};

export const memoryBudget: Exercise = {
  id: "23.3",
  solution: () =>
    Math.min(...paretoPoints().filter(({ bytes }) => bytes <= 100e3).map(({ loss }) => loss)),
  unit: "nats per byte",
  hint: "Filter `paretoPoints()` by `bytes <= 100e3`, and take the lowest `loss`.",
  explanation:
    "Few bits on a larger model against more bits on a smaller one: both are in the list.",
};

/** Exercises of notebook 18, with their hidden answers. */
import { bitnetContrasts, bitnetRuns, lossGap } from "../../lib/figures/mod.ts";
import type { Exercise } from "../../lib/notebook/mod.ts";

/** The first comparison at equal rates: that of the smallest size. */
const equalRates = () => bitnetContrasts(bitnetRuns())[0]!;

function finalGap(weights: "b1.58" | "b1"): number {
  const { full, binary } = equalRates();
  const run = binary.find((one) => one.weights === weights)!;
  return lossGap(run.training, full.training).at(-1)!.loss;
}

export const lastGap: Exercise = {
  id: "18.1",
  solution: () => finalGap("b1"),
  tolerance: 0.05,
  unit: "nats per byte",
  hint: "The last point of the gap of b1, in the first comparison.",
  explanation:
    "It is the mean over the last stretch of steps, so it is less noisy than a single step.",
};

export const twoValuesOverThree: Exercise = {
  id: "18.2",
  solution: () => finalGap("b1") / finalGap("b1.58"),
  tolerance: 0.05,
  hint: "Divide the two final gaps.",
  explanation: "With zero among the values a weight can be left out, which two values cannot do.",
};

export const whereItEnds: Exercise = {
  id: "18.3",
  solution() {
    const { width } = equalRates();
    const own = bitnetRuns().filter((run) => run.width === width && run.weights === "b1.58");
    const ends = own.map(({ peakRate, training }) => ({ peakRate, loss: training.at(-1)!.loss }));
    const best = ends.reduce((a, b) => b.loss < a.loss ? b : a);
    return best.peakRate === Math.min(...ends.map(({ peakRate }) => peakRate)) ? "equal" : "own";
  },
  hint: "Compare the last training losses of the two runs of b1.58.",
  explanation:
    "BitNet's own rate was chosen by shorter runs; the longer a run, the lower its best rate.",
};

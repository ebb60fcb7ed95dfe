/** Exercises of notebook 16, with their hidden answers. */
import { movements } from "../../lib/figures/mod.ts";
import type { Exercise } from "../../lib/notebook/mod.ts";

/** The last pair of checkpoints of the smallest model of the main series. */
function lastPair() {
  const main = movements().filter(({ series }) => series === "main");
  const smallest = Math.min(...main.map(({ size }) => size));
  return main.filter(({ size }) => size === smallest).at(-1)!;
}

export const movedOverRounding: Exercise = {
  id: "16.1",
  solution() {
    const { rms, steps } = lastPair().all;
    return rms / (steps[4] / Math.sqrt(12));
  },
  hint: String.raw`Divide the movement in steps by $1/\sqrt{12} \approx 0.289$.`,
  explanation:
    "Below 1, rounding to 4 bits displaces the weights further than half a million bytes of training did.",
};

export const insideHalfStep: Exercise = {
  id: "16.2",
  solution() {
    const { quantiles, steps } = lastPair().all;
    return Math.max(quantiles.q95, -quantiles.q05) < steps[4] / 2;
  },
  hint: "Nine of ten changes lie between q05 and q95.",
  explanation:
    "If both ends of that range lie inside half a step, training could not even carry such a weight to the next level.",
};

export const mostMoved: Exercise = {
  id: "16.3",
  solution: () =>
    lastPair().kinds.reduce((a, b) => b.rms / b.steps[4] > a.rms / a.steps[4] ? b : a).kind,
  hint: "Sort kinds by rms over steps[4].",
  explanation:
    "A matrix with small weights has a small step, and the same movement is more steps of it.",
};

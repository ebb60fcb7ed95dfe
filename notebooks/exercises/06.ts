/** Exercises of notebook 06, with their hidden answers. */
import { published, tokensFor } from "../../lib/laws/mod.ts";
import type { Exercise } from "../../lib/notebook/mod.ts";

export const tenthOfNat: Exercise = {
  id: "6.1",
  solution: () =>
    tokensFor("per-bit-width", published["per-bit-width"], { size: 8e9, bits: 4, qid: 0.1 }),
  unit: "tokens",
  hint: "`tokensFor(three.law, three.parameters, { size, bits, qid })`",
  explanation: String.raw`Invert $k_4 D^{\beta_4} / N^{\alpha_4}$ for $D$. ` +
    "Models of this size see 15 trillion tokens today.",
};

export const tableOverLaw: Exercise = {
  id: "6.2",
  solution: () =>
    48.4861e12 / tokensFor("unified", published.unified, { size: 4.05e11, bits: 4, qid: 0.2 }),
  hint: "Invert the unified law for the same cell, and divide.",
  explanation: "The two laws behind one paper differ by more than a factor of two here.",
};

export const random: Exercise = {
  id: "6.3",
  solution: () => Math.log(100_000) - 1.8,
  unit: "nats per token",
  hint: "The loss of the quantized model is its 16-bit loss plus QiD.",
  explanation: "$11.51 - 1.8$: the zone would have to start lower than it is drawn.",
};

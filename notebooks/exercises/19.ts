/** Exercises of notebook 19, with their hidden answers. */
import { publicPoints, published } from "../../lib/laws/mod.ts";
import type { Exercise } from "../../lib/notebook/mod.ts";
import { effectiveBits, loadPublic } from "../../lib/public.ts";

const point = (model: string, bits: number, groupSize: number) =>
  publicPoints(loadPublic(), { methods: ["gptq"], groupSize })
    .find((row) => row.model === model && row.bits === bits)!;

export const perplexities: Exercise = {
  id: "19.1",
  solution: () => Math.log(6.09 / 5.68),
  unit: "nats per token",
  hint: "A perplexity is $e$ to the loss; QiD is a difference of losses.",
  explanation:
    "$\\ln(6.09 / 5.68)$. A ratio of perplexities is a difference of losses, so models with different vocabularies can be compared in QiD, though not in perplexity.",
};

export const largeLlama: Exercise = {
  id: "19.2",
  solution() {
    const [a, b] = [point("Llama-2-70B", 4, 128), point("Llama-3-70B", 4, 128)];
    return Math.log(b.qid / a.qid) / Math.log(b.tokens / a.tokens);
  },
  hint: "$QiD_2 / QiD_1 = (D_2 / D_1)^{\\beta}$ at equal size and bits. Solve for the exponent.",
  explanation:
    "The logarithm of the ratio of QiD over that of the tokens, 15T / 2T. It is one comparison of two models that differ in data, vocabulary and recipe too.",
};

export const groups: Exercise = {
  id: "19.3",
  solution: () => (effectiveBits(3, 128) / 3) ** published.unified.bitExponent,
  hint:
    "The scale and zero point of a group add 0.15 bits a weight. What is the law's $P^{-\\gamma}$?",
  explanation:
    "$(3.148 / 3)^{5.4967}$. Groups of 128 help several times more than the bits that they cost, by the public rows; a law in bits alone cannot know it.",
};

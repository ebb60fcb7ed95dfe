/** Exercises of notebook 17, with their hidden answers. */
import { scheduleLaws } from "../../lib/figures/mod.ts";
import { fitDecay } from "../../lib/laws/mod.ts";
import type { Exercise } from "../../lib/notebook/mod.ts";

const atThreeBits = () => scheduleLaws().find(({ bits }) => bits === 3)!;

export const fullDecay: Exercise = {
  id: "17.1",
  solution: () => Math.exp(0.9 * atThreeBits().both.exponents.decay!.value),
  hint: String.raw`$1 - r$ goes from 0 to 0.9.`,
  explanation: String.raw`The factor is $e^{0.9\,\delta}$.`,
};

export const tokensForDecay: Exercise = {
  id: "17.2",
  solution() {
    const { tokens, decay } = atThreeBits().both.exponents;
    return Math.exp(0.9 * decay!.value / tokens!.value);
  },
  hint: String.raw`Solve $x^{\beta} = e^{0.9\,\delta}$ for $x$.`,
  explanation: String
    .raw`$x = e^{0.9\,\delta/\beta}$. A decay costs as much as so many times longer training at the peak rate.`,
};

export const betterForm: Exercise = {
  id: "17.3",
  solution() {
    const { rows } = atThreeBits();
    const [power, exponential] = (["power", "exponential"] as const)
      .map((form) => fitDecay(rows, { form }).deviation);
    return power! < exponential! ? "power" : "exponential";
  },
  hint: "The deviation is that of a residual of ln QiD: lower is better.",
  explanation:
    "The two forms differ most at the end of a decay: by a power, the last stretch from 0.2 to 0.1 of the peak would count as much as that from 1 to 0.5.",
};

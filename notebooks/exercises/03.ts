/** Exercises of notebook 03, with their hidden answers. */
import pl from "nodejs-polars";
import { loadFigure2 } from "../../lib/data.ts";
import { fit, published } from "../../lib/laws/mod.ts";
import type { Exercise } from "../../lib/notebook/mod.ts";

export const halving: Exercise = {
  id: "3.1",
  solution: () => 2 ** (1 / published.size.sizeExponent),
  hint: String.raw`Solve $x^{-\alpha} = 1/2$ for $x$.`,
  explanation: String.raw`$x = 2^{1/\alpha}$: size is an expensive way to buy a low QiD.`,
};

export const fourthBit: Exercise = {
  id: "3.2",
  solution: () => (4 / 3) ** published.bits.bitExponent,
  hint: String.raw`QiD is proportional to $P^{-\gamma}$.`,
  explanation: String
    .raw`$(4/3)^{\gamma}$: about half of what the step from 2 bits to 3 brings, $(3/2)^{\gamma}$.`,
};

export const lastCheckpoint: Exercise = {
  id: "3.3",
  solution() {
    const rows = loadFigure2().filter(pl.col("step").eq(98000).and(pl.col("bits").eq(3)));
    const alpha = fit("size", rows).parameters.sizeExponent!;
    return alpha > published.size.sizeExponent ? "above" : "below";
  },
  hint: "It is in the row with step 98,000.",
  explanation: String
    .raw`One law with one $\alpha$ cannot show that the exponent differs between checkpoints.`,
};

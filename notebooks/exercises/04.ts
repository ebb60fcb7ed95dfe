/** Exercises of notebook 04, with their hidden answers. */
import pl from "nodejs-polars";
import { loadFigure2 } from "../../lib/data.ts";
import { fit, predict, published } from "../../lib/laws/mod.ts";
import type { Exercise } from "../../lib/notebook/mod.ts";

const law = published.unified;

export const keepingPace: Exercise = {
  id: "4.1",
  solution: () => 2 ** (law.tokenExponent / law.sizeExponent),
  hint: String.raw`$2^{\beta} = x^{\alpha}$.`,
  explanation: String.raw`$x = 2^{\beta/\alpha}$: size would have to outrun tokens by far.`,
};

export const bitsNeeded: Exercise = {
  id: "4.2",
  solution() {
    const atOneBit = predict("unified", law, { size: 7e9, tokens: 15e12, bits: 1 });
    return (atOneBit / 0.1) ** (1 / law.bitExponent);
  },
  unit: "bits",
  hint: "Solve Eq. 8 for $P$. The prediction at $P = 1$ is the law without its last factor.",
  explanation: String.raw`$P = (k D^{\beta} N^{-\alpha} / 0.1)^{1/\gamma}$.`,
};

export const withoutLate: Exercise = {
  id: "4.3",
  solution() {
    const points = loadFigure2();
    const early = points.filter(pl.col("size").gt(1e8).or(pl.col("step").ltEq(71000)));
    const [all, kept] = [points, early].map((rows) => fit("unified", rows).parameters);
    return kept!.tokenExponent! > all!.tokenExponent! ? "rise" : "fall";
  },
  hint: 'Filter with `pl.col("size").gt(1e8).or(pl.col("step").ltEq(71000))`.',
  explanation: "Three checkpoints of one small model move the exponent that projections rest on.",
};

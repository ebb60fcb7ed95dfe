/** Exercises of notebook 02, with their hidden answers. */
import pl from "nodejs-polars";
import { loadFigure2 } from "../../lib/data.ts";
import { fit, type FitOptions, published } from "../../lib/laws/mod.ts";
import type { Exercise } from "../../lib/notebook/mod.ts";

/** The token law, fitted to one model at 2 bits. */
function tokenLaw(model: string, options: FitOptions = {}) {
  const rows = loadFigure2().filter(pl.col("model").eq(pl.lit(model)).and(pl.col("bits").eq(2)));
  return fit("token", rows, options).parameters;
}

export const doubling: Exercise = {
  id: "2.1",
  solution: () => 2 ** (1 / published.token.tokenExponent),
  hint: String.raw`Solve $x^{\beta} = 2$ for $x$.`,
  explanation: String.raw`$x = 2^{1/\beta}$: a small exponent means that many tokens are needed.`,
};

export const oneNat: Exercise = {
  id: "2.2",
  solution() {
    const { scale, tokenExponent } = tokenLaw("Pythia-1B");
    return (1 / scale!) ** (1 / tokenExponent!);
  },
  tolerance: 0.05,
  unit: "tokens",
  hint: String.raw`$k D^{\beta} = 1$; the table of the fit holds $k$ and $\beta$.`,
  explanation: String.raw`$D = k^{-1/\beta}$. The points of Figure 2 cross one nat near there.`,
};

export const logSpace: Exercise = {
  id: "2.3",
  solution() {
    const raw = tokenLaw("Pythia-12B").tokenExponent!;
    const log = tokenLaw("Pythia-12B", { space: "log" }).tokenExponent!;
    return log > raw ? "higher" : "lower";
  },
  hint: "Raw space listens to the largest values; log space gives each point the same say.",
  explanation:
    "The late, steep points rule the raw fit. Where a power law holds, the two fits agree.",
};

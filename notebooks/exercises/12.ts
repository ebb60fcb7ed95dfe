/** Exercises of notebook 12, with their hidden answers. */
import pl from "nodejs-polars";
import { curvesLaw } from "../../lib/figures/mod.ts";
import { fit } from "../../lib/laws/mod.ts";
import type { Exercise } from "../../lib/notebook/mod.ts";
import { loadSuiteQid } from "../../lib/suite_tables.ts";

export const noLogarithm: Exercise = {
  id: "12.1",
  solution: () => loadSuiteQid().filter(pl.col("qid").ltEq(0)).height,
  unit: "rows",
  hint: 'Filter with `pl.col("qid").ltEq(0)` and look at `height`.',
  explanation:
    "They are early checkpoints at 4 bits, whose QiD is smaller than its own standard error.",
};

export const sameDegradation: Exercise = {
  id: "12.2",
  solution() {
    const rows = loadSuiteQid({ bits: [3] });
    const beta = fit(curvesLaw("tokens", rows), rows).parameters.tokenExponent!;
    const alpha = fit(curvesLaw("size", rows), rows).parameters.sizeExponent!;
    return 2 ** (beta / alpha);
  },
  tolerance: 0.03,
  hint: String.raw`$2^{\beta} = x^{\alpha}$, with $\beta$ and $\alpha$ of \`curvesLaw\` at 3 bits.`,
  explanation: String.raw`$x = 2^{\beta/\alpha}$; with the paper's exponents it is about 5.`,
};

export const eightBits: Exercise = {
  id: "12.3",
  solution() {
    const rows = loadSuiteQid({ bits: [3, 4, 8] }).filter(pl.col("model").eq(pl.lit("w32-d3-s0")));
    const last = (bits: number) => {
      const part = rows.filter(pl.col("bits").eq(bits)).sort("tokens").toRecords();
      return Number(part.at(-1)!.qid);
    };
    const gamma = Math.log(last(3) / last(4)) / Math.log(4 / 3);
    return last(4) * (4 / 8) ** gamma / last(8);
  },
  tolerance: 0.05,
  hint: String
    .raw`From 3 and 4 bits follows $\gamma$, and from it the QiD at 8 bits; divide it by the measured one.`,
  explanation: "A power of the bits falls too slowly at 8 bits; an exponential would not.",
};

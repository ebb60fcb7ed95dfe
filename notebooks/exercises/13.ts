/** Exercises of notebook 13, with their hidden answers. */
import pl from "nodejs-polars";
import { fit, predict } from "../../lib/laws/mod.ts";
import type { Exercise } from "../../lib/notebook/mod.ts";
import { loadSuiteQid } from "../../lib/suite_tables.ts";

export const parameterCount: Exercise = {
  id: "13.1",
  solution: () => fit("per-bit-width", loadSuiteQid()).law.parameters.length,
  unit: "parameters",
  hint: "Count them: a scale and two exponents for each of three bit widths.",
  explanation: "Nine, where the unified law has four.",
};

export const fiveBits: Exercise = {
  id: "13.2",
  solution() {
    const { law, parameters } = fit("unified", loadSuiteQid());
    const at = { size: 38176, tokens: 2 ** 26, bits: 5 };
    return predict(law, parameters, at);
  },
  unit: "nats per byte",
  hint: "`fit` the unified law, and call its `predict` with `bits: 5`.",
  explanation: "The law of each bit width has nothing to say here: it knows 2, 3 and 4 bits only.",
};

export const inLogSpace: Exercise = {
  id: "13.3",
  solution() {
    const [raw, log] = (["raw", "log"] as const).map((space) => {
      const rows = loadSuiteQid().filter(pl.col("qid").gt(0));
      return fit("unified", rows, { space }).parameters.bitExponent!;
    });
    return log! > raw! ? "higher" : "lower";
  },
  hint: 'Fit the unified law to the rows with a positive QiD, once with `{ space: "log" }`.',
  explanation: "Raw space is ruled by 2 bits, log space listens to 3 and 4 bits as well.",
};

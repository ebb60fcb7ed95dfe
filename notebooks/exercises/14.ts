/** Exercises of notebook 14, with their hidden answers. */
import { foretold, predictedFromOtherSizes } from "../../lib/figures/mod.ts";
import type { Exercise } from "../../lib/notebook/mod.ts";
import { loadSuiteQid } from "../../lib/suite_tables.ts";

export const insideInterval: Exercise = {
  id: "14.1",
  solution() {
    const rows = foretold("size").filter(({ law, space, measured }) =>
      law === "per-bit-width" && space === "raw" && measured !== undefined
    );
    const inside = rows.filter(({ measured, lower, upper }) =>
      measured! >= lower && measured! <= upper
    );
    return 100 * inside.length / rows.length;
  },
  unit: "%",
  hint: 'Take `foretold("size")` with the law "per-bit-width" in "raw" space, and count.',
  explanation:
    "The interval is that of the law, as if its form were right; that the form is wrong is not in it.",
};

export const worstSize: Exercise = {
  id: "14.2",
  solution() {
    const rows = predictedFromOtherSizes(loadSuiteQid(), "unified").filter(({ qid }) => qid > 0);
    const labels = [...new Set(rows.map(({ label }) => label))];
    const error = (label: string) => {
      const own = rows.filter((row) => row.label === label);
      return own.reduce((sum, { qid, predicted }) => sum + Math.log(predicted / qid) ** 2, 0) /
        own.length;
    };
    return labels.reduce((worst, label) => error(label) > error(worst) ? label : worst);
  },
  hint: 'Use `predictedFromOtherSizes(loadSuiteQid(), "unified")` and the last table\'s cell.',
  explanation: "A law is most often wrong where it has to reach beyond what it has seen.",
};

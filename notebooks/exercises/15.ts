/** Exercises of notebook 15, with their hidden answers. */
import { median } from "simple-statistics";
import { textPairs } from "../../lib/figures/mod.ts";
import { fit } from "../../lib/laws/mod.ts";
import type { Exercise } from "../../lib/notebook/mod.ts";
import { loadSuiteQid } from "../../lib/suite_tables.ts";

/** The QiD at 3 bits of the smallest size at its last checkpoint. */
function last(method: string): number {
  const rows = loadSuiteQid({ method, bits: [3] }).toRecords();
  const smallest = Math.min(...rows.map(({ size }) => Number(size)));
  return Number(rows.filter(({ size }) => Number(size) === smallest).at(-1)!.qid);
}

export const fourTimes: Exercise = {
  id: "15.1",
  solution: () => 4 ** fit("size-token", loadSuiteQid({ bits: [4] })).parameters.tokenExponent!,
  hint: String.raw`The factor is $4^{\beta}$; size and scale drop out.`,
  explanation: String.raw`$k\,(4D)^{\beta} / N^{\alpha}$ over $k\,D^{\beta} / N^{\alpha}$.`,
};

export const roundingOverGptq: Exercise = {
  id: "15.2",
  solution: () => last("rtn") / last("gptq"),
  tolerance: 0.05,
  hint: "Take the last row of the smallest size of each table.",
  explanation:
    "The grid is the same; GPTQ chooses the points on it so that the errors of a row make up for one another.",
};

export const relativeToLoss: Exercise = {
  id: "15.3",
  solution() {
    const rows = textPairs().filter(({ bits, qid, qid_se }) => bits === 3 && qid > 3 * qid_se);
    return median(rows.map((row) => row.other / row.otherLoss16 / (row.qid / row.loss16))) < 1;
  },
  hint: "Take other / otherLoss16 over qid / loss16, and its median.",
  explanation:
    "Losses on the two texts differ much less than the QiDs on them, so dividing by them changes little.",
};

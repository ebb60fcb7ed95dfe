/** Exercises of notebook 11, with their hidden answers. */
import { measureLive } from "../../lib/measure/mod.ts";
import type { Exercise } from "../../lib/notebook/mod.ts";
import { loadSuiteTable } from "../../lib/suite_tables.ts";

export const sizeOfWidth: Exercise = {
  id: "11.1",
  solution: () => 3 * (12 * 48 ** 2 + 13 * 48) + 2 * 48,
  unit: "parameters",
  hint: String.raw`A layer has $12 d^2 + 13 d$ parameters, and the last norm $2 d$.`,
  explanation: String.raw`$3 (12 \cdot 48^2 + 13 \cdot 48) + 2 \cdot 48$.`,
};

export const ratioOfTokens: Exercise = {
  id: "11.2",
  solution() {
    const { tokens, size } = loadSuiteTable("runs").sort("size").toRecords()[0]!;
    return Number(tokens) / Number(size);
  },
  unit: "bytes a parameter",
  hint: "Divide the columns `tokens` and `size` of the run.",
  explanation: "Far more than the 20 tokens a parameter that are cheapest to train with.",
};

export const roundedAway: Exercise = {
  id: "11.3",
  async solution() {
    const methods = ["rtn", "gptq"].map((name) => `${name}:paper,group=32,bits=3`);
    const [rtn, gptq] = await measureLive({ run: "w32-d3-s0", step: 16384 }, methods);
    return rtn!.qid / gptq!.qid;
  },
  tolerance: 0.05,
  hint: 'Give `measureLive({ run: "w32-d3-s0", step: 16384 }, [...])` both methods at once.',
  explanation: "GPTQ lets later columns make up for the rounding of earlier ones (notebook 8).",
};

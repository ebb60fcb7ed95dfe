/** Exercises of notebook 07, with their hidden answers. */
import { linearRegression } from "simple-statistics";
import { loadTokenCounts } from "../../lib/data.ts";
import type { Exercise } from "../../lib/notebook/mod.ts";

const counts = () => loadTokenCounts().toRecords();

export const year: Exercise = {
  id: "7.1",
  solution() {
    const points = counts().map((row) => [row.year! + row.month! / 12, Math.log10(row.tokens!)]);
    const { m, b } = linearRegression(points);
    return (14 - b) / m;
  },
  tolerance: 0.0005,
  hint: String.raw`Where does the straight line through $\log_{10} D$ reach 14?`,
  explanation: "$(14 - b) / m$. A straight line through four years is a guess, not a forecast.",
};

export const perParameter: Exercise = {
  id: "7.2",
  solution: () => counts().find(({ model }) => model === "Llama-3-8B")!.tokens! / 8e9,
  unit: "tokens a parameter",
  hint: "Divide.",
  explanation:
    "The rule of thumb for the cheapest training (Hoffmann et al. 2022) is about 20 of them.",
};

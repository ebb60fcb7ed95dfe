/** Exercises of notebook 21, with their hidden answers. */
import { curvesLaw, suiteClaims } from "../../lib/figures/mod.ts";
import { fit, published } from "../../lib/laws/mod.ts";
import type { Exercise } from "../../lib/notebook/mod.ts";
import { loadSuiteQid } from "../../lib/suite_tables.ts";

export const partly: Exercise = {
  id: "21.1",
  solution: () => suiteClaims().filter(({ held }) => held === "partly").length,
  hint: "Count them in the table.",
  explanation: "A direction that holds is worth something, a number that holds is worth more.",
};

export const countHeld: Exercise = {
  id: "21.2",
  solution() {
    const rows = loadSuiteQid();
    const exponents = [
      ["tokens", "tokenExponent", published.token.tokenExponent],
      ["size", "sizeExponent", published.size.sizeExponent],
      ["bits", "bitExponent", published.bits.bitExponent],
    ] as const;
    return exponents.filter(([along, name, paper]) => {
      const found = fit(curvesLaw(along, rows), rows).parameters[name]!;
      return Math.abs(found / paper - 1) < 0.1;
    }).length;
  },
  hint: "Fit `curvesLaw` along tokens, size and bits to all rows, and compare with `published`.",
  explanation:
    "How many claims hold depends on how near is near; so a rule has to be written down first.",
};

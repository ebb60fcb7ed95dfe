/** Exercises of notebook 20, with their hidden answers. */
import { depthLaws, depthRows } from "../../lib/figures/mod.ts";
import type { Exercise } from "../../lib/notebook/mod.ts";

const atThreeBits = () => depthLaws().find(({ bits }) => bits === 3)!;

export const sameWithDepth: Exercise = {
  id: "20.1",
  solution() {
    const { depthExponent, sizeExponent } = atThreeBits();
    return 2 ** (depthExponent / sizeExponent);
  },
  hint: String.raw`Solve $x^{-\alpha}\, 2^{\delta} = 1$ for $x$.`,
  explanation: String.raw`$x = 2^{\delta/\alpha}$.`,
};

export const wideEnough: Exercise = {
  id: "20.2",
  solution: () => -2 * atThreeBits().sizeExponent,
  hint: String.raw`N is proportional to $w^2$ at a fixed depth.`,
  explanation: String.raw`$N^{-\alpha}$ is $w^{-2\alpha}$.`,
};

export const deepestAtFour: Exercise = {
  id: "20.3",
  solution() {
    const [one, six] = [1, 6].map((depth) =>
      depthRows().find((row) => row.bits === 4 && row.width === 64 && row.depth === depth)!.qid
    );
    return six! / one!;
  },
  hint: "`qidOf(6, 64, 4)` and `qidOf(1, 64, 4)`.",
  explanation: "The deeper model has almost six times the parameters.",
};

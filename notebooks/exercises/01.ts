/** Exercises of notebook 01, with their hidden answers. */
import type { Exercise } from "../../lib/notebook/mod.ts";
import { quantize } from "../../lib/quantize/mod.ts";

export const levels: Exercise = {
  id: "1.1",
  solution: () => 2 ** 3,
  tolerance: 1e-6,
  hint: "Each bit doubles them.",
  explanation: String.raw`$2^3$: in the symmetric grid $-4, \dots, 3$ times the scale.`,
};

export const tie: Exercise = {
  id: "1.2",
  solution() {
    const group = { rows: 1, columns: 3, data: Float32Array.of(0.3, -0.9, 0.1) };
    return quantize(group, "rtn:bits=2,symmetric=true,scales=f32").weights[0]!;
  },
  hint: String.raw`The scale is $2 \max|w| / 3$.`,
  explanation:
    "The scale is 0.6, and $0.3 / 0.6 = 0.5$ is a tie, which goes to the even number: to zero.",
};

export const bitsPerWeight: Exercise = {
  id: "1.3",
  solution() {
    const weights = { rows: 1, columns: 128, data: new Float32Array(128).fill(1) };
    return quantize(weights, "rtn:bits=4,group=128,symmetric=false").bitsPerWeight;
  },
  tolerance: 0.001,
  unit: "bits",
  hint: "All that is stored, divided by the number of weights.",
  explanation:
    "$4 + (16 + 4) / 128$. The scales of small groups are not free: at groups of 16, $4 + 20 / 16$.",
};

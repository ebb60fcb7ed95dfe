/** Exercises of notebook 22, with their hidden answers. */
import type { Exercise } from "../../lib/notebook/mod.ts";
import { gptqGains, landscapes } from "../../lib/predictor/mod.ts";

export const radiusOfNoise: Exercise = {
  id: "22.1",
  solution: () => 10 ** (-12 / 20),
  hint: String.raw`Noise is $-20 \log_{10} r$ decibels.`,
  explanation: String.raw`$10^{-12/20}$: a perturbation a quarter as long as the weights.`,
};

export const secondOrderRise: Exercise = {
  id: "22.2",
  solution() {
    const last = landscapes().filter(({ model }) => model === "w32-d3-s0").at(-1)!;
    return last.landscape.secondDerivative * 0.1 ** 2 / 2;
  },
  unit: "nats per byte",
  hint: String
    .raw`Take the last landscape of "w32-d3-s0". Along $d$ the loss is $L + r^2\, d^T H d / 2$.`,
  explanation: "At 20 dB this is still near the profile that was measured; at 9 dB it is not.",
};

export const largestShare: Exercise = {
  id: "22.3",
  solution() {
    const ofFour = gptqGains().filter(({ rtn }) => rtn.title === "MXINT4, blocks of 32");
    return 100 * ofFour.reduce((sum, { share }) => sum + share, 0) / ofFour.length;
  },
  unit: "%",
  hint: 'Filter `gptqGains()` by `rtn.title === "MXINT4, blocks of 32"` and average `share`.',
  explanation: "The Hessian that GPTQ uses is that of one layer's output; the loss has its own.",
};

/** Exercises of notebook 09, with their hidden answers. */
import { formatSqnr, loadEncoder } from "../../lib/encoder/mod.ts";
import type { Exercise } from "../../lib/notebook/mod.ts";
import { quantize } from "../../lib/quantize/mod.ts";

export const blocks: Exercise = {
  id: "9.1",
  solution: () => formatSqnr("mxfp4:block=16").real.bitsPerWeight,
  tolerance: 1e-6,
  unit: "bits",
  hint: "A shared exponent takes 8 bits.",
  explanation: "$4 + 8 / 16$.",
};

export const oneBit: Exercise = {
  id: "9.2",
  solution: () => -10 * Math.log10(1 - 2 / Math.PI),
  unit: "dB",
  hint: String
    .raw`The levels are $\pm \operatorname{mean}|w| = \pm \sqrt{2/\pi}$, and the error is what ` +
    "the square of the mean does not explain of the mean square, 1.",
  explanation: String.raw`$-10 \log_{10}(1 - 2/\pi)$ (Max 1960). This is what BitNet b1 has.`,
};

export const oneScale: Exercise = {
  id: "9.3",
  solution() {
    const { weights } = loadEncoder().matrix("layer_1.ffn_out");
    const sqnr = (group: string) => quantize(weights, `rtn:bits=4,group=${group}`).error.sqnr;
    return sqnr("32") - sqnr("tensor");
  },
  unit: "dB",
  hint:
    '`rtn:bits=4,group=32` and `rtn:bits=4,group=tensor` on `loadEncoder().matrix("...").weights`.',
  explanation:
    "More than three bits' worth. The largest weight is 34 times the root mean square, and " +
    "one scale must span it.",
};

/** Exercises of notebook 10, with their hidden answers. */
import { calibratedLayer } from "../../lib/encoder/mod.ts";
import type { Exercise } from "../../lib/notebook/mod.ts";
import { sqnr } from "../../lib/quantize/mod.ts";

export const tenTimes: Exercise = {
  id: "10.1",
  solution: () => 10 ** 0.2,
  hint: "$s = x^r$.",
  explanation: "$10^{0.2}$: ten times the input, and not even twice the scale.",
};

export const even: Exercise = {
  id: "10.2",
  solution() {
    const { losses } = calibratedLayer("layer_0.ffn_in").awqScales(3);
    return 100 * (1 - Math.min(...losses) / losses[0]!);
  },
  tolerance: 0.1,
  unit: "%",
  hint: '`calibratedLayer("layer_0.ffn_in").awqScales(3).losses` are the 20 errors.',
  explanation:
    "Next to nothing: these inputs come from a layer norm and are all of about one size.",
};

export const weights: Exercise = {
  id: "10.3",
  solution() {
    const layer = calibratedLayer("layer_1.ffn_out");
    const before = layer.weights.data;
    const after = layer.awq(3, { clip: false }).weights;
    return sqnr([{ before, after }]) > layer.measure("rtn:bits=3,group=128").weights;
  },
  hint: 'One is `layer.measure("rtn:bits=3,group=128").weights`, the other the `sqnr` of what ' +
    "`layer.awq(3, { clip: false })` gives.",
  explanation:
    "As with GPTQ: the outputs come nearer, the weights do not. Channels that hardly ever " +
    "have an input are rounded coarsely.",
};

/** Exercises of notebook 08, with their hidden answers. */
import { calibratedLayer } from "../../lib/encoder/mod.ts";
import { correlatedHessian } from "../../lib/figures/mod.ts";
import type { Exercise } from "../../lib/notebook/mod.ts";
import { quantize } from "../../lib/quantize/mod.ts";
import { normals } from "../../lib/random.ts";

export const alone: Exercise = {
  id: "8.1",
  solution() {
    const columns = 8;
    const data = new Float64Array(columns * columns);
    for (let i = 0; i < columns; i++) data[i * columns + i] = (i + 1) ** 2;
    const row = { rows: 1, columns, data: normals(columns, { seed: 9 }) };
    const inputs = { hessian: { rows: columns, columns, data } };
    const [rtn, gptq] = ["rtn:bits=3", "gptq:bits=3"].map((spec) => quantize(row, spec, inputs));
    return rtn!.codes.some((code, i) => code !== gptq!.codes[i]);
  },
  hint: "Which weight could stand in for another?",
  explanation: "$H$ is diagonal, and so is its inverse: an error moves no other weight. " +
    "GPTQ lives on correlation alone.",
};

export const worse: Exercise = {
  id: "8.2",
  solution() {
    const hessian = correlatedHessian(8, 0.9);
    const seeds = Array.from({ length: 100 }, (_, i) => i + 1);
    return seeds.filter((seed) => {
      const row = { rows: 1, columns: 8, data: normals(8, { seed }) };
      const [rtn, gptq] = ["rtn:bits=3", "gptq:bits=3,damping=0"]
        .map((spec) => quantize(row, spec, { hessian }).error.hessian!);
      return gptq! > 1.0001 * rtn!;
    }).length;
  },
  tolerance: 1e-6,
  unit: "rows",
  hint:
    "Make a row with `normals(8, { seed })`, quantize it both ways with the Hessian, and compare " +
    "`error.hessian`.",
  explanation:
    "GPTQ is greedy: it never takes a rounding back, and the last column has no one left " +
    "to make up for it.",
};

export const damped: Exercise = {
  id: "8.3",
  solution() {
    const layer = calibratedLayer("layer_0.ffn_out");
    const outputs = [0.01, 0.1, 1].map((damping) => ({
      damping,
      sqnr: layer.measure(`gptq:bits=3,group=128,damping=${damping}`).test,
    }));
    return outputs.reduce((a, b) => b.sqnr > a.sqnr ? b : a).damping;
  },
  tolerance: 1e-6,
  hint: '`calibratedLayer("layer_0.ffn_out").measure(...)`, and look at `test`.',
  explanation:
    "With fewer tokens than inputs many directions of $H$ are empty, and without damping " +
    "GPTQ puts its errors there. Another text fills them.",
};

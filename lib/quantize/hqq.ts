/**
 * HQQ: half-quadratic quantization. Needs no calibration: the zero point of each group is moved so
 * that most weights come back closely and a few outliers may not.
 * Source: Badri and Shaji 2023 (mobiusml.github.io/hqq_blog), mobiusml/hqq optimize.py.
 */
import { rangesOf, roundHalfEven, roundToFloat16 } from "./grid.ts";
import { integerOptions } from "./integer_options.ts";
import { defineMethod } from "./method.ts";
import { checkGroup, keepWeights } from "./store.ts";

const fround = Math.fround;

/** The reference's solver: at most so many steps, of the norm |x|^p, with beta growing by kappa. */
const solver = { steps: 20, p: 0.7, beta: 10, kappa: 1.01 };
/** Inverse scales are kept below this, as they are in the reference for float16's sake. */
const largestInverse = 2e4;

/** Half-quadratic quantization. */
export const hqq = defineMethod({
  name: "hqq",
  title: "Half-quadratic quantization",
  source: "Badri and Shaji 2023, mobiusml/hqq",
  needs: "nothing",
  options: {
    bits: { ...integerOptions.bits },
    group: { ...integerOptions.group, default: 64 },
    scales: {
      ...integerOptions.scales,
      meaning: "how scales and zero points are kept; codes are found with float32 ones",
    },
  },
  presets: {},
  run(weights, { bits, group, scales }) {
    if (bits === 16) return keepWeights(weights);
    const width = group === "row" ? weights.columns : group;
    checkGroup(weights.columns, width);
    const maxq = 2 ** bits - 1;
    const { inverse, zero, steps } = solve(weights.data, { maxq, width, roundZero: bits === 4 });

    const keep = (values: Float32Array) => scales === "f16" ? roundToFloat16(values) : values;
    const scale = keep(inverse.map((value) => 1 / value));
    const zeroPoints = keep(zero);
    const codes = new Uint8Array(weights.data.length);
    const values = new Float32Array(weights.data.length);
    for (let group = 0; group < scale.length; group++) {
      for (let i = group * width; i < (group + 1) * width; i++) {
        const code = codeOf(fround(weights.data[i]! * inverse[group]!), zero[group]!, maxq);
        codes[i] = code;
        values[i] = fround(code - zeroPoints[group]!) * scale[group]!;
      }
    }
    const bitsOfScale = scales === "f16" ? 16 : 32;
    return {
      weights: values,
      codes,
      scales: scale,
      zeroPoints,
      storage: [
        { name: "codes", values: codes, bits },
        { name: "scales", values: scale, bits: bitsOfScale },
        { name: "zero_points", values: zeroPoints, bits: bitsOfScale },
      ],
      report: { steps },
    };
  },
});

interface Solution {
  /** 1 / scale, one a group. */
  readonly inverse: Float32Array;
  /** Real-valued zero points, in codes. */
  readonly zero: Float32Array;
  readonly steps: number;
}

/** Alternates rounding and the zero point until the mean absolute error stops falling. */
function solve(
  values: Float32Array,
  { maxq, width, roundZero }: { maxq: number; width: number; roundZero: boolean },
): Solution {
  const groups = values.length / width;
  const inverse = new Float32Array(groups);
  const zero = new Float32Array(groups);
  const { low, high } = rangesOf(values, width);
  for (let group = 0; group < groups; group++) {
    inverse[group] = Math.min(maxq / fround(high[group]! - low[group]!), largestInverse);
    const start = fround(-low[group]! * inverse[group]!);
    zero[group] = roundZero ? roundHalfEven(start) : start;
  }
  let { beta } = solver;
  let best = Infinity;
  for (let step = 1; step <= solver.steps; step++) {
    let total = 0;
    for (let group = 0; group < groups; group++) {
      const part = values.subarray(group * width, (group + 1) * width);
      const found = moveZero(part, { inverse: inverse[group]!, zero: zero[group]!, maxq, beta });
      zero[group] = found.zero;
      total += found.error;
    }
    beta *= solver.kappa;
    const error = total / values.length;
    if (error >= best) return { inverse, zero, steps: step };
    best = error;
  }
  return { inverse, zero, steps: solver.steps };
}

interface GroupState {
  readonly inverse: number;
  readonly zero: number;
  readonly maxq: number;
  readonly beta: number;
}

/** One step for one group: its next zero point, and its absolute error with the present one. */
function moveZero(
  values: Float32Array,
  { inverse, zero, maxq, beta }: GroupState,
): { zero: number; error: number } {
  // Up to here |d| - |d|^(p-1) / beta is not above 0, and nothing is shrunk away.
  const kept = beta ** (1 / (solver.p - 2)) * 0.9999;
  const scale = 1 / inverse;
  let sum = 0;
  let total = 0;
  for (let i = 0; i < values.length; i++) {
    const weight = values[i]!;
    const scaled = fround(weight * inverse);
    const code = codeOf(scaled, zero, maxq);
    const error = weight - (code - zero) * scale;
    const size = Math.abs(error);
    total += size;
    // Code - (weight - outlier) / scale.
    sum += code - scaled;
    if (size >= kept) sum += shrink(error, beta) * inverse;
  }
  return { zero: sum / values.length, error: total };
}

/** The proximal operator of |x|^p: sign(x) max(|x| - |x|^(p-1) / beta, 0). */
function shrink(x: number, beta: number): number {
  const size = Math.abs(x);
  return Math.sign(x) * Math.max(size - size ** (solver.p - 1) / beta, 0);
}

/** The code of a weight over its scale. */
function codeOf(scaled: number, zero: number, maxq: number): number {
  return Math.min(Math.max(roundHalfEven(fround(scaled + zero)), 0), maxq);
}

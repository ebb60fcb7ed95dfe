/** LLM.int8: rows of 8-bit integers, and the columns that meet outlier features kept at 16 bits. */
import { largestOf } from "./grid.ts";
import { kernel } from "./kernel.ts";
import { defineMethod, type Encoded, type Matrix } from "./method.ts";

const fround = Math.fround;

/**
 * Vector-wise 8-bit quantization with outlier columns.
 *
 * A feature is an outlier when some activation of it is at least `threshold` in size; its column of
 * weights is kept in float16. The other weights of a row share a scale, their greatest absolute
 * value, and become whole numbers from -127 to 127 (half to even). Without activations no column is
 * kept: this is how bitsandbytes stores a layer, which looks for outliers as inputs come in and then
 * takes their columns from the 8-bit weights. The activations themselves, which LLM.int8 rounds in the
 * same way at run time, are left alone.
 *
 * Codes are two's complement, and 0 in the kept columns. The arithmetic is that of bitsandbytes in
 * PyTorch: code = round(w * f32(127 * f32(1 / scale))), value = f32(code * scale) * f32(1 / 127).
 */
export const int8 = defineMethod({
  name: "int8",
  title: "LLM.int8",
  source: "LLM.int8() (arXiv 2208.07339), bitsandbytes int8_vectorwise_quant",
  needs: "nothing",
  options: {
    threshold: {
      kind: "number",
      default: 6,
      minimum: 0,
      maximum: 65504,
      meaning: "size of an activation that makes its feature an outlier; 0 looks for none",
    },
  },
  presets: {},
  run(weights, { threshold }, { activations }) {
    const outliers = activations && threshold > 0 ? outlierColumns(activations, threshold) : [];
    return quantizeRows(weights, outliers);
  },
});

/** The features, in order, of which some activation is at least `threshold` in size. */
export function outlierColumns({ columns, data }: Matrix, threshold: number): number[] {
  const found = new Uint8Array(columns);
  for (let i = 0; i < data.length; i++) {
    if (Math.abs(data[i]!) >= threshold) found[i % columns] = 1;
  }
  return Array.from(found.keys()).filter((column) => found[column] === 1);
}

function quantizeRows({ rows, columns, data }: Matrix, outliers: readonly number[]): Encoded {
  const inliers = outliers.length === 0 ? data : data.slice();
  const kept = new Float32Array(rows * outliers.length);
  for (const [i, column] of outliers.entries()) {
    for (let row = 0; row < rows; row++) {
      kept[row * outliers.length + i] = keepColumn(data[row * columns + column]!, column);
      inliers[row * columns + column] = 0;
    }
  }
  const values = new Float32Array(data.length);
  const codes = new Uint8Array(data.length);
  const scales = largestOf(inliers, columns);
  const zero = new Float32Array(rows).fill(128);
  const shape = { width: columns, grid: { maxq: 255 }, scale: scales, zero, codes };
  kernel().round({ ...shape, values: inliers, multiplier: stepsPerUnit });
  kernel().decode({ ...shape, unit: fround(1 / 127), output: values });
  // Counted from 128 so far.
  for (let i = 0; i < codes.length; i++) codes[i]! ^= 128;
  for (const [i, column] of outliers.entries()) {
    for (let row = 0; row < rows; row++) {
      values[row * columns + column] = kept[row * outliers.length + i]!;
    }
  }
  const isOutlier = new Set(outliers);
  const regular = outliers.length === 0
    ? codes
    : codes.filter((_, i) => !isOutlier.has(i % columns));
  return {
    weights: values,
    codes,
    scales,
    storage: [
      { name: "codes", values: regular, bits: 8 },
      { name: "scales", values: scales, bits: 32 },
      ...(outliers.length === 0 ? [] : [
        { name: "outlier_columns", values: Uint32Array.from(outliers), bits: 32 },
        { name: "outlier_weights", values: kept, bits: 16 },
      ]),
    ],
    report: { outlierColumns: outliers.length },
  };
}

/** 127 / scale, or 0 for a row of zeros. For the smallest scales 1 / scale is beyond float32. */
function stepsPerUnit(scale: number): number {
  if (scale === 0) return 0;
  const inverse = fround(1 / scale);
  return 127 * (inverse < Infinity ? inverse : 1 / scale);
}

function keepColumn(weight: number, column: number): number {
  const rounded = Math.f16round(weight);
  if (Number.isFinite(rounded)) return rounded;
  throw new Error(
    `Cannot keep outlier column ${column} in float16: needs at most 65504: got ${weight}`,
  );
}

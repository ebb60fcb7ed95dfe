import type { Operation, Parameter } from "./operation.ts";

/** The parameters of a layer normalisation. */
export interface NormParameters {
  readonly weight: Parameter;
  readonly bias: Parameter;
}

/**
 * y = z weight + bias with z = (x - mean x) / sqrt(variance x + epsilon), for each row x of `input`
 * [rows, width].
 *
 * Moving one x also moves the mean and the variance of its row. With g = dy weight and s =
 * sqrt(variance + epsilon): dx = (g - mean g - z mean(g z)) / s.
 */
export function layerNorm(
  input: Float64Array,
  { weight, bias }: NormParameters,
  epsilon: number,
): Operation {
  const width = weight.value.length;
  const rows = input.length / width;
  const z = new Float64Array(input.length);
  const deviations = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    const x = input.subarray(row * width, (row + 1) * width);
    const mean = meanOf(x);
    const deviation = Math.sqrt(meanOf(x.map((v) => (v - mean) ** 2)) + epsilon);
    deviations[row] = deviation;
    z.set(x.map((v) => (v - mean) / deviation), row * width);
  }
  return {
    value: z.map((v, i) => v * weight.value[i % width]! + bias.value[i % width]!),
    backward(gradient) {
      const inputGradient = new Float64Array(input.length);
      for (let row = 0; row < rows; row++) {
        const start = row * width;
        const zs = z.subarray(start, start + width);
        const dy = gradient.subarray(start, start + width);
        for (let i = 0; i < width; i++) {
          weight.gradient[i]! += dy[i]! * zs[i]!;
          bias.gradient[i]! += dy[i]!;
        }
        const g = dy.map((v, i) => v * weight.value[i]!);
        const meanG = meanOf(g);
        const meanGZ = meanOf(g.map((v, i) => v * zs[i]!));
        inputGradient.set(g.map((v, i) => (v - meanG - zs[i]! * meanGZ) / deviations[row]!), start);
      }
      return inputGradient;
    },
  };
}

/**
 * y = z weight with z = x / sqrt(mean x^2 + epsilon), for each row x of `input` [rows, width].
 *
 * With g = dy weight and s = sqrt(mean x^2 + epsilon): dx = (g - z mean(g z)) / s.
 */
export function rmsNorm(input: Float64Array, weight: Parameter, epsilon: number): Operation {
  const width = weight.value.length;
  const rows = input.length / width;
  const z = new Float64Array(input.length);
  const sizes = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    const x = input.subarray(row * width, (row + 1) * width);
    const size = Math.sqrt(meanOf(x.map((v) => v ** 2)) + epsilon);
    sizes[row] = size;
    z.set(x.map((v) => v / size), row * width);
  }
  return {
    value: z.map((v, i) => v * weight.value[i % width]!),
    backward(gradient) {
      const inputGradient = new Float64Array(input.length);
      for (let row = 0; row < rows; row++) {
        const start = row * width;
        const zs = z.subarray(start, start + width);
        const dy = gradient.subarray(start, start + width);
        for (let i = 0; i < width; i++) weight.gradient[i]! += dy[i]! * zs[i]!;
        const g = dy.map((v, i) => v * weight.value[i]!);
        const meanGZ = meanOf(g.map((v, i) => v * zs[i]!));
        inputGradient.set(g.map((v, i) => (v - zs[i]! * meanGZ) / sizes[row]!), start);
      }
      return inputGradient;
    },
  };
}

function meanOf(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

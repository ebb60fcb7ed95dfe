import { describe, expect, it } from "vitest";
import { loadKernel } from "../../lib/compute/mod.ts";
import { quantizeActivations, quantizeWeights } from "../../lib/quantize/mod.ts";
import { normals } from "./reference.ts";

const kernel = loadKernel();
const { network } = kernel;

/** A copy in the kernel's memory. */
function inKernel(values: ArrayLike<number>): Float32Array {
  const array = kernel.float32(values.length);
  array.set(values);
  return array;
}

describe("GELU", () => {
  /** Values from -14 to 14 that f32 holds exactly. */
  const step = 1 / 256;
  const points = Float64Array.from({ length: 28 / step }, (_, i) => i * step - 14);
  const density = (x: number) => Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);

  /**
   * The normal distribution at each point: its density integrated from -14 by Gauss's rule of three
   * points.
   */
  function distribution(): Float64Array {
    const [side, near] = [Math.sqrt(3 / 5) * step / 2, step / 2];
    let sum = 0;
    return points.map((x, i) => {
      if (i === 0) return 0;
      const middle = x - near;
      const ends = density(middle - side) + density(middle + side);
      return sum += step / 18 * (5 * ends + 8 * density(middle));
    });
  }

  /** 0.5 (1 + tanh u) and 2 u' at a point. */
  function byTanh(x: number) {
    const c = Math.sqrt(2 / Math.PI);
    const u = c * (x + 0.044715 * x ** 3);
    return { rise: 1 / (1 + Math.exp(-2 * u)), slope: 2 * c * (1 + 3 * 0.044715 * x ** 2) };
  }

  /**
   * Values within 1e-6 of themselves, in the far lower tail within 5e-11, and derivatives within
   * 4e-7.
   */
  function check(kind: "gelu" | "gelu_tanh", values: Float64Array, slopes: Float64Array): void {
    const [x, output] = [inKernel(points), kernel.float32(points.length)];
    network.gelu({ kind, x, output, rows: 1, width: points.length });
    points.forEach((point, i) => {
      const allowed = point > -4 ? 1e-6 * Math.abs(values[i]!) : 5e-11;
      expect(Math.abs(output[i]! - values[i]!), `at ${point}`).toBeLessThanOrEqual(allowed);
      expect(Math.abs(x[i]! - slopes[i]!), `slope at ${point}`).toBeLessThan(4e-7);
    });
  }

  it("is x Phi(x), with the derivative Phi(x) + x phi(x)", () => {
    const below = distribution();
    const slopes = points.map((x, i) => below[i]! + x * density(x));
    check("gelu", points.map((x, i) => x * below[i]!), slopes);
  });

  it("by tanh is 0.5 x (1 + tanh u)", () => {
    const slopes = points.map((x) => {
      const { rise, slope } = byTanh(x);
      return rise + x * rise * (1 - rise) * slope;
    });
    check("gelu_tanh", points.map((x) => x * byTanh(x).rise), slopes);
  });

  it("adds the bias first, and leaves x alone when no derivative is wanted", () => {
    const [x, output] = [inKernel([0, 1, 2, 3]), kernel.float32(4)];
    const bias = inKernel([1, 0, -1, -2]);
    network.gelu({ kind: "gelu", x, bias, output, rows: 1, width: 4, keep: false });
    output.forEach((value) => expect(value).toBeCloseTo(0.841344746, 6));
    expect([...x]).toEqual([0, 1, 2, 3]);
  });
});

describe("the loss", () => {
  it("is right for logits of any size, and its gradient sums to 0", () => {
    const [rows, width] = [3, 8];
    const logits = Float32Array.from(
      [0, 1, 2, 3, 4, 5, 6, 7, -1e4, 0, 3e4, 0, 0, 1, 2, 3, 9, 9, 9, 9, 9, 9, 9, 9],
    );
    const targets = kernel.int32(rows);
    targets.set([7, 2, 5]);
    const [x, losses] = [inKernel(logits), new Float64Array(rows)];
    network.crossEntropy({ rows, width, x, targets, losses, scale: 0.5 });
    const sum = [0, 1, 2, 3, 4, 5, 6, 7].reduce((total, value) => total + Math.exp(value - 7), 0);
    [Math.log(sum), 0, Math.log(8)].forEach((loss, i) => expect(losses[i]).toBeCloseTo(loss, 6));
    expect(x[7]).toBeCloseTo(0.5 * (1 / sum - 1), 6);
    expect(x[16]).toBeCloseTo(0.5 / 8, 7);
    for (let row = 0; row < rows; row++) {
      const gradient = x.subarray(row * width, (row + 1) * width);
      expect(gradient.reduce((total, value) => total + value)).toBeCloseTo(0, 6);
    }
  });
});

describe("a value that is not a number", () => {
  it("stays one in attention, GELU and the loss", () => {
    const shape = { sequences: 1, length: 5, heads: 1, headWidth: 4 };
    const x = inKernel(Array.from({ length: 5 * 12 }, (_, i) => Math.sin(i)));
    x[3 * 12 + 4] = NaN; // the key of position 3
    const probabilities = kernel.float32(network.probabilitiesLength(shape));
    const output = kernel.float32(5 * 4);
    network.attention({ ...shape, x, probabilities, output });
    const rows = [0, 1, 2, 3, 4].map((row) => Number.isNaN(output[row * 4]));
    expect(rows).toEqual([false, false, false, true, true]);

    const values = inKernel([NaN, 1, 2, 3]);
    network.gelu({ kind: "gelu", x: values, output, rows: 1, width: 4 });
    expect(output[0]).toBeNaN();
    expect(values[0]).toBeNaN();

    const targets = kernel.int32(1);
    const losses = new Float64Array(1);
    network.crossEntropy({ rows: 1, width: 4, x: inKernel([5, 1, NaN, 3]), targets, losses });
    expect(losses[0]).toBeNaN();
  });
});

describe("BitNet's rounding gives the values of lib/quantize, bit for bit", () => {
  const weights = normals(3, 1000).map((value) => 0.02 * value + 0.001);

  it.each(["b1.58", "b1"] as const)("weights, %s", (variant) => {
    const output = kernel.float32(weights.length);
    network.roundWeights(variant, inKernel(weights), output);
    expect(output).toEqual(inKernel(quantizeWeights(weights, { variant }).values));
  });

  it("activations, also rows of zeros", () => {
    const data = Float32Array.from([...normals(4, 36), ...new Float32Array(12)]);
    const x = inKernel(data);
    network.roundActivations(x, { rows: 4, width: 12 });
    const { values } = quantizeActivations({ rows: 4, columns: 12, data });
    expect([...x].map((value) => value + 0)).toEqual([...values].map((value) => value + 0));
  });
});

describe("arrays", () => {
  it("must lie in the kernel's memory and be long enough", () => {
    const [x, sums] = [kernel.float32(8), kernel.float32(4)];
    expect(() => network.addColumnSums({ rows: 2, width: 4, x: new Float32Array(8), sums }))
      .toThrow(
        "Cannot use x: it must lie in the kernel's memory: make it with kernel.float32",
      );
    expect(() => network.addColumnSums({ rows: 3, width: 4, x, sums })).toThrow(
      "Cannot use x: it needs 12 values: got 8",
    );
  });

  it("of any number of rows are summed by column", () => {
    const x = inKernel(Array.from({ length: 7 * 4 }, (_, i) => i));
    const sums = inKernel([1, 1, 1, 1]);
    network.addColumnSums({ rows: 7, width: 4, x, sums });
    expect([...sums]).toEqual([85, 92, 99, 106]);
  });
});

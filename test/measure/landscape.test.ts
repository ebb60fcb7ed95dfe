import { beforeAll, describe, expect, it } from "vitest";
import {
  checkProtocol,
  type LandscapeFeature,
  landscapeProtocol,
  measureLandscape,
  noiseWhere,
} from "../../lib/measure/mod.ts";
import { quantizedSlots, randomDirection } from "../../lib/measure/landscape_model.ts";
import { loadKernel } from "../../lib/compute/mod.ts";
import { createModel, gptNeoXConfig, runReference } from "../../lib/model/mod.ts";
import { textOf } from "./tiny.ts";

const length = 8;
const config = gptNeoXConfig({ width: 8, layers: 1, heads: 1, context: length, vocabulary: 128 });
const kernel = loadKernel();
const model = createModel(kernel, config, { seed: 3 });
// Weights that are large enough to matter.
model.parameters.forEach((value, i) => model.parameters[i] = 4 * value + 0.05 * Math.sin(i * i));
const tensors = model.tensors();
const source = { names: [...tensors.keys()], tensor: (name: string) => tensors.get(name)! };
const slots = quantizedSlots(config);
const tokens = textOf(4 * (length + 1));
const text = { name: "text", profile: { tokens, length }, curvature: { tokens, length } };
const protocol = {
  ...landscapeProtocol,
  noiseLevels: [50, 40, 20],
  difference: 0.002,
  directions: 6,
  traceVectors: 200,
  curvatureSequences: 4,
  curvatureBatches: 2,
};

/** The loss in float64, by the reference, with some weights of the linear maps moved. */
function referenceAt(move: (name: string, index: number) => number) {
  const moved = new Map([...tensors].map(([name, { data }]) => [
    name,
    Float64Array.from(data, (value, i) => value + move(name, i)),
  ]));
  return runReference(config, moved, tokens, { length });
}

let features: LandscapeFeature[];
const find = (feature: string, layer = "model", noise: number | null = null) =>
  features.find((row) => row.feature === feature && row.layer === layer && row.noise_db === noise)!;

beforeAll(async () => {
  features = await measureLandscape({ config, source }, { kernel, texts: [text], protocol });
});

describe("a landscape", () => {
  it("starts at the loss of the model", () => {
    expect(find("loss16").value).toBeCloseTo(referenceAt(() => 0).loss, 5);
  });

  it("has the trace of the Hessian that is taken column by column in float64", () => {
    const step = 1e-4;
    const traces = slots.map(({ name, length: count }) => {
      let trace = 0;
      for (let i = 0; i < count; i++) {
        const [ahead, behind] = [step, -step].map((signed) =>
          referenceAt((moved, j) => moved === name && j === i ? signed : 0).gradients().get(
            name,
          )![i]!
        );
        trace += (ahead! - behind!) / (2 * step);
      }
      return trace;
    });
    const check = (layer: string, trace: number) => {
      const { value, direction_se } = find("trace", layer);
      expect(Math.abs(value - trace)).toBeLessThan(4 * direction_se + 1e-3);
      return direction_se;
    };
    slots.forEach(({ name }, i) => check(name, traces[i]!));
    const whole = traces.reduce((sum, trace) => sum + trace, 0);
    // The error is small enough to tell the trace from 0, and from twice itself.
    expect(4 * check("model", whole)).toBeLessThan(Math.abs(whole));
  });

  it("has the second derivative along its directions, in float64", () => {
    const step = 1e-4;
    let sum = 0;
    for (let i = 0; i < protocol.directions; i++) {
      const direction = randomDirection(model.parameters, { slots, seed: protocol.seed + 1 + i });
      const offsets = new Map(model.layout.map(({ name, offset }) => [name, offset]));
      const at = (signed: number) =>
        referenceAt((name, j) => signed * direction[offsets.get(name)! + j]!).loss;
      sum += (at(step) - 2 * at(0) + at(-step)) / step ** 2;
    }
    expect(find("second_derivative").value / (sum / protocol.directions)).toBeCloseTo(1, 1);
  });

  it("rises near the weights as half the second derivative times the squared radius", () => {
    const half = find("second_derivative").value / 2;
    expect(find("profile", "model", 50).value / (half * 1e-5)).toBeCloseTo(1, 1);
  });

  it("is the same again, and leaves the model as it was", async () => {
    const before = model.parameters.slice();
    const again = await measureLandscape({ config, source }, { kernel, texts: [text], protocol });
    expect(again).toEqual(features);
    expect(model.parameters).toEqual(before);
  });

  it("has the traces of the layers add up to the model's", () => {
    const sum = slots.reduce((sum, { name }) => sum + find("trace", name).value, 0);
    expect(find("trace").value).toBeCloseTo(sum, 8);
  });
});

describe("a random direction", () => {
  it("is as long as the weights in each linear map, and 0 elsewhere", () => {
    const direction = randomDirection(model.parameters, { slots, seed: 5 });
    const norm = (values: Float32Array) => Math.hypot(...values);
    for (const { offset, length } of model.layout) {
      const [here, weights] = [direction, model.parameters].map((all) =>
        norm(all.subarray(offset, offset + length))
      );
      const moved = slots.some((slot) => slot.offset === offset);
      expect(here! / weights!).toBeCloseTo(moved ? 1 : 0, 5);
    }
  });
});

describe("the first step", () => {
  it("is read off between two levels, and beyond them", () => {
    // A rise of 10 (radius)^2: 0.1 at 20 dB.
    const levels = [30, 25, 15, 10];
    const rises = levels.map((level) => 10 * 10 ** (-level / 10));
    for (const height of [0.1, 0.001, 20]) {
      expect(noiseWhere(rises, levels, height)).toBeCloseTo(10 * Math.log10(10 / height), 9);
    }
    expect(noiseWhere([-1, 0], [30, 20], 0.1)).toBeNaN();
  });
});

describe("a protocol", () => {
  it.each([
    [{ directions: 1 }, "directions needs a whole number of at least 2: got 1"],
    [{ noiseLevels: [20, 30] }, "noiseLevels needs two or more falling numbers of dB: got 20, 30"],
    [{ firstStep: 0 }, "firstStep needs a positive number: got 0"],
    [{ curvatureSequences: 7 }, "curvatureSequences needs a multiple of 4: got 7"],
  ])("is refused: %j", (change, message) => {
    expect(() => checkProtocol({ ...landscapeProtocol, ...change })).toThrow(message);
  });
});

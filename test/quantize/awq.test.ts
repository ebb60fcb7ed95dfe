import { describe, expect, it } from "vitest";
import {
  awqMappings,
  awqOnBlock,
  type AwqOptions,
  type Matrix,
  quantize,
  searchClip,
  searchScales,
} from "../../lib/quantize/mod.ts";
import { makeLayer } from "./reference.ts";

const options: AwqOptions = { bits: 3, group: 8, scales: "f32", duo: false, clip: true };

/** X W^T, one token after another. */
function outputs(activations: Matrix, weights: Matrix): Float32Array {
  const { columns } = weights;
  return Float32Array.from({ length: activations.rows * weights.rows }, (_, i) => {
    const [token, row] = [Math.floor(i / weights.rows), i % weights.rows];
    let sum = 0;
    for (let k = 0; k < columns; k++) {
      sum += activations.data[token * columns + k]! * weights.data[row * columns + k]!;
    }
    return sum;
  });
}

describe("searchScales", () => {
  const { weights, activations } = makeLayer({ rows: 6, columns: 32, tokens: 50, seed: 21 });

  it("takes the exponent of the least output error", () => {
    const { ratio, losses } = searchScales({ weights: [weights], activations }, options);
    expect(losses.length).toBe(20);
    expect(losses.indexOf(Math.min(...losses)) / 20).toBe(ratio);
    // At exponent 0 every scale is 1: plain rounding.
    const plain = quantize(weights, "awq:bits=3,group=8,clip=false,scales=f32", { activations });
    expect(plain.error.hessian! / (2 * 50 * 6)).toBeCloseTo(losses[ratio * 20]!, 6);
    expect(losses[ratio * 20]).toBeLessThan(losses[0]!);
  });

  it("measures the same on the layer's own output as on that output given as a module's", () => {
    const own = searchScales({ weights: [weights], activations }, options);
    const module = searchScales({
      weights: [weights],
      activations,
      inspect: ([layer]) => outputs(activations, layer!),
    }, options);
    expect(module.ratio).toBe(own.ratio);
    module.losses.forEach((loss, i) => expect(loss / own.losses[i]!).toBeCloseTo(1, 4));
  });

  it("measures on the module that it is given", () => {
    // A module that reads its first input channel only wants that channel exact.
    const first = (layers: readonly Matrix[]) =>
      Float32Array.from({ length: 6 }, (_, row) => layers[0]!.data[row * 32]!);
    const seen: number[] = [];
    const { losses } = searchScales({
      weights: [weights],
      activations,
      inspect: (layers) => {
        seen.push(layers.length);
        return first(layers);
      },
    }, options);
    expect(seen).toEqual(Array(21).fill(1));
    expect(losses).not.toEqual(searchScales({ weights: [weights], activations }, options).losses);
  });

  it("shares scales between layers with one input, and gives a silent channel a finite one", () => {
    const other = makeLayer({ rows: 3, columns: 32, tokens: 1, seed: 33 }).weights;
    const silent = { ...activations, data: activations.data.map((x, i) => i % 32 === 5 ? 0 : x) };
    const { scales } = searchScales({ weights: [weights, other], activations: silent }, options);
    expect(scales.length).toBe(32);
    expect(scales.every((scale) => scale > 0 && Number.isFinite(scale))).toBe(true);
  });
});

describe("searchClip", () => {
  it("finds, group by group, the limit of the least output error among ten", () => {
    const { weights, activations } = makeLayer({ rows: 4, columns: 16, tokens: 40, seed: 2 });
    const limits = searchClip(weights, { ...options, activations });
    for (let row = 0; row < 4; row++) {
      for (let g = 0; g < 2; g++) {
        const part = (data: Float32Array, columns: number, at: number) =>
          data.slice(at * columns + g * 8, at * columns + g * 8 + 8);
        const w = part(weights.data, 16, row);
        const x = {
          rows: 40,
          columns: 8,
          data: Float32Array.from(
            Array.from({ length: 40 }, (_, token) => [...part(activations.data, 16, token)]).flat(),
          ),
        };
        const most = Math.max(...w.map(Math.abs));
        const exact = outputs(x, { rows: 1, columns: 8, data: w });
        const errors = Array.from({ length: 10 }, (_, step) => {
          const limit = Math.fround(most * (1 - step / 20));
          const data = w.map((value) => Math.min(Math.max(value, -limit), limit));
          const row = { rows: 1, columns: 8, data };
          // Exponent 0 and no clipping: AWQ's grid alone. All inputs 1, so that every scale is 1.
          const ones = { rows: 1, columns: 8, data: new Float32Array(8).fill(1) };
          const spec = "awq:bits=3,group=8,clip=false,scales=f32";
          const rounded = quantize(row, spec, { activations: ones }).weights;
          const after = outputs(x, { ...row, data: rounded });
          return exact.reduce((sum, value, i) => sum + (value - after[i]!) ** 2, 0);
        });
        const best = errors.indexOf(Math.min(...errors));
        expect(limits[row * 2 + g]! / most).toBeCloseTo(1 - best / 20, 6);
      }
    }
  });
});

describe("awq", () => {
  const { weights, activations } = makeLayer({ rows: 8, columns: 32, tokens: 64, seed: 5 });

  it("has a smaller output error than its grid alone, and needs activations", () => {
    const ones = { rows: 1, columns: 32, data: new Float32Array(32).fill(1) };
    const grid = quantize(weights, "awq:bits=3,group=8,clip=false", { activations: ones });
    const awq = quantize(weights, "awq:bits=3,group=8", { activations });
    const error = (after: Float32Array) => {
      const [a, b] = [weights.data, after].map((data) =>
        outputs(activations, { ...weights, data })
      );
      return a!.reduce((sum, value, i) => sum + (value - b![i]!) ** 2, 0);
    };
    expect(error(awq.weights)).toBeLessThan(error(grid.weights));
    expect(() => quantize(weights, "awq")).toThrow(
      "Cannot quantize with awq without calibration: needs activations",
    );
    const hessian = { rows: 32, columns: 32, data: new Float64Array(1024) };
    expect(() => quantize(weights, "awq", { hessian })).toThrow("needs activations");
  });

  it("keeps scales of groups and channels so that the weights come back from them", () => {
    const { storage, codes, zeroPoints, scales, ...result } = quantize(
      weights,
      "awq:bits=4,group=8",
      { activations },
    );
    const channels = storage.find(({ name }) => name === "channel_scales")!.values;
    result.weights.forEach((value, i) => {
      const group = Math.floor(i / 8);
      const step = Math.fround(scales[group]! * (codes[i]! - zeroPoints![group]!));
      expect(value).toBe(Math.fround(step / channels[i % 32]!));
    });
    expect(result.bitsPerWeight).toBe(4 + (16 + 4) / 8 + 16 / 8);
  });

  it("does not clip queries and keys", () => {
    const clipped = (name?: string) =>
      quantize(weights, "awq:group=8", { activations, name }).report.clipped;
    expect(["attention.query_key_value", "q_proj", "k_proj", "attn.Wqkv"].map(clipped))
      .toEqual([false, false, false, false]);
    expect([undefined, "mlp.dense_h_to_4h", "v_proj"].map(clipped)).toEqual([true, true, true]);
  });

  it("changes nothing at 16 bits", () => {
    const result = quantize(weights, "awq:bits=16", { activations });
    expect(result.weights).toEqual(weights.data);
  });
});

describe("awqOnBlock", () => {
  const layer = (seed: number, rows: number, columns: number) =>
    makeLayer({ rows, columns, tokens: 40, seed });
  const layers = {
    "attention.query_key_value": layer(1, 24, 8),
    "attention.dense": layer(2, 8, 8),
    "mlp.dense_h_to_4h": layer(3, 32, 8),
    "mlp.dense_4h_to_h": layer(4, 8, 32),
  };
  const pick = <K extends "weights" | "activations">(key: K) =>
    Object.fromEntries(Object.entries(layers).map(([name, value]) => [name, value[key]]));
  const block = { weights: pick("weights"), activations: pick("activations") };
  const mappings = awqMappings.gpt_neox;

  it("scales what a mapping names and clips all but queries and keys", () => {
    const result = awqOnBlock(block, { ...options, mappings });
    expect(Object.keys(result)).toEqual(Object.keys(layers));
    const scaled = Object.entries(result)
      .filter(([, { storage }]) => storage.some(({ name }) => name === "channel_scales"))
      .map(([name]) => name);
    expect(scaled).toEqual(["attention.query_key_value", "mlp.dense_h_to_4h", "mlp.dense_4h_to_h"]);
    expect(Object.values(result).map(({ report }) => report.clipped))
      .toEqual([false, true, true, true]);
  });

  it("inspects the modules it is given, with the block's other layers as they are", () => {
    const seen = new Set<string>();
    const names = Object.keys(block.weights);
    const inspected = awqOnBlock({
      ...block,
      modules: {
        attention: (weights) => {
          names.filter((name) => weights[name] !== block.weights[name]).forEach((n) => seen.add(n));
          return weights["attention.query_key_value"]!.data;
        },
      },
    }, { ...options, mappings });
    expect([...seen]).toEqual(["attention.query_key_value"]);
    const plain = awqOnBlock(block, { ...options, mappings });
    expect(inspected["mlp.dense_h_to_4h"]).toEqual(plain["mlp.dense_h_to_4h"]);
  });

  it("names what is missing", () => {
    const { "attention.dense": _, ...activations } = block.activations;
    expect(() => awqOnBlock({ ...block, activations }, { ...options, mappings })).toThrow(
      "Cannot quantize the block: needs the input of attention.dense",
    );
    expect(() => awqOnBlock({ ...block, weights: {} }, { ...options, mappings })).toThrow(
      "needs the weights of attention.query_key_value",
    );
  });
});

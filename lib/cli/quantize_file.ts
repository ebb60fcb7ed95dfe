/** Quantizes the matrices of a safetensors file into another file. */
import { statSync } from "node:fs";
import { matchesGlob } from "node:path";
import {
  bytesOf,
  decodeFloats,
  encodeFloats,
  type FloatDtype,
  isFloat,
  SafetensorsFile,
  type TensorInfo,
  type TensorToWrite,
  writeSafetensors,
} from "../checkpoint/mod.ts";
import {
  type Encoded,
  type ErrorSums,
  errorSums,
  formatSpec,
  type Hessian,
  type Inputs,
  type Matrix,
  methods,
  pack,
  parseSpec,
  quantize,
  type Quantized,
  type StoredPart,
} from "../quantize/mod.ts";

/** What to do with a file. */
export interface FileOptions {
  /** The method's spec. */
  readonly method: string;
  /** A safetensors file with LAYER.hessian or LAYER.input for each layer. */
  readonly calibration?: string;
  /** Globs of the tensors to quantize; all but `unquantized` unless given. */
  readonly include?: readonly string[];
  /** Globs of tensors to leave as they are. */
  readonly exclude?: readonly string[];
  /** Write packed codes, scales and zero points instead of weights. */
  readonly packed?: boolean;
  /** Told of each layer before its turn. */
  readonly progress?: (layer: LayerPlace) => void;
}

/** A layer whose turn has come. */
export interface LayerPlace {
  readonly name: string;
  readonly shape: readonly number[];
  /** From 1. */
  readonly index: number;
  readonly count: number;
}

/** What became of one layer. */
export interface LayerRow {
  readonly name: string;
  readonly shape: readonly number[];
  readonly bitsPerWeight: number;
  /** Between the weights in the two files. */
  readonly error: ErrorSums;
}

/** Embeddings and output heads, which the papers keep at 16 bits. */
export const unquantized = ["*embed*", "*lm_head*", "*wte*", "*wpe*"] as const;

/**
 * Quantizes every matrix that is chosen and copies all other tensors. The output appears under its
 * name only when it is whole. Throws, before any work, when nothing is chosen, when the output is
 * the input, and when a method lacks calibration.
 */
export function quantizeFile(input: string, output: string, options: FileOptions): LayerRow[] {
  const spec = parseSpec(options.method, methods);
  if (sameFile(input, output)) throw new Error(`Cannot write ${output}: it is the input`);
  using file = new SafetensorsFile(input);
  using calibration = options.calibration ? new SafetensorsFile(options.calibration) : undefined;
  const chosen = [...file.tensors.values()].filter((tensor) => isChosen(tensor, options));
  if (chosen.length === 0) {
    throw new Error(
      `Nothing to quantize in ${input}: needs float matrices that match --include and not ` +
        `--exclude: got ${[...file.tensors.keys()].slice(0, 5).join(", ") || "no tensor"}`,
    );
  }
  checkCalibration(chosen, spec.method.needs, calibration);

  const rows: LayerRow[] = [];
  const run = (tensor: TensorInfo) => {
    const { name, shape } = tensor;
    options.progress?.({ name, shape, index: rows.length + 1, count: chosen.length });
    const [height, columns] = shape as [number, number];
    const weights = { rows: height, columns, data: file.floats(name) };
    const inputs = calibration ? calibrationOf(tensor, calibration) : {};
    const result = quantize(weights, options.method, { ...inputs, name });
    const dtype = tensor.dtype as FloatDtype;
    const bytes = encodeFloats(result.weights, dtype);
    const written = options.packed ? result.weights : decodeFloats(bytes, dtype);
    const error = errorSums(weights.data, written);
    rows.push({ name, shape, bitsPerWeight: result.bitsPerWeight, error });
    return { result, bytes };
  };

  const tensors: TensorToWrite[] = [];
  const notes: Record<string, string> = { ...file.metadata, quantization: formatSpec(spec) };
  for (const tensor of file.tensors.values()) {
    if (!chosen.includes(tensor)) {
      tensors.push({ ...tensor, bytes: () => file.bytes(tensor.name) });
    } else if (options.packed) {
      const packed = packLayer(tensor, run(tensor).result);
      tensors.push(...packed.tensors);
      notes[tensor.name] = packed.note;
    } else {
      tensors.push({ ...tensor, bytes: () => run(tensor).bytes });
    }
  }
  writeSafetensors(output, tensors, notes);
  return rows;
}

function isChosen({ name, dtype, shape }: TensorInfo, { include, exclude = [] }: FileOptions) {
  const matches = (globs: readonly string[]) => globs.some((glob) => matchesGlob(name, glob));
  const matrix = isFloat(dtype) && shape.length === 2 && !shape.includes(0);
  return matrix && (include ? matches(include) : !matches(unquantized)) && !matches(exclude);
}

function sameFile(input: string, output: string): boolean {
  const a = statSync(input, { throwIfNoEntry: false });
  const b = statSync(output, { throwIfNoEntry: false });
  return a !== undefined && b !== undefined && a.dev === b.dev && a.ino === b.ino;
}

/** A layer's name: its weight tensor's without ".weight". */
function layerOf({ name }: TensorInfo): string {
  return name.replace(/\.weight$/, "");
}

function checkCalibration(
  chosen: readonly TensorInfo[],
  needs: "nothing" | "hessian" | "activations",
  calibration?: SafetensorsFile,
): void {
  if (needs === "nothing") return;
  const kinds = needs === "hessian" ? ["hessian", "input"] : ["input"];
  const lacking = chosen.filter((tensor) =>
    !kinds.some((kind) => calibration?.tensors.has(`${layerOf(tensor)}.${kind}`))
  );
  if (lacking.length === 0) return;
  const wanted = kinds.map((kind) => `${layerOf(lacking[0]!)}.${kind}`).join(" or ");
  throw new Error(
    `Calibration is missing for ${lacking.length} of ${chosen.length} layers: give --calibration ` +
      `FILE.safetensors with ${wanted} and so on (hessian [in, in], input [tokens, in])`,
  );
}

/** The Hessian, or the input with its leading dimensions taken together. */
function calibrationOf(tensor: TensorInfo, file: SafetensorsFile): Inputs {
  const hessian = file.tensors.get(`${layerOf(tensor)}.hessian`);
  const input = file.tensors.get(`${layerOf(tensor)}.input`);
  return {
    ...(hessian && { hessian: matrixOf(hessian, file) }),
    ...(input && { activations: matrixOf(input, file) as Matrix }),
  };
}

function matrixOf({ name, dtype, shape }: TensorInfo, file: SafetensorsFile): Hessian {
  if (shape.length < 2) {
    throw new Error(`Tensor "${name}": needs at least 2 dimensions: got [${shape.join(", ")}]`);
  }
  const columns = shape.at(-1)!;
  const exact = dtype === "F64" && name.endsWith(".hessian");
  const data = exact ? file.doubles(name) : file.floats(name);
  return { rows: shape.slice(0, -1).reduce((product, size) => product * size, 1), columns, data };
}

/** A layer as it is stored: each part a tensor, and a note of how to read them. */
function packLayer(
  { name, dtype, shape }: TensorInfo,
  result: Quantized,
): { tensors: TensorToWrite[]; note: string } {
  const parts = storedParts(result);
  return {
    tensors: parts.map((part) => ({ name: `${name}.${part.name}`, ...packPart(part) })),
    note: JSON.stringify({
      method: result.method,
      dtype,
      shape,
      parts: parts.map((part) => ({
        name: part.name,
        bits: part.bits,
        count: part.values.length,
      })),
    }),
  };
}

function storedParts({ storage }: Encoded): readonly StoredPart[] {
  return storage.filter((part) => part.values.length > 0);
}

/** Codes as packed bits, floats as F16 or F32, indices as whole numbers. */
function packPart({ values, bits }: StoredPart): Omit<TensorToWrite, "name"> {
  const shape = [values.length];
  if (values instanceof Float32Array) {
    const dtype = bits === 16 ? "F16" : "F32";
    return { dtype, shape, bytes: encodeFloats(values, dtype) };
  }
  if (values instanceof Uint8Array) {
    const bytes = pack(values, bits);
    return { dtype: "U8", shape: [bytes.length], bytes };
  }
  const dtype = values instanceof Uint16Array ? "U16" : "U32";
  return { dtype, shape, bytes: bytesOf(values) };
}

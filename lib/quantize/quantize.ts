/** The one call: a layer's weights and a method's spec to the quantized layer and its error. */
import { checkHessian, hessianError, hessianOf } from "./hessian.ts";
import { kernel } from "./kernel.ts";
import type { Encoded, Inputs, Matrix, StoredPart } from "./method.ts";
import { methods } from "./registry.ts";
import { formatSpec, parseSpec } from "./spec.ts";
import { errorSums, mseOf, sqnrOf } from "./sqnr.ts";

/** How far the quantized weights are from the given ones. */
export interface QuantizationError {
  /** Mean of (w - q)^2. */
  readonly mse: number;
  /** 10 log10(sum w^2 / sum (w - q)^2), dB. */
  readonly sqnr: number;
  /** trace(E H E^T), E = W - Q, when a Hessian or activations are given. */
  readonly hessian?: number;
}

/** A quantized layer. */
export interface Quantized extends Encoded {
  /** The method's spec in its canonical form. */
  readonly method: string;
  /** Everything stored, codes, scales, zero points and the rest, in bits over weights. */
  readonly bitsPerWeight: number;
  readonly error: QuantizationError;
}

/**
 * Quantizes one layer.
 *
 * weights: [out, in], row-major, finite. method: a spec such as "gptq:bits=3,group=128"; see
 * `methods` for the names and options. Activations [tokens, in] also give the Hessian when none is
 * given. Throws, before any work, on a shape that does not match, a weight that is not finite, an
 * unknown method or option, a value that is not allowed, and calibration that is missing.
 *
 * ```ts
 * import { deepStrictEqual, strictEqual } from "node:assert/strict";
 * import { quantize } from "./mod.ts";
 *
 * const weights = { rows: 1, columns: 4, data: Float32Array.of(-3, -1.2, 0.4, 3) };
 * const { codes, scales, ...layer } = quantize(weights, "rtn:bits=2,symmetric=true");
 * // Symmetric 2-bit is lopsided: -3 becomes -4 and 3 becomes 2.
 * deepStrictEqual(layer.weights, Float32Array.of(-4, -2, 0, 2));
 * deepStrictEqual(codes, Uint8Array.of(0, 1, 2, 3));
 * deepStrictEqual(scales, Float32Array.of(2));
 * strictEqual(layer.bitsPerWeight, (4 * 2 + 16 + 2) / 4);
 * ```
 */
export function quantize(weights: Matrix, method: string, inputs: Inputs = {}): Quantized {
  const spec = parseSpec(method, methods);
  const { name } = inputs;
  try {
    checkMatrix(weights, "weights");
    const { activations } = inputs;
    if (activations) {
      checkMatrix(activations, "activations");
      if (activations.columns !== weights.columns || activations.rows === 0) {
        throw new Error(
          `Cannot use activations: needs [tokens, ${weights.columns}] with at least 1 token: ` +
            `got [${activations.rows}, ${activations.columns}]`,
        );
      }
    }
    if (inputs.hessian) checkHessian(inputs.hessian, weights.columns);
    const needs = spec.method.needs;
    const hessian = inputs.hessian ?? (activations && hessianOf(activations));
    if ((needs === "hessian" && !hessian) || (needs === "activations" && !activations)) {
      throw new Error(
        `Cannot quantize with ${spec.method.name} without calibration: needs ` +
          (needs === "hessian" ? "a Hessian or activations" : "activations"),
      );
    }
    const encoded = spec.method.run(weights, spec.options as never, { ...inputs, hessian });
    const sums = errorSums(weights.data, encoded.weights);
    if (!Number.isFinite(sums.noise)) {
      throw new Error("Cannot quantize: the weights are too large for float32 arithmetic");
    }
    return {
      ...encoded,
      method: formatSpec(spec),
      bitsPerWeight: storedBits(encoded.storage) / weights.data.length,
      error: {
        mse: mseOf(sums),
        sqnr: sqnrOf(sums),
        ...(hessian && { hessian: hessianError(weights, encoded.weights, hessian) }),
      },
    };
  } catch (error) {
    if (name === undefined || !(error instanceof Error)) throw error;
    throw new Error(`Layer ${name}: ${error.message}`, { cause: error });
  }
}

/** Bits that the stored parts take in all. */
export function storedBits(parts: readonly StoredPart[]): number {
  return parts.reduce((sum, part) => sum + part.values.length * part.bits, 0);
}

function checkMatrix({ rows, columns, data }: Matrix, what: string): void {
  const shape = `[${rows}, ${columns}]`;
  if (!(Number.isInteger(rows) && Number.isInteger(columns) && rows >= 0 && columns > 0)) {
    throw new Error(`Cannot use ${what}: needs a shape of whole numbers: got ${shape}`);
  }
  if (data.length !== rows * columns || data.length === 0) {
    throw new Error(
      `Cannot use ${what} of shape ${shape}: needs ${rows * columns} values, at least 1: ` +
        `got ${data.length}`,
    );
  }
  // The sum of sizes is finite when all values are.
  if (!Number.isFinite(kernel().sums(data).size)) {
    const i = data.findIndex((value) => !Number.isFinite(value));
    const at = `row ${Math.floor(i / columns)}, column ${i % columns}`;
    throw new Error(`Cannot use ${what}: needs finite values: got ${data[i]} at ${at}`);
  }
}

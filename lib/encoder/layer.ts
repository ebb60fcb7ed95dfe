/** One matrix of the encoder with real inputs to calibrate on, and others to measure on. */
import {
  type AwqScales,
  awqWithScales,
  type Encoded,
  type Hessian,
  hessianError,
  hessianOf,
  type Matrix,
  quantize,
  searchScales,
} from "../quantize/mod.ts";
import { licenceInputs } from "./text.ts";
import { loadEncoder } from "./weights.ts";

/** The inputs of a matrix, as `quantize` takes them. */
export interface LayerInputs {
  /** [tokens, in]. */
  readonly activations: Matrix;
  readonly hessian: Hessian;
}

/** Signal-to-quantization-noise ratios of a matrix's outputs, dB. */
export interface OutputSqnr {
  /** On the text that the methods calibrate on. */
  readonly calibration: number;
  /** On text that they do not see. */
  readonly test: number;
}

/** What a method makes of a matrix. */
export interface LayerSqnr extends OutputSqnr {
  /** All that is stored. */
  readonly bitsPerWeight: number;
  /** Of the weights, dB. */
  readonly weights: number;
}

/** A matrix with the inputs that two halves of a text give it. */
export interface CalibratedLayer {
  /** [out, in]. */
  readonly weights: Matrix;
  /** From the first half of the text. */
  readonly calibration: LayerInputs;
  /** From the second half. */
  readonly test: LayerInputs;
  /** 10 log10(sum y^2 / sum (y - z)^2), y the outputs and z those of the weights `after`. */
  outputSqnr(after: Float32Array): OutputSqnr;
  /** Quantizes by a method's spec, calibrated on the first half; computed once for each spec. */
  measure(spec: string): LayerSqnr;
  /**
   * AWQ's search for channel scales, in groups of 128, on the first half; once for each bit width.
   */
  awqScales(bits: number): AwqScales;
  /** What the method awq makes of the matrix with those scales. */
  awq(bits: number, options: { clip: boolean }): Encoded;
}

const layers = new Map<string, CalibratedLayer>();

/**
 * A matrix of the encoder, by its name, with the inputs that the licence of its package gives it:
 * the first 1,280 tokens to calibrate on, the next 1,280 to measure on. Not for the embeddings,
 * which have no inputs. Computed once.
 */
export function calibratedLayer(name: string): CalibratedLayer {
  const known = layers.get(name);
  if (known) return known;
  const { weights } = loadEncoder().matrix(name);
  const { calibration, test } = licenceInputs();
  const inputs = (activations: Matrix | undefined): LayerInputs => {
    if (activations) return { activations, hessian: hessianOf(activations) };
    throw new RangeError(`Cannot calibrate ${name}: it has no inputs; take another matrix`);
  };
  const parts = { calibration: inputs(calibration[name]), test: inputs(test[name]) };
  const zero = new Float32Array(weights.data.length);
  const signals = {
    calibration: hessianError(weights, zero, parts.calibration.hessian),
    test: hessianError(weights, zero, parts.test.hessian),
  };
  const outputSqnr = (after: Float32Array): OutputSqnr => {
    const ratio = (part: "calibration" | "test") =>
      10 * Math.log10(signals[part] / hessianError(weights, after, parts[part].hessian));
    return { calibration: ratio("calibration"), test: ratio("test") };
  };
  const measured = new Map<string, LayerSqnr>();
  const measure = (spec: string): LayerSqnr => {
    const known = measured.get(spec);
    if (known) return known;
    const { bitsPerWeight, error, ...after } = quantize(weights, spec, parts.calibration);
    const found = { bitsPerWeight, weights: error.sqnr, ...outputSqnr(after.weights) };
    measured.set(spec, found);
    return found;
  };
  const searched = new Map<number, AwqScales>();
  const { activations } = parts.calibration;
  const awqOptions = { group: 128, scales: "f16", duo: false } as const;
  const awqScales = (bits: number): AwqScales => {
    const linears = { weights: [weights], activations };
    const found = searched.get(bits) ??
      searchScales(linears, { ...awqOptions, bits, clip: false });
    searched.set(bits, found);
    return found;
  };
  const awq = (bits: number, { clip }: { clip: boolean }): Encoded =>
    awqWithScales(weights, {
      ...awqOptions,
      bits,
      clip,
      activations,
      name,
      found: awqScales(bits),
    });
  const layer = { weights, ...parts, outputSqnr, measure, awqScales, awq };
  layers.set(name, layer);
  return layer;
}

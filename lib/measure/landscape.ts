/** The local loss landscape of a checkpoint: how its loss rises along random directions from its weights. */
import { linearRegression, mean, sampleStandardDeviation } from "simple-statistics";
import type { MatrixKernel } from "../compute/mod.ts";
import { createModel, type LanguageModel, type Model, type TensorSlot } from "../model/mod.ts";
import { normOf, quadraticForms, signVector } from "./curvature.ts";
import { quantizedSlots, randomDirection, readTensors } from "./landscape_model.ts";
import { checkProtocol, type LandscapeProtocol } from "./landscape_options.ts";
import type { Sequences } from "./quantize_model.ts";

/** One measured number of a landscape, with how sure it is. */
export interface LandscapeFeature {
  /**
   * loss16: the loss at the weights, nats per token. profile: mean rise of the loss over directions at `noise_db`;
   * profile_spread: the standard deviation of the rise over directions. first_step: the noise level, dB, at which the mean
   * rise reaches the protocol's `firstStep`. second_derivative: d^T H d along a direction as long as the weights, nats,
   * and second_derivative_spread over directions. trace: tr(H), or that of a layer's own block of it.
   */
  readonly feature:
    | "loss16"
    | "profile"
    | "profile_spread"
    | "first_step"
    | "second_derivative"
    | "second_derivative_spread"
    | "trace";
  readonly test_set: string;
  /** A linear map, or "model". */
  readonly layer: string;
  readonly noise_db: number | null;
  readonly value: number;
  /** Standard error over the random directions or vectors; 0 where none is drawn. */
  readonly direction_se: number;
  /** Standard error over the sequences; null where it is not taken. */
  readonly sequence_se: number | null;
  /** Directions or vectors. */
  readonly directions: number;
  readonly sequences: number;
}

/** A text to take a landscape on: sequences of the profile, and fewer for curvatures. */
export interface LandscapeText {
  readonly name: string;
  readonly profile: Sequences;
  readonly curvature: Sequences;
}

/** What {@linkcode measureLandscape} needs beside the model. */
export interface MeasureLandscapeOptions {
  readonly kernel: MatrixKernel;
  readonly texts: readonly LandscapeText[];
  readonly protocol: LandscapeProtocol;
}

/**
 * Measures the landscape around a model's weights on each text. Directions lie in the linear maps of the blocks, which
 * are what quantization changes, and are as long in each as its weights.
 *
 * The paper (arXiv 2410.12119) takes the loss along random directions; its sampling is not known, so this one is ours.
 */
export async function measureLandscape(
  model: LanguageModel,
  { kernel, texts, protocol }: MeasureLandscapeOptions,
): Promise<LandscapeFeature[]> {
  checkProtocol(protocol);
  const tensors = await readTensors(model);
  const slots = quantizedSlots(model.config);
  return kernel.scope(() => {
    const movable = createModel(kernel, model.config, { weights: (name) => tensors.get(name)! });
    // Directions and vectors of signs have seeds of their own.
    const drawn = Array.from(
      { length: protocol.directions },
      (_, i) => randomDirection(movable.parameters, { slots, seed: protocol.seed + 1 + i }),
    );
    return texts.flatMap((text) => [
      ...profileOf(movable, text, { drawn, protocol }),
      ...curvaturesOf(movable, text, { drawn, protocol, slots }),
    ]);
  });
}

/** Rises of the loss [directions][sequences] at one noise level. */
type Rises = readonly Float64Array[];

function profileOf(
  model: Model,
  { name: test_set, profile: { tokens, length } }: LandscapeText,
  { drawn, protocol }: { drawn: readonly Float32Array[]; protocol: LandscapeProtocol },
): LandscapeFeature[] {
  const given = model.parameters.slice();
  const losses = (direction: Float32Array, radius: number) => {
    given.forEach((value, i) => model.parameters[i] = value + radius * direction[i]!);
    return model.loss(tokens, { length });
  };
  const base = model.loss(tokens, { length });
  const levels = protocol.noiseLevels.map((noise): Rises => {
    const radius = 10 ** (-noise / 20);
    return drawn.map((direction) => {
      const [ahead, behind] = [losses(direction, radius), losses(direction, -radius)];
      return base.map((loss, i) => (ahead[i]! + behind[i]!) / 2 - loss);
    });
  });
  model.parameters.set(given);

  const counts = { test_set, layer: "model", sequences: base.length };
  const features: LandscapeFeature[] = [{
    ...{ ...counts, feature: "loss16", noise_db: null, value: mean([...base]) },
    ...{ direction_se: 0, sequence_se: standardError([...base]), directions: 0 },
  }];
  levels.forEach((rises, level) => {
    const at = { ...counts, noise_db: protocol.noiseLevels[level]!, directions: drawn.length };
    const ofDirections = rises.map((rise) => mean([...rise]));
    const ofSequences = Array.from(base, (_, i) => mean(rises.map((rise) => rise[i]!)));
    features.push(
      {
        ...{ ...at, feature: "profile", value: mean(ofDirections) },
        ...{
          direction_se: standardError(ofDirections),
          sequence_se: standardError(ofSequences),
        },
      },
      spreadOf(ofDirections, { ...at, feature: "profile_spread" }),
    );
  });
  const curves = drawn.map((_, i) => levels.map((rises) => mean([...rises[i]!])));
  const meanCurve = levels.map((_, level) => mean(curves.map((curve) => curve[level]!)));
  const stepOf = (curve: readonly number[]) =>
    noiseWhere(curve, protocol.noiseLevels, protocol.firstStep);
  return [...features, {
    ...{ ...counts, feature: "first_step", noise_db: null, directions: drawn.length },
    value: stepOf(meanCurve),
    direction_se: standardError(curves.map(stepOf)),
    sequence_se: null,
  }];
}

/**
 * The noise level, dB, at which a rising curve reaches a height: log rise is taken as linear in dB between two levels,
 * and beyond the last or first along the nearest two that rise.
 */
export function noiseWhere(
  rises: readonly number[],
  noiseLevels: readonly number[],
  height: number,
): number {
  const rising = rises.flatMap((rise, i) =>
    rise > 0 ? [[Math.log(rise), noiseLevels[i]!] as const] : []
  );
  if (rising.length < 2) return NaN;
  const above = rising.findIndex(([log]) => log >= Math.log(height));
  const at = above < 0 ? rising.length - 1 : Math.max(1, above);
  const line = linearRegression([[...rising[at - 1]!], [...rising[at]!]]);
  return line.m * Math.log(height) + line.b;
}

function curvaturesOf(
  model: Model,
  { name: test_set, curvature: { tokens, length } }: LandscapeText,
  { drawn, protocol, slots }: {
    drawn: readonly Float32Array[];
    protocol: LandscapeProtocol;
    slots: readonly TensorSlot[];
  },
): LandscapeFeature[] {
  const { curvatureBatches: parts, traceVectors, seed } = protocol;
  const norm = Math.hypot(
    ...slots.map(({ offset, length }) =>
      normOf(model.parameters.subarray(offset, offset + length))
    ),
  );
  const size = tokens.length / parts;
  const batches = Array.from({ length: parts }, (_, i) => ({
    parameters: model.parameters,
    gradient() {
      model.lossAndGradients(tokens.subarray(i * size, (i + 1) * size), { length });
      return model.gradients;
    },
  }));
  // [vectors][batches][slots]
  const formsOf = (vector: Float32Array) =>
    batches.map((batch) =>
      quadraticForms(batch, vector, { groups: slots, difference: protocol.difference * norm })
    );
  const sequences = tokens.length / (length + 1);
  const along = drawn.map(formsOf).map((forms) => forms.map(sumOf));
  const counts = { test_set, noise_db: null, sequences };
  const curvature = {
    ...counts,
    layer: "model",
    directions: drawn.length,
  };
  const signs = Array.from(
    { length: traceVectors },
    (_, i) =>
      formsOf(signVector(model.parameters.length, { groups: slots, seed: seed + 1001 + i })),
  );
  const trace = (layer: string, pick: (forms: Float64Array) => number): LandscapeFeature => ({
    ...{ ...counts, feature: "trace", layer, directions: traceVectors },
    ...tableMean(signs.map((forms) => forms.map(pick))),
  });
  return [
    { ...curvature, feature: "second_derivative", ...tableMean(along) },
    spreadOf(along.map((values) => mean(values)), {
      ...curvature,
      feature: "second_derivative_spread",
    }),
    trace("model", sumOf),
    ...slots.map(({ name }, i) => trace(name, (forms) => forms[i]!)),
  ];
}

/** The mean of a table [vectors][batches] with its errors over either. */
function tableMean(table: readonly (readonly number[])[]) {
  const ofVectors = table.map((row) => mean([...row]));
  const ofBatches = table[0]!.map((_, i) => mean(table.map((row) => row[i]!)));
  return {
    value: mean(ofVectors),
    direction_se: standardError(ofVectors),
    sequence_se: standardError(ofBatches),
  };
}

/** The standard deviation over directions, whose own error is that of normal values. */
function spreadOf(
  values: readonly number[],
  rest: Omit<LandscapeFeature, "value" | "direction_se" | "sequence_se">,
): LandscapeFeature {
  const spread = sampleStandardDeviation([...values]);
  const error = spread / Math.sqrt(2 * (values.length - 1));
  return { ...rest, value: spread, direction_se: error, sequence_se: null };
}

function standardError(values: readonly number[]): number {
  return values.length < 2 ? NaN : sampleStandardDeviation([...values]) / Math.sqrt(values.length);
}

function sumOf(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0);
}

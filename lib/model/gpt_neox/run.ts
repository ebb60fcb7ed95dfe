import type { NetworkKernel } from "../../compute/mod.ts";
import type { ModelConfig } from "../config.ts";
import type { Linear, Norm, Parameter } from "./parameters.ts";
import type { Workspace } from "./workspace.ts";

/** What a pass over some sequences works with. */
export interface Run {
  readonly kernel: NetworkKernel;
  readonly config: ModelConfig;
  readonly space: Workspace;
  readonly sequences: number;
  readonly length: number;
  /** sequences x length. */
  readonly rows: number;
}

/** How the rows of queries, keys and values are laid out. */
export function headsOf({ sequences, length, config: { heads, headWidth } }: Run) {
  return { sequences, length, heads, headWidth };
}

/** A layer normalisation between the residual stream and its input to a branch. */
export interface NormStep extends Norm {
  /** The normalised rows; on the way back, their gradient. */
  readonly values: Float32Array;
}

/** Normalises rows of x, once or for two branches. */
export function normalise(
  { kernel, config, rows }: Run,
  { x, moments }: { x: Float32Array; moments: Float32Array },
  ...steps: [NormStep, NormStep?]
): void {
  const [first, second] = steps.map((step) =>
    step && { weight: step.weight.value, bias: step.bias.value, output: step.values }
  );
  const epsilon = config.normEpsilon;
  kernel.layerNorm({ rows, width: config.width, x, moments, epsilon, first: first!, second });
}

/** Adds the gradient of x to that of the residual stream. */
export function normaliseBackward(
  { kernel, config, rows, space }: Run,
  { x, moments }: { x: Float32Array; moments: Float32Array },
  ...steps: [NormStep, NormStep?]
): void {
  const [first, second] = steps.map((step) =>
    step && {
      ...{ weight: step.weight.value, gradient: step.values },
      ...{ weightGradient: step.weight.gradient, biasGradient: step.bias.gradient },
    }
  );
  const xGradient = space.dHidden;
  kernel.layerNormBackward({
    rows,
    width: config.width,
    x,
    moments,
    first: first!,
    second,
    xGradient,
  });
}

/** output = W x. The bias is left to what comes next, which passes over the output anyway. */
export function mapForward(
  { kernel, rows }: Run,
  linear: Linear,
  x: Float32Array,
  output: Float32Array,
): void {
  const { used: weight, out, width } = linear;
  kernel.linear({ rows, width, x, weight, out, output });
}

/** output += W x. */
export function mapOnto(
  { kernel, rows }: Run,
  linear: Linear,
  x: Float32Array,
  output: Float32Array,
): void {
  const { used: weight, out, width } = linear;
  kernel.linear({ rows, width, x, weight, out, output, accumulate: true });
}

/** The gradients of W and of x. */
export function mapBackward(
  { kernel, rows }: Run,
  { used, weight, out, width }: Linear,
  { x, gradient, xGradient }: Record<"x" | "gradient" | "xGradient", Float32Array>,
): void {
  kernel.linearBackward({
    ...{ rows, width, out, x, weight: used, weightGradient: weight.gradient },
    ...{ gradient, xGradient },
  });
}

/** The bias of a map onto the residual stream has the column sums of that stream's gradient. */
export function biasBackward(
  { kernel, config, rows, space }: Run,
  bias: Parameter | undefined,
): void {
  if (!bias) return;
  kernel.addColumnSums({ rows, width: config.width, x: space.dHidden, sums: bias.gradient });
}

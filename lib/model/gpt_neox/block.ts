import type { Block } from "./parameters.ts";
import {
  biasBackward,
  headsOf,
  mapBackward,
  mapForward,
  mapOnto,
  normalise,
  normaliseBackward,
  type NormStep,
  type Run,
} from "./run.ts";
import type { BlockSpace } from "./workspace.ts";

/** A block's parameters and memory. */
export interface Layer {
  readonly block: Block;
  readonly space: BlockSpace;
}

/** From the residual stream before a block, `space.x`, to that after it, `output`. */
export function forwardBlock(run: Run, layer: Layer, output: Float32Array): void {
  const { block: { dense, down }, space: { x, moments, middle, middleMoments } } = layer;
  const { kernel, rows, config: { width, parallelResidual } } = run;
  const { attention, mlp } = normSteps(layer);
  const biases = { bias: dense.bias?.value, bias2: down.bias?.value };
  if (parallelResidual) {
    normalise(run, { x, moments }, attention, mlp);
    kernel.addBiases({ rows, width, x, ...biases, output });
    forwardAttention(run, layer, output);
  } else {
    normalise(run, { x, moments }, attention);
    kernel.addBiases({ rows, width, x, bias: biases.bias, output: middle });
    forwardAttention(run, layer, middle);
    normalise(run, { x: middle, moments: middleMoments }, mlp);
    kernel.addBiases({ rows, width, x: middle, bias: biases.bias2, output });
  }
  forwardMlp(run, layer, output);
}

/** Adds attention to `output`. */
function forwardAttention(run: Run, { block, space }: Layer, output: Float32Array): void {
  const { attentionInput, heads: x, probabilities, attended, denseInput: input } = space;
  const { kernel, rows, config } = run;
  const { width, rotary } = config;
  roundInput(run, attentionInput, width);
  mapForward(run, block.queryKeyValue, attentionInput, x);
  const bias = block.queryKeyValue.bias?.value;
  const shape = headsOf(run);
  kernel.rotary({ ...shape, x, bias, turned: rotary.width, angles: run.space.angles });
  kernel.attention({ ...shape, x, probabilities, output: attended });
  if (block.attentionSubNorm) {
    const { attendedInverses: inverses } = space;
    const norm = { weight: block.attentionSubNorm.value, epsilon: config.normEpsilon, inverses };
    kernel.rmsNorm({ rows, width, x: attended, ...norm, output: input });
    roundInput(run, input, width);
  }
  mapOnto(run, block.dense, input, output);
}

/** Adds the feed-forward part to `output`. */
function forwardMlp(run: Run, { block, space }: Layer, output: Float32Array): void {
  const { mlpInput, slope, activated, downInput: input } = space;
  const { kernel, rows, config } = run;
  const { innerWidth: width, activation } = config;
  roundInput(run, mlpInput, config.width);
  mapForward(run, block.up, mlpInput, slope);
  const bias = block.up.bias?.value;
  const kind = activation === "gelu_tanh" ? "gelu_tanh" : "gelu";
  kernel.gelu({ rows, width, kind, x: slope, bias, output: activated });
  if (block.mlpSubNorm) {
    const { activatedInverses: inverses } = space;
    const norm = { weight: block.mlpSubNorm.value, epsilon: config.normEpsilon, inverses };
    kernel.rmsNorm({ rows, width, x: activated, ...norm, output: input });
    roundInput(run, input, width);
  }
  mapOnto(run, block.down, input, output);
}

/** From the gradient of the residual stream after a block to that before it, both in `dHidden`. */
export function backwardBlock(run: Run, layer: Layer): void {
  const { x, moments, middle, middleMoments } = layer.space;
  const { dAttention, dMlp } = run.space;
  const { attention, mlp } = normSteps(layer);
  const steps = [{ ...attention, values: dAttention }, { ...mlp, values: dMlp }] as const;
  backwardMlp(run, layer);
  if (!run.config.parallelResidual) {
    normaliseBackward(run, { x: middle, moments: middleMoments }, steps[1]);
  }
  backwardAttention(run, layer);
  if (run.config.parallelResidual) normaliseBackward(run, { x, moments }, ...steps);
  else normaliseBackward(run, { x, moments }, steps[0]);
}

/** From the gradient of the residual stream to that of `mlpInput`, in `dMlp`. */
function backwardMlp(run: Run, { block, space }: Layer): void {
  const { mlpInput: x, slope, activated, activatedInverses: inverses, downInput } = space;
  const { dHidden, dInner: gradient, dMlp } = run.space;
  const { kernel, rows, config: { innerWidth: width } } = run;
  biasBackward(run, block.down.bias);
  mapBackward(run, block.down, { x: downInput, gradient: dHidden, xGradient: gradient });
  if (block.mlpSubNorm) {
    const { value: weight, gradient: weightGradient } = block.mlpSubNorm;
    kernel.rmsNormBackward({
      rows,
      width,
      x: activated,
      inverses,
      weight,
      gradient,
      weightGradient,
    });
  }
  kernel.geluBackward({ rows, width, slope, gradient, biasGradient: block.up.bias?.gradient });
  mapBackward(run, block.up, { x, gradient, xGradient: dMlp });
}

/** From the gradient of the residual stream to that of `attentionInput`, in `dAttention`. */
function backwardAttention(run: Run, { block, space }: Layer): void {
  const { attentionInput, heads, probabilities, attended: output, denseInput } = space;
  const { dHidden, dAttention, dHeads, angles } = run.space;
  const { kernel, rows, config: { width, rotary } } = run;
  biasBackward(run, block.dense.bias);
  mapBackward(run, block.dense, { x: denseInput, gradient: dHidden, xGradient: dAttention });
  if (block.attentionSubNorm) {
    const { value: weight, gradient: weightGradient } = block.attentionSubNorm;
    const { attendedInverses: inverses } = space;
    const gradients = { gradient: dAttention, weightGradient };
    kernel.rmsNormBackward({ rows, width, x: output, inverses, weight, ...gradients });
  }
  const shape = headsOf(run);
  const gradients = { outputGradient: dAttention, xGradient: dHeads };
  kernel.attentionBackward({ ...shape, x: heads, probabilities, output, ...gradients });
  const bias = block.queryKeyValue.bias?.gradient;
  kernel.rotaryBackward({ ...shape, x: dHeads, bias, turned: rotary.width, angles });
  const [x, gradient] = [attentionInput, dHeads];
  mapBackward(run, block.queryKeyValue, { x, gradient, xGradient: dAttention });
}

function normSteps({ block, space }: Layer): Record<"attention" | "mlp", NormStep> {
  return {
    attention: { ...block.attentionNorm, values: space.attentionInput },
    mlp: { ...block.mlpNorm, values: space.mlpInput },
  };
}

/** BitNet's maps take inputs of 8 bits. */
function roundInput({ kernel, rows, config }: Run, x: Float32Array, width: number): void {
  if (config.bitLinear) kernel.roundActivations(x, { rows, width });
}

import type { MatrixKernel } from "../compute/mod.ts";
import type { Model } from "./gpt_neox/model.ts";

/** How the optimiser works. Defaults are Pythia's. */
export interface AdamWSettings {
  /** Default [0.9, 0.95]. */
  betas?: readonly [number, number];
  /** Added to the root of the second moment. Default 1e-8. */
  epsilon?: number;
  /** Default 0.1. Matrices decay; norms and biases do not. */
  weightDecay?: number;
  /** Gradients with a larger norm, over all parameters, are scaled down to it. Default 1. */
  clip?: number;
}

/**
 * What the optimiser remembers: save and restore it with the parameters, and training goes on to
 * the same bytes.
 */
export interface AdamWState {
  /** Steps done. */
  steps: number;
  /** Running mean of the gradients, laid out as the parameters. */
  readonly first: Float32Array;
  /** Running mean of their squares, laid out as the parameters. */
  readonly second: Float32Array;
}

/** AdamW for the parameters of one model. */
export interface AdamW {
  readonly state: AdamWState;
  /** One step along the model's gradients. `weightDecay` replaces the setting for this step. */
  step(learningRate: number, options?: { weightDecay?: number }): { gradientNorm: number };
}

/**
 * Makes the optimiser of Loshchilov and Hutter (arXiv 1711.05101), with decoupled weight decay and
 * clipping by the global norm, its state in the kernel's memory. `step` returns the norm before
 * clipping.
 *
 * A step throws, and changes nothing, when the norm is not finite: a gradient is then infinite or
 * NaN.
 */
export function createAdamW(
  kernel: MatrixKernel,
  model: Pick<Model, "layout" | "parameters" | "gradients">,
  settings: AdamWSettings = {},
): AdamW {
  const { betas = [0.9, 0.95], epsilon = 1e-8, weightDecay: usualDecay = 0.1, clip = 1 } = settings;
  const { parameters, gradients } = model;
  const state: AdamWState = {
    steps: 0,
    first: kernel.float32(parameters.length),
    second: kernel.float32(parameters.length),
  };
  const slices = model.layout.map(({ shape, offset, length }) => {
    const slice = (values: Float32Array) => values.subarray(offset, offset + length);
    return {
      ...{ parameters: slice(parameters), gradients: slice(gradients) },
      ...{ first: slice(state.first), second: slice(state.second) },
      decays: shape.length > 1,
    };
  });
  return {
    state,
    step(learningRate, { weightDecay = usualDecay } = {}) {
      const gradientNorm = Math.sqrt(kernel.network.sumOfSquares(gradients));
      if (!Number.isFinite(gradientNorm)) {
        throw new Error(
          `Cannot take step ${
            state.steps + 1
          }: the norm of the gradients must be finite: got ${gradientNorm}: ` +
            "lower the learning rate",
        );
      }
      state.steps++;
      const factor = gradientNorm > clip ? clip / gradientNorm : 1;
      const shared = { step: state.steps, learningRate, betas, epsilon, factor };
      for (const { decays, ...slice } of slices) {
        kernel.network.adamW({ ...slice, ...shared, weightDecay: decays ? weightDecay : 0 });
      }
      return { gradientNorm };
    },
  };
}

/**
 * Trust-region Levenberg-Marquardt from one start: Moré 1978 (see trust_step.ts), with bounds, and with
 * linear parameters projected out (see linear_model.ts).
 * By hand: fits are what the project exists for, and the npm packages tried fail most NIST problems.
 */
import { backSubstitute } from "./linear_algebra.ts";
import {
  arrive,
  localModel,
  moved,
  projectedLengths,
  type Slope,
  slopeAt,
} from "./linear_model.ts";
import type { Place, ResidualSystem } from "./residual_system.ts";
import { scaledLength, trustStep } from "./trust_step.ts";

/** When to stop, and what to project out. */
export interface DescentOptions {
  readonly maxIterations: number;
  /** Gradient norm (see {@link Slope}) that counts as 0. */
  readonly tolerance: number;
  /** Indices of the parameters to project out, which wants squares for a loss. */
  readonly linear: readonly number[];
  /** First radius, in units of the scaled length of the start. */
  readonly radius: number;
}

/** Where a descent ended, and the linear model there. */
export interface Descent extends Place, Slope {
  readonly iterations: number;
  /** Whether the linear model is that of a robust loss. */
  readonly robust: boolean;
  readonly end: "optimum" | "stalled" | "iteration limit";
}

/** A place counts as an optimum below this gradient norm once nothing lowers the objective any more, */
const flat = 1e-5;
/** and likewise where the undamped step is below this part of the parameters. */
const still = 1e-8;
/** A fall below this part of the objective drowns in rounding: with no more to gain, the gradient norm decides. */
const visible = 1e-10;
/** Failed steps in a row after which nothing more is tried, where falls are visible and where not. */
const patience = { visible: 60, hidden: 4 };

/** Descends from `start`, which lies in the bounds; nothing where residuals or derivatives are not finite there. */
export function descend(
  system: ResidualSystem,
  start: Float64Array,
  options: DescentOptions,
): Descent | undefined {
  system.refined = false;
  const { linear } = options;
  const first = arrive(system, start, linear);
  let { place } = first;
  let slope = first.slope ?? slopeAt(system, place, linear);
  if (place.objective === Infinity || !Number.isFinite(slope.gradientNorm)) return undefined;
  const scales = projectedLengths(slope).map((length) => length || 1);
  const fixed = scales.map((scale, j) => linear.includes(j) ? 0 : scale);
  const firstRadius = options.radius * (scaledLength(place.theta, fixed) || 1);
  let radius = firstRadius;
  let iterations = 0;
  let failures = 0;
  let settled = false;
  while (iterations < options.maxIterations) {
    if (settled || slope.gradientNorm <= options.tolerance) {
      // Differences brought it here; finer ones take it on, where the tolerance asks for more than they hold.
      if (system.exact || options.tolerance > flat) break;
      system.refined = true;
      slope = slopeAt(system, place, linear);
      radius = firstRadius;
      settled = false;
      failures = 0;
    }
    iterations++;
    // Once all that is left to gain is rounding, a step has to flatten the slope instead of lowering the objective.
    const noise = roundingNoise(place, slope);
    const hidden = slope.removable <= noise;
    const model = localModel(system, place.theta, slope.triangle, scales);
    const { step, length, predicted } = trustStep(model, radius);
    const theta = moved(system, place.theta, slope.triangle, step);
    settled = !(predicted > 0) || theta.every((x, j) => barelyDiffers(x, place.theta[j]!));
    if (settled) continue;
    const trial = arrive(system, theta, linear);
    const fall = place.objective - trial.place.objective;
    const ratio = fall / predicted;
    let next: Slope | undefined;
    if (hidden ? fall >= -noise : ratio > 1e-4) {
      next = trial.slope ?? slopeAt(system, trial.place, linear);
    }
    if (next && !(next.gradientNorm < (hidden ? slope.gradientNorm : Infinity))) next = undefined;
    if (!next || (!hidden && ratio < 0.25)) radius = length / 4;
    else if (!hidden && (ratio > 0.75 || length < 0.9 * radius)) radius = 2 * length;
    if (next) {
      place = trial.place;
      slope = next;
      failures = 0;
      projectedLengths(slope).forEach((length, j) => scales[j] = Math.max(scales[j]!, length));
    } else settled = ++failures > (hidden ? patience.hidden : patience.visible);
  }
  let end: Descent["end"] = "iteration limit";
  const enough = Math.max(flat, options.tolerance);
  if (slope.gradientNorm <= enough || isStill(slope, place)) end = "optimum";
  else if (settled) end = "stalled";
  return { ...place, ...slope, iterations, robust: system.robust, end };
}

/** How far rounding may move the objective of a place. */
function roundingNoise({ theta, objective }: Place, { lengths }: Slope): number {
  let reach = 0;
  for (let j = 0; j < theta.length; j++) {
    reach = Math.max(reach, Math.abs(theta[j]!) * lengths[j]!);
  }
  return Math.max(visible * objective, 64 * Number.EPSILON * reach * Math.sqrt(objective));
}

/** Whether the undamped step from a place is too small to matter. */
function isStill({ triangle, lengths }: Slope, { theta }: Place): boolean {
  const ordered = Float64Array.from(triangle.order, (j) => lengths[j]!);
  return scaledLength(backSubstitute(triangle), ordered) <= still * scaledLength(theta, lengths);
}

/** Whether two numbers are equal but for rounding. */
function barelyDiffers(a: number, b: number): boolean {
  return Math.abs(a - b) <= 4 * Number.EPSILON * Math.abs(b);
}

/**
 * Trust-region Levenberg-Marquardt from one start: Moré 1978 (see trust_step.ts), with bounds, and with
 * parameters that are linear projected out (Golub and Pereyra 1973, in Kaufman's 1975 form).
 * By hand: fits are what the project exists for, and the npm packages tried fail most NIST problems.
 */
import { backSubstitute, factor, type Tall, type Triangle } from "./linear_algebra.ts";
import type { Place, ResidualSystem } from "./residual_system.ts";
import { boxedStep, type LocalModel, scaledLength, trustStep } from "./trust_step.ts";

/** When to stop, and what to project out. */
export interface DescentOptions {
  readonly maxIterations: number;
  /** Gradient norm (see {@link Slope}) that counts as 0. */
  readonly tolerance: number;
  /** Indices of the parameters that are solved for at the start. */
  readonly linear: readonly number[];
  /** Whether they are projected out on the whole way, which wants squares for a loss. */
  readonly project: boolean;
  /** First radius, in units of the scaled length of the start. */
  readonly radius: number;
}

/** The linear model at a place, over the parameters that are free to move. */
export interface Slope {
  readonly triangle: Triangle;
  /** Lengths of the columns of the Jacobian. */
  readonly lengths: Float64Array;
  /** By how much the linear model says that the sum of squares can fall at most. */
  readonly removable: number;
  /** Cosine of the angle between the residuals and the span of the derivatives: 0 at an optimum. */
  readonly gradientNorm: number;
}

/** Where a descent ended, and the linear model there. */
export interface Descent extends Place, Slope {
  readonly iterations: number;
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
  const projected = options.project ? options.linear : [];
  let place = solveLinear(system, system.at(start), options.linear);
  let slope = slopeAt(system, place, projected);
  if (place.objective === Infinity || !Number.isFinite(slope.gradientNorm)) return undefined;
  const scales = projectedLengths(slope).map((length) => length || 1);
  const fixed = scales.map((scale, j) => projected.includes(j) ? 0 : scale);
  const firstRadius = options.radius * (scaledLength(place.theta, fixed) || 1);
  let radius = firstRadius;
  let iterations = 0;
  let failures = 0;
  let settled = false;
  while (iterations < options.maxIterations) {
    if (settled || slope.gradientNorm <= options.tolerance) {
      if (system.exact) break;
      system.refined = true;
      slope = slopeAt(system, place, projected);
      radius = firstRadius;
      settled = false;
      failures = 0;
    }
    iterations++;
    const noise = roundingNoise(place, slope);
    const hidden = slope.removable <= noise;
    const model = localModel(system, place.theta, slope.triangle, scales);
    const { step, length, predicted } = trustStep(model, radius);
    const theta = moved(system, place.theta, slope.triangle, step);
    settled = !(predicted > 0) || theta.every((x, j) => barelyDiffers(x, place.theta[j]!));
    if (settled) continue;
    const trial = solveLinear(system, system.at(theta), projected);
    const fall = place.objective - trial.objective;
    const ratio = fall / predicted;
    let next: Slope | undefined;
    if (hidden ? fall >= -noise : ratio > 1e-4) next = slopeAt(system, trial, projected);
    if (next && !(next.gradientNorm < (hidden ? slope.gradientNorm : Infinity))) next = undefined;
    if (!next || (!hidden && ratio < 0.25)) radius = length / 4;
    else if (!hidden && (ratio > 0.75 || length < 0.9 * radius)) radius = 2 * length;
    if (next) {
      place = trial;
      slope = next;
      failures = 0;
      projectedLengths(slope).forEach((length, j) => scales[j] = Math.max(scales[j]!, length));
    } else settled = ++failures > (hidden ? patience.hidden : patience.visible);
  }
  let end: Descent["end"] = "iteration limit";
  if (slope.gradientNorm <= flat || isStill(slope, place, scales)) end = "optimum";
  else if (settled) end = "stalled";
  return { ...place, ...slope, iterations, end };
}

/** The linear model at a place, over the parameters that no bound holds back; `first` are eliminated first. */
function slopeAt(system: ResidualSystem, place: Place, first: readonly number[]): Slope {
  const tall = system.linearise(place);
  const free = movable(system, place.theta, tall);
  const leading = free.filter((j) => first.includes(j));
  const columns = [...leading, ...free.filter((j) => !first.includes(j))];
  const triangle = factor(tall, { columns, first: leading.length });
  let removable = 0;
  for (const value of triangle.c) removable += value * value;
  const total = removable + triangle.rest;
  return {
    triangle,
    lengths: system.lengths.slice(),
    removable,
    gradientNorm: total === 0 ? 0 : Math.sqrt(removable / total),
  };
}

/** Parameters that change the residuals and are not pressed against a bound. */
function movable(system: ResidualSystem, theta: Float64Array, tall: Tall): number[] {
  const { lower, upper, lengths } = system;
  const { rows, columns, data } = tall;
  const free: number[] = [];
  for (let j = 0; j < columns; j++) {
    if (lengths[j] === 0) continue;
    const sign = theta[j] === lower[j] ? -1 : theta[j] === upper[j] ? 1 : 0;
    let gradient = 0;
    for (let i = 0; sign !== 0 && i < rows; i++) {
      gradient += data[j * rows + i]! * data[columns * rows + i]!;
    }
    if (sign === 0 || sign * gradient > 0) free.push(j);
  }
  return free;
}

/** Lengths of the columns with what the projected ones make up for taken off. */
function projectedLengths({ lengths, triangle }: Slope): Float64Array {
  const { order, r, rank, leading } = triangle;
  const out = lengths.slice();
  for (let j = leading; leading > 0 && j < order.length; j++) {
    let sum = 0;
    for (let i = leading; i < rank && i <= j; i++) sum += r[i * order.length + j]! ** 2;
    out[order[j]!] = Math.sqrt(sum);
  }
  return out;
}

/** The model for {@link trustStep}: scales and room in pivot order. */
function localModel(
  { lower, upper }: ResidualSystem,
  theta: Float64Array,
  triangle: Triangle,
  scales: Float64Array,
): LocalModel {
  const order = Array.from(triangle.order);
  return {
    triangle,
    scales: Float64Array.from(order, (j, i) => i < triangle.leading ? 0 : scales[j]!),
    lower: Float64Array.from(order, (j) => lower[j]! - theta[j]!),
    upper: Float64Array.from(order, (j) => upper[j]! - theta[j]!),
  };
}

/** `theta` after a step in pivot order, kept in the bounds against rounding. */
function moved(
  { lower, upper }: ResidualSystem,
  theta: Float64Array,
  { order }: Triangle,
  step: Float64Array,
): Float64Array {
  const out = theta.slice();
  order.forEach((j, i) => {
    out[j] = Math.min(Math.max(theta[j]! + step[i]!, lower[j]!), upper[j]!);
  });
  return out;
}

/** The best place that moving the `linear` parameters alone reaches; the same place when there are none. */
function solveLinear(system: ResidualSystem, place: Place, linear: readonly number[]): Place {
  if (linear.length === 0 || place.objective === Infinity) return place;
  const tall = system.linearise(place, linear);
  const columns = movable(system, place.theta, tall).filter((j) => linear.includes(j));
  const triangle = factor(tall, { columns });
  const model = localModel(system, place.theta, triangle, new Float64Array(system.width));
  const solved = system.at(moved(system, place.theta, triangle, boxedStep(model)));
  return solved.objective < place.objective ? solved : place;
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
function isStill({ triangle }: Slope, { theta }: Place, scales: Float64Array): boolean {
  const ordered = Float64Array.from(triangle.order, (j) => scales[j]!);
  return scaledLength(backSubstitute(triangle), ordered) <= still * scaledLength(theta, scales);
}

/** Whether two numbers are equal but for rounding. */
function barelyDiffers(a: number, b: number): boolean {
  return Math.abs(a - b) <= 4 * Number.EPSILON * Math.abs(b);
}

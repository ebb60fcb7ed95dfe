/**
 * One step of a trust-region method on the linear model min ||R p + c|| with ||D p|| <= radius, inside a
 * box. J. J. Moré 1978, "The Levenberg-Marquardt algorithm: implementation and theory", section 5.
 */
import { backSubstitute, householder, solveLower, type Triangle } from "./linear_algebra.ts";

/** The local model; every array is in the pivot order of `triangle`. */
export interface LocalModel {
  readonly triangle: Triangle;
  /** D, one scale a parameter; 0 for a parameter that is projected out and moves freely. */
  readonly scales: Float64Array;
  /** How far each parameter may go down, at most 0. */
  readonly lower: Float64Array;
  /** How far each parameter may go up, at least 0. */
  readonly upper: Float64Array;
}

/** A step and what the linear model says of it. */
export interface TrustStep {
  /** p, in pivot order. */
  readonly step: Float64Array;
  /** ||D p|| */
  readonly length: number;
  /** By how much the model says the sum of squares falls. */
  readonly predicted: number;
}

/** A solution of the damped model: `step` by position, `triangle` of the damped system. */
interface Damped {
  readonly step: Float64Array;
  readonly triangle: Triangle;
}

/** The step of least model value within the radius (to 10 %), led along the faces of the box. */
export function trustStep(model: LocalModel, radius: number): TrustStep {
  const { triangle, scales, lower, upper } = model;
  let lambda = 0;
  let step = gaussNewton(triangle);
  if (step === undefined || !(scaledLength(step, scales) <= 1.1 * radius)) {
    lambda = findDamping(model, radius, step);
    step = solveDamped(model, lambda, []).step;
  }
  if (step.some((p, i) => p < lower[i]! || p > upper[i]!)) step = followBox(model, lambda, step);
  return { step, length: scaledLength(step, scales), predicted: predictedFall(triangle, step) };
}

/** The undamped step (0 for dependent parameters), led along the faces of the box. */
export function boxedStep(model: LocalModel): Float64Array {
  const step = backSubstitute(model.triangle);
  const outside = step.some((p, i) => p < model.lower[i]! || p > model.upper[i]!);
  return outside ? followBox(model, 0, step) : step;
}

/** ||D p|| */
export function scaledLength(step: Float64Array, scales: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < step.length; i++) sum += (scales[i]! * step[i]!) ** 2;
  return Math.sqrt(sum);
}

/** The undamped step, or nothing where the columns are dependent. */
function gaussNewton(triangle: Triangle): Float64Array | undefined {
  return triangle.rank === triangle.order.length ? backSubstitute(triangle) : undefined;
}

/** The damping at which ||D p|| is the radius, by the safeguarded Newton iteration of Hebden and Moré. */
function findDamping(model: LocalModel, radius: number, full?: Float64Array): number {
  const positions = Int32Array.from(model.scales, (_, i) => i);
  let low = full === undefined ? 0 : newtonChange(
    model.scales,
    { step: full, triangle: { ...model.triangle, order: positions } },
    radius,
  ) * radius / scaledLength(full, model.scales);
  let high = steepest(model) / radius;
  let lambda = Math.max(1e-3 * high, Math.sqrt(low * high));
  for (let i = 0; i < 10; i++) {
    const damped = solveDamped(model, lambda, []);
    const excess = scaledLength(damped.step, model.scales) - radius;
    if (Math.abs(excess) <= 0.1 * radius) break;
    if (excess > 0) low = Math.max(low, lambda);
    else high = Math.min(high, lambda);
    lambda += newtonChange(model.scales, damped, radius);
    if (!(lambda > low && lambda < high)) lambda = Math.max(1e-3 * high, Math.sqrt(low * high));
  }
  return lambda;
}

/** Newton's change of the damping, on 1 / ||D p|| = 1 / radius. */
function newtonChange(scales: Float64Array, { step, triangle }: Damped, radius: number): number {
  const length = scaledLength(step, scales);
  const slope = solveLower(
    triangle,
    Float64Array.from(triangle.order, (at) => scales[at]! ** 2 * step[at]!),
  );
  const fall = slope.reduce((sum, value) => sum + value * value, 0);
  return (length / radius) * (length - radius) * length / fall;
}

/** ||D^-1 R'c|| over the parameters that are not projected out. */
function steepest({ triangle: { r, c, rank, leading }, scales }: LocalModel): number {
  const width = scales.length;
  let sum = 0;
  for (let j = leading; j < width; j++) {
    let gradient = 0;
    for (let i = leading; i < rank; i++) gradient += r[i * width + j]! * c[i]!;
    sum += (gradient / scales[j]!) ** 2;
  }
  return Math.sqrt(sum);
}

/** Solves min ||R p + c||^2 + lambda ||D p||^2 with the parameters in `fixed` held at their step. */
function solveDamped(
  { triangle: { r, c, rank }, scales }: LocalModel,
  lambda: number,
  fixed: readonly (number | undefined)[],
): Damped {
  const width = scales.length;
  const free = Array.from(scales.keys()).filter((i) => fixed[i] === undefined);
  const rows = rank + free.length;
  const data = new Float64Array(rows * (free.length + 1));
  const root = Math.sqrt(lambda);
  free.forEach((at, j) => {
    for (let i = 0; i < rank; i++) data[j * rows + i] = r[i * width + at]!;
    data[j * rows + rank + j] = root * scales[at]!;
  });
  for (let i = 0; i < rank; i++) {
    let sum = c[i]!;
    for (let j = 0; j < width; j++) sum += r[i * width + j]! * (fixed[j] ?? 0);
    data[free.length * rows + i] = sum;
  }
  const triangle = householder({ rows, columns: free.length, data });
  const solution = backSubstitute(triangle);
  const step = Float64Array.from(scales, (_, i) => fixed[i] ?? 0);
  const order = triangle.order.map((j) => free[j]!);
  order.forEach((at, i) => step[at] = solution[i]!);
  return { step, triangle: { ...triangle, order } };
}

/** Goes from 0 towards `target`, holding each parameter at the bound that it meets first and solving again. */
function followBox(model: LocalModel, lambda: number, target: Float64Array): Float64Array {
  const { lower, upper } = model;
  const at = new Float64Array(target.length);
  const fixed: (number | undefined)[] = Array.from(target, () => undefined);
  for (let faces = 0; faces < target.length; faces++) {
    let part = 1;
    let meets = -1;
    for (let i = 0; i < at.length; i++) {
      const limit = target[i]! < lower[i]! ? lower[i]! : target[i]! > upper[i]! ? upper[i]! : NaN;
      const reach = (limit - at[i]!) / (target[i]! - at[i]!);
      if (reach < part) [part, meets] = [reach, i];
    }
    for (let i = 0; i < at.length; i++) at[i] = at[i]! + part * (target[i]! - at[i]!);
    if (meets < 0) break;
    at[meets] = fixed[meets] = target[meets]! < lower[meets]! ? lower[meets]! : upper[meets]!;
    target = solveDamped(model, lambda, fixed).step;
  }
  return at.map((p, i) => Math.min(Math.max(p, lower[i]!), upper[i]!));
}

/** ||c||^2 - ||c + R p||^2 */
function predictedFall({ r, c, rank, order }: Triangle, step: Float64Array): number {
  const width = order.length;
  let fall = 0;
  for (let i = 0; i < rank; i++) {
    let change = 0;
    for (let j = i; j < width; j++) change += r[i * width + j]! * step[j]!;
    fall -= change * (2 * c[i]! + change);
  }
  return fall;
}

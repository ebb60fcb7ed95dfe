/**
 * The linear model of the residuals at a place, with the linear parameters projected out: they are solved for at
 * every place, so that the objective seen is that of the others alone (Golub and Pereyra 1973; the derivatives are
 * Kaufman's of 1975, which leave out how the projection turns).
 */
import { cholesky, householder, solveUpper, type Triangle } from "./linear_algebra.ts";
import type { Place, ResidualSystem } from "./residual_system.ts";
import { boxedStep, type LocalModel } from "./trust_step.ts";

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

/** A place, and its linear model where that is known. */
export interface Arrival {
  readonly place: Place;
  readonly slope?: Slope;
}

/** Part of the squared residuals up to which solving for linear parameters leaves the derivatives as they were. */
const slight = 0.1;

/** The place at `theta`, once the `linear` parameters there are solved for. */
export function arrive(
  system: ResidualSystem,
  theta: Float64Array,
  linear: readonly number[],
): Arrival {
  const place = system.at(theta);
  if (linear.length === 0 || place.objective === Infinity) return { place };
  const slope = slopeAt(system, place, linear);
  const { triangle } = slope;
  const { leading, c, rest } = triangle;
  const step = solveUpper(triangle, c.slice(0, leading).map((value) => -value));
  const solved = moved(system, theta, triangle, step);
  if (step.some((p, i) => solved[triangle.order[i]!] !== theta[triangle.order[i]!]! + p)) {
    return { place: solveInBounds(system, place, linear) };
  }
  const gone = sumOfSquares(c.subarray(0, leading));
  const left = sumOfSquares(c.subarray(leading));
  if (!(gone <= slight * (gone + left + rest))) {
    const exact = system.at(solved);
    return { place: exact.objective < place.objective ? exact : place };
  }
  const settled = { ...triangle, c: c.map((value, i) => i < leading ? 0 : value) };
  return {
    place: system.shift(place, solved, linear),
    slope: slopeOf(settled, slope.lengths),
  };
}

/** The linear model at a place; the columns of `linear` parameters are eliminated first. */
export function slopeAt(system: ResidualSystem, place: Place, linear: readonly number[]): Slope {
  const gram = system.gram(place);
  const free = movable(system, place.theta, gram);
  const leading = free.filter((j) => linear.includes(j));
  const columns = [...leading, ...free.filter((j) => !linear.includes(j))];
  const options = { columns, first: leading.length };
  const triangle = cholesky(gram, options) ?? householder(system.tall(place), options);
  return slopeOf(triangle, system.lengths.slice());
}

function slopeOf(triangle: Triangle, lengths: Float64Array): Slope {
  const removable = sumOfSquares(triangle.c);
  const total = removable + triangle.rest;
  return {
    triangle,
    lengths,
    removable,
    gradientNorm: total === 0 ? 0 : Math.sqrt(removable / total),
  };
}

/** Parameters that change the residuals and are not pressed against a bound. */
function movable(system: ResidualSystem, theta: Float64Array, gram: Float64Array): number[] {
  const { lower, upper, lengths, width } = system;
  const free: number[] = [];
  for (let j = 0; j < width; j++) {
    const gradient = gram[j * (width + 1) + width]!;
    const pressed = (theta[j] === lower[j] && gradient >= 0) ||
      (theta[j] === upper[j] && gradient <= 0);
    if (lengths[j] !== 0 && !pressed) free.push(j);
  }
  return free;
}

/** Lengths of the columns with what the linear ones make up for taken off. */
export function projectedLengths({ lengths, triangle }: Slope): Float64Array {
  const { order, r, rank, leading } = triangle;
  const out = lengths.slice();
  for (let j = leading; leading > 0 && j < order.length; j++) {
    let sum = 0;
    for (let i = leading; i < rank && i <= j; i++) sum += r[i * order.length + j]! ** 2;
    out[order[j]!] = Math.sqrt(sum);
  }
  return out;
}

/** The model for a trust-region step: scales and room in pivot order. */
export function localModel(
  { lower, upper }: ResidualSystem,
  theta: Float64Array,
  triangle: Triangle,
  scales: Float64Array,
): LocalModel {
  const { order, leading } = triangle;
  const model = {
    triangle,
    scales: new Float64Array(order.length),
    lower: new Float64Array(order.length),
    upper: new Float64Array(order.length),
  };
  for (let i = 0; i < order.length; i++) {
    const j = order[i]!;
    if (i >= leading) model.scales[i] = scales[j]!;
    model.lower[i] = lower[j]! - theta[j]!;
    model.upper[i] = upper[j]! - theta[j]!;
  }
  return model;
}

/** `theta` after a step in pivot order, kept in the bounds. */
export function moved(
  { lower, upper }: ResidualSystem,
  theta: Float64Array,
  { order }: Triangle,
  step: Float64Array,
): Float64Array {
  const out = theta.slice();
  step.forEach((p, i) => {
    const j = order[i]!;
    out[j] = Math.min(Math.max(theta[j]! + p, lower[j]!), upper[j]!);
  });
  return out;
}

/** Where the undamped step from a place leads, inside the bounds; it is not evaluated there. */
export function lastStep(
  system: ResidualSystem,
  { theta, triangle }: Pick<Place, "theta"> & Pick<Slope, "triangle">,
): Float64Array {
  const model = localModel(system, theta, triangle, new Float64Array(system.width));
  return moved(system, theta, triangle, boxedStep(model));
}

/** The best place that moving the `linear` parameters alone reaches in the bounds. */
function solveInBounds(system: ResidualSystem, place: Place, linear: readonly number[]): Place {
  const gram = system.gram(place, linear);
  const columns = movable(system, place.theta, gram).filter((j) => linear.includes(j));
  const triangle = cholesky(gram, { columns }) ?? householder(system.tall(place), { columns });
  const solved = system.at(lastStep(system, { theta: place.theta, triangle }));
  return solved.objective < place.objective ? solved : place;
}

/** Sum of the squares of a vector. */
function sumOfSquares(vector: Float64Array): number {
  let sum = 0;
  for (const value of vector) sum += value * value;
  return sum;
}

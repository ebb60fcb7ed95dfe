/** Checks what was given to the least-squares solver, before any work is done. */
import type { LeastSquaresOptions } from "./least_squares.ts";
import { middle, type SearchRange, spread } from "./multi_start.ts";

/** A problem that passed: its bounds and its starts. */
export interface CheckedProblem {
  readonly lower: Float64Array;
  readonly upper: Float64Array;
  readonly starts: readonly Float64Array[];
}

/** Throws a RangeError that says what was given and what is allowed. */
export function checkProblem(options: LeastSquaresOptions): CheckedProblem {
  const { rows, weights, search, loss, huberDelta } = options;
  checkCount("rows", rows);
  const starts = options.starts ?? 1;
  checkCount("starts", starts);
  checkCount("maxIterations", options.maxIterations ?? 1);
  if (search === undefined && (options.start === undefined || starts > 1)) {
    refuse(starts > 1 ? "search, to draw more than 1 start from" : "a start, or search", "none");
  }
  search?.forEach(checkRange);
  const first = options.start === undefined ? middle(search!) : Float64Array.from(options.start);
  const width = first.length;
  if (width === 0) refuse("at least 1 parameter", "0");
  if (rows < width) refuse("at least as many rows as parameters", `${rows} and ${width}`);
  const lower = vector("lower", options.lower, width, -Infinity);
  const upper = vector("upper", options.upper, width, Infinity);
  if (search !== undefined && search.length !== width) {
    refuse("one search range a parameter", `${search.length} for ${width}`);
  }
  for (let j = 0; j < width; j++) {
    if (!(lower[j]! < upper[j]!)) {
      refuse(`lower below upper for parameter ${j}`, `${lower[j]} and ${upper[j]}`);
    }
    for (const value of [first[j]!, ...(search?.[j]?.search ?? [])]) {
      if (!Number.isFinite(value) || value < lower[j]! || value > upper[j]!) {
        refuse(
          `starts in the bounds [${lower[j]}, ${upper[j]}] for parameter ${j}`,
          String(value),
        );
      }
    }
  }
  for (const j of options.linear ?? []) {
    if (!Number.isInteger(j) || j < 0 || j >= width) {
      refuse(`linear indices from 0 to ${width - 1}`, String(j));
    }
  }
  if (weights !== undefined) checkWeights(weights, rows);
  if (huberDelta !== undefined && !(huberDelta > 0 && huberDelta < Infinity)) {
    refuse("huberDelta above 0", String(huberDelta));
  }
  if (huberDelta !== undefined && loss !== "huber") {
    refuse('loss "huber" with huberDelta', loss === undefined ? "no loss" : `"${loss}"`);
  }
  const drawn = starts > 1 ? spread(search!, starts - 1, options.seed ?? 0) : [];
  return { lower, upper, starts: [first, ...drawn] };
}

function checkWeights(weights: ArrayLike<number>, rows: number): void {
  if (weights.length !== rows) refuse(`${rows} weights, one a row`, String(weights.length));
  let heaviest = 0;
  for (let i = 0; i < rows; i++) {
    const weight = weights[i]!;
    if (!(weight >= 0 && weight < Infinity)) refuse("weights from 0 up", String(weight));
    heaviest = Math.max(heaviest, weight);
  }
  if (heaviest === 0) refuse("a weight above 0", "none");
}

function checkRange({ search: [low, high], logarithmic }: SearchRange, j: number): void {
  if (!(low < high) || (logarithmic && !(low > 0))) {
    refuse(
      `an ascending${logarithmic ? ", positive" : ""} search range for parameter ${j}`,
      `[${low}, ${high}]`,
    );
  }
}

function checkCount(name: string, value: number): void {
  if (!Number.isInteger(value) || value < 1) {
    refuse(`${name}, a whole number from 1 up`, String(value));
  }
}

function vector(
  name: string,
  values: ArrayLike<number> | undefined,
  width: number,
  otherwise: number,
): Float64Array {
  if (values === undefined) return new Float64Array(width).fill(otherwise);
  if (values.length !== width) {
    refuse(`one ${name} bound a parameter`, `${values.length} for ${width}`);
  }
  return Float64Array.from(values);
}

function refuse(needs: string, got: string): never {
  throw new RangeError(`Cannot fit: needs ${needs}: got ${got}`);
}

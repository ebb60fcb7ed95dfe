/** Refits of a law to resampled rows: few steps from the full fit, in buffers that the refits share. */
import { assess } from "./assessment.ts";
import type { Fit } from "./fit.ts";
import { parameterVector } from "./law.ts";
import { lawResiduals, type Sample } from "./law_residuals.ts";
import { leastSquaresStatuses } from "./least_squares.ts";
import { lastStep } from "./linear_model.ts";
import type { FitOptions, FitProblem } from "./problem.ts";
import { ResidualSystem } from "./residual_system.ts";
import { descend, type DescentOptions } from "./trust_region.ts";

/** How far from its optimum, in standard errors, a refit takes its last step, which leaves a small part of that. */
const lastStepFrom = 0.01;
/** First radius and most iterations of a refit, which starts close to its optimum. */
const nearby = { radius: 3, maxIterations: 200 };

/**
 * A function that refits to every row as often as its unit (`unitOf`, by row) counts, and returns the parameters of
 * the law; nothing where the refit is not usable.
 */
export function refitter(
  { law, observations, problem, logarithmic, parametersOf }: FitProblem,
  fit: Fit,
  { space }: FitOptions,
): (unitOf: Int32Array, counts: Int32Array) => Float64Array | undefined {
  const { rows } = observations.columns;
  const logSpace = space === "log";
  const observed = logSpace ? observations.observed.map(Math.log) : observations.observed;
  const select = selector({ columns: observations.columns, observed });
  const sample = { columns: observations.columns, observed };
  const model = lawResiduals(law, sample, { logSpace, logarithmic });
  const start = parameterVector(law, fit.parameters)
    .map((value, j) => logarithmic[j] ? Math.log(value) : value);
  const robust = problem.loss === "huber";
  const descent: DescentOptions = {
    ...nearby,
    tolerance: lastStepFrom / Math.sqrt(rows),
    linear: robust ? [] : problem.linear ?? [],
  };
  const fixed = {
    ...model,
    lower: Float64Array.from(problem.lower!),
    upper: Float64Array.from(problem.upper!),
    huberDelta: robust ? problem.huberDelta : undefined,
  };
  const indices = new Int32Array(rows);
  const weights = new Float64Array(rows);
  return (unitOf, counts) => {
    let used = 0;
    for (let i = 0; i < rows; i++) {
      const count = counts[unitOf[i]!]!;
      if (count === 0) continue;
      indices[used] = i;
      weights[used++] = count;
    }
    if (used < law.parameters.length) return undefined;
    Object.assign(sample, select(indices.subarray(0, used)));
    const system = new ResidualSystem({ ...fixed, rows: used, weights });
    const end = descend(system, start, descent);
    if (end === undefined) return undefined;
    const { status } = assess({ ...end, robust: false }, system, start);
    return leastSquaresStatuses[status].usable ? parametersOf(lastStep(system, end)) : undefined;
  };
}

/** A function that copies rows into buffers of its own, which its next call overwrites. */
function selector(all: Sample): (indices: Int32Array) => Sample {
  const names = ["size", "tokens", "bits", "lnSize", "lnTokens", "lnBits"] as const;
  const buffers = names.map((name) => new Float64Array(all.columns[name].length));
  const observed = new Float64Array(all.observed.length);
  return (indices) => {
    const copies = names.map((name, i) => copy(all.columns[name], indices, buffers[i]!));
    const columns = Object.fromEntries(names.map((name, i) => [name, copies[i]!]));
    return {
      columns: { ...all.columns, ...columns, rows: indices.length },
      observed: copy(all.observed, indices, observed),
    };
  };
}

/** Copies the values at `indices` to the front of `buffer`; a column that is not there (length 0) stays so. */
function copy(column: Float64Array, indices: Int32Array, buffer: Float64Array): Float64Array {
  if (column.length === 0) return column;
  for (let i = 0; i < indices.length; i++) buffer[i] = column[indices[i]!]!;
  return buffer.subarray(0, indices.length);
}

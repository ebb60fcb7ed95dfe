/**
 * Linear models with a random intercept for each group, by REML or ML. Written by hand: no npm package
 * fits mixed models, and with one intercept the likelihood has a single parameter left to search.
 */
import { LawError } from "./law.ts";

/** The rows of a mixed model: a response, predictors by name, and the group of each row. */
export interface GroupedRows {
  readonly response: readonly number[];
  readonly predictors: Readonly<Record<string, readonly number[]>>;
  readonly groups: readonly string[];
}

/** A fitted model y = intercept + sum of coefficients x predictors + u(group) + e. */
export interface MixedModel {
  /** "intercept" and the predictors' coefficients, by name, in the order given. */
  readonly coefficients: Record<string, number>;
  /** Standard errors of the coefficients, at the fitted variances. */
  readonly standardErrors: Record<string, number>;
  /** Variance of the groups' intercepts u. */
  readonly groupVariance: number;
  /** Variance of the residuals e. */
  readonly residualVariance: number;
  /** The groups' intercepts u as predicted (BLUP), by group. */
  readonly groupEffects: Record<string, number>;
  /** -2 ln of the (restricted) likelihood at the optimum; lme4's "REML criterion". */
  readonly criterion: number;
  readonly method: "reml" | "ml";
  readonly rows: number;
}

/**
 * Fits a random intercept for each group (Laird and Ware 1982; Bates et al. 2015, arXiv 1406.5823).
 *
 * With V = I + rho Z Z', all but rho = group variance / residual variance follow in closed form; rho is
 * searched on a grid and refined by golden section. A group variance of 0 is a possible result.
 *
 * Errors: fewer rows than coefficients plus two, a single group, columns of different length, a value
 * that is not finite, and predictors that do not determine their coefficients.
 */
export function randomIntercept(
  rows: GroupedRows,
  options: { method?: "reml" | "ml" } = {},
): MixedModel {
  const { method = "reml" } = options;
  const design = designOf(rows);
  const profile = (theta: number) => evaluate(design, theta ** 2, method);
  const grid = [0, ...Array.from({ length: 49 }, (_, i) => 10 ** (-3 + i / 8))];
  const values = grid.map((theta) => profile(theta).criterion);
  const best = values.indexOf(Math.min(...values));
  const theta = goldenSection(
    (at) => profile(at).criterion,
    grid[Math.max(0, best - 1)]!,
    grid[Math.min(grid.length - 1, best + 1)]!,
  );
  const at0 = profile(0);
  const refined = profile(theta);
  const rho = at0.criterion <= refined.criterion ? 0 : theta ** 2;
  const { criterion, beta, inverse, residualVariance } = evaluate(design, rho, method);
  const { names, groups } = design;
  const effects = groups.map(({ name, count, sums, sum }) => {
    const residual = sum - beta.reduce((total, b, j) => total + b * sums[j]!, 0);
    return [name, rho * residual / (1 + count * rho)] as const;
  });
  const named = (value: (j: number) => number) =>
    Object.fromEntries(names.map((name, j) => [name, value(j)]));
  return {
    coefficients: named((j) => beta[j]!),
    standardErrors: named((j) => Math.sqrt(residualVariance * inverse[j]![j]!)),
    groupVariance: rho * residualVariance,
    residualVariance,
    groupEffects: Object.fromEntries(effects),
    criterion,
    method,
    rows: design.rows,
  };
}

interface Group {
  readonly name: string;
  readonly count: number;
  /** Sums of the columns of the design, and of the response. */
  readonly sums: number[];
  readonly sum: number;
}

interface Design {
  readonly names: string[];
  readonly rows: number;
  readonly groups: Group[];
  /** X'X, X'y and y'y. */
  readonly gram: number[][];
  readonly right: number[];
  readonly square: number;
}

function designOf({ response, predictors, groups }: GroupedRows): Design {
  const columns = [response.map(() => 1), ...Object.values(predictors)];
  const names = ["intercept", ...Object.keys(predictors)];
  const refuse = (reason: string) => {
    throw new LawError(`Cannot fit the mixed model: ${reason}`);
  };
  for (const [j, column] of [...columns, groups].entries()) {
    if (column.length === response.length) continue;
    refuse(
      `${
        names[j] ?? "groups"
      } has ${column.length} rows: needs ${response.length}, as the response`,
    );
  }
  for (const [j, column] of [...columns, response].entries()) {
    const at = column.findIndex((value) => !Number.isFinite(value));
    if (at >= 0) refuse(`${names[j] ?? "the response"} is not finite in row ${at}`);
  }
  if (response.length < columns.length + 2) {
    refuse(`needs at least ${columns.length + 2} rows: got ${response.length}`);
  }
  const found = [...new Set(groups)].sort();
  if (found.length < 2) refuse(`needs at least 2 groups: got ${found.length}`);
  const sumOver = (indices: readonly number[], a: readonly number[], b?: readonly number[]) =>
    indices.reduce((sum, i) => sum + a[i]! * (b?.[i] ?? 1), 0);
  const all = response.map((_, i) => i);
  return {
    names,
    rows: response.length,
    groups: found.map((name) => {
      const inside = all.filter((i) => groups[i] === name);
      return {
        name,
        count: inside.length,
        sums: columns.map((column) => sumOver(inside, column)),
        sum: sumOver(inside, response),
      };
    }),
    gram: columns.map((a) => columns.map((b) => sumOver(all, a, b))),
    right: columns.map((column) => sumOver(all, column, response)),
    square: sumOver(all, response, response),
  };
}

/** The profiled fit at a ratio of variances. */
function evaluate(design: Design, rho: number, method: "reml" | "ml") {
  const { gram, right, square, groups, rows, names } = design;
  const width = names.length;
  const a = gram.map((row) => [...row]);
  const b = [...right];
  let c = square;
  let logDeterminant = 0;
  for (const { count, sums, sum } of groups) {
    const shrink = rho / (1 + count * rho);
    logDeterminant += Math.log1p(count * rho);
    c -= shrink * sum * sum;
    for (let i = 0; i < width; i++) {
      b[i]! -= shrink * sums[i]! * sum;
      for (let j = 0; j < width; j++) a[i]![j]! -= shrink * sums[i]! * sums[j]!;
    }
  }
  const { inverse, logDeterminant: logA } = inverseOf(a, names);
  const beta = inverse.map((row) => row.reduce((sum, value, j) => sum + value * b[j]!, 0));
  const spread = Math.max(c - beta.reduce((sum, value, j) => sum + value * b[j]!, 0), 1e-300);
  const free = method === "reml" ? rows - width : rows;
  const residualVariance = spread / free;
  const criterion = free * (1 + Math.log(2 * Math.PI * residualVariance)) + logDeterminant +
    (method === "reml" ? logA : 0);
  return { criterion, beta, inverse, residualVariance };
}

/** The inverse of a small positive definite matrix and the logarithm of its determinant (Gauss-Jordan). */
function inverseOf(matrix: readonly (readonly number[])[], names: readonly string[]) {
  const width = matrix.length;
  const work = matrix.map((row, i) => [...row, ...row.map((_, j) => i === j ? 1 : 0)]);
  let logDeterminant = 0;
  for (let k = 0; k < width; k++) {
    const pivot = work[k]![k]!;
    if (!(pivot > 1e-10 * matrix[k]![k]!)) {
      throw new LawError(
        `Cannot fit the mixed model: ${names[k]} follows from the other predictors: leave one out`,
      );
    }
    logDeterminant += Math.log(pivot);
    for (let j = 0; j < 2 * width; j++) work[k]![j]! /= pivot;
    for (let i = 0; i < width; i++) {
      if (i === k) continue;
      const factor = work[i]![k]!;
      for (let j = 0; j < 2 * width; j++) work[i]![j]! -= factor * work[k]![j]!;
    }
  }
  return { inverse: work.map((row) => row.slice(width)), logDeterminant };
}

/** The place of the least value of a function with one minimum between two ends. */
function goldenSection(value: (x: number) => number, low: number, high: number): number {
  const ratio = (Math.sqrt(5) - 1) / 2;
  let [a, b] = [low, high];
  let [x, y] = [b - ratio * (b - a), a + ratio * (b - a)];
  let [fx, fy] = [value(x), value(y)];
  while (b - a > 1e-9 * (1 + Math.abs(b))) {
    if (fx < fy) {
      [b, y, fy] = [y, x, fx];
      x = b - ratio * (b - a);
      fx = value(x);
    } else {
      [a, x, fx] = [x, y, fy];
      y = a + ratio * (b - a);
      fy = value(y);
    }
  }
  return (a + b) / 2;
}

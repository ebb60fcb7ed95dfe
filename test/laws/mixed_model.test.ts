import { linearRegression } from "simple-statistics";
import { describe, expect, it } from "vitest";
import { randomIntercept } from "../../lib/laws/mod.ts";

// Dyestuff (Davies and Goldsmith 1972; in lme4): yield of five preparations from each of six batches.
const dyestuff = [
  ...[1545, 1440, 1440, 1520, 1580, 1540, 1555, 1490, 1560, 1495],
  ...[1595, 1550, 1605, 1510, 1560, 1445, 1440, 1595, 1465, 1545],
  ...[1595, 1630, 1515, 1635, 1625, 1520, 1455, 1450, 1480, 1445],
];
const batches = dyestuff.map((_, i) => "ABCDEF"[Math.floor(i / 5)]!);
const rows = { response: dyestuff, predictors: {}, groups: batches };

describe("a random intercept", () => {
  it("gives lme4's REML estimates of Dyestuff", () => {
    const model = randomIntercept(rows);
    expect(model.coefficients.intercept).toBeCloseTo(1527.5, 6);
    expect(model.standardErrors.intercept).toBeCloseTo(19.383, 3);
    expect(model.groupVariance).toBeCloseTo(1764.05, 1);
    expect(model.residualVariance).toBeCloseTo(2451.25, 2);
    expect(model.criterion).toBeCloseTo(319.6542768, 6);
    const effects = [-17.607, 0.391, 28.562, -23.085, 56.733, -44.995];
    Object.values(model.groupEffects).forEach((u, i) => expect(u).toBeCloseTo(effects[i]!, 2));
  });

  it("gives lme4's ML estimates of Dyestuff", () => {
    const model = randomIntercept(rows, { method: "ml" });
    expect(model.groupVariance).toBeCloseTo(1388.333, 1);
    expect(model.residualVariance).toBeCloseTo(2451.25, 2);
    expect(model.criterion).toBeCloseTo(327.3270599, 6);
  });

  it("of balanced rows is the closed form of the analysis of variance", () => {
    const response = [4.1, 5.3, 4.7, 9.2, 8.1, 8.8, 1.2, 2.9, 2.2, 6.6, 6.1, 7.4];
    const groups = response.map((_, i) => `g${Math.floor(i / 3)}`);
    const means = [0, 1, 2, 3].map((g) => mean(response.slice(3 * g, 3 * g + 3)));
    const grand = mean(means);
    const between = 3 * means.reduce((sum, m) => sum + (m - grand) ** 2, 0) / 3;
    const within = response.reduce((sum, y, i) => sum + (y - means[Math.floor(i / 3)]!) ** 2, 0) /
      8;
    const model = randomIntercept({ response, predictors: {}, groups });
    expect(model.residualVariance).toBeCloseTo(within, 5);
    expect(model.groupVariance).toBeCloseTo((between - within) / 3, 4);
  });

  it("of groups that do not differ is least squares, with no group variance", () => {
    const x = [1, 2, 3, 4, 5, 6, 7, 8];
    const noise = [0.1, -0.1, -0.1, 0.1, 0.1, -0.1, -0.1, 0.1];
    const response = x.map((value, i) => 2 * value + noise[i]!);
    const groups = ["a", "a", "b", "b", "c", "c", "d", "d"];
    const model = randomIntercept({ response, predictors: { x }, groups });
    const { m, b } = linearRegression(x.map((value, i) => [value, response[i]!]));
    expect(model.groupVariance).toBe(0);
    expect(model.coefficients.x).toBeCloseTo(m, 10);
    expect(model.coefficients.intercept).toBeCloseTo(b, 10);
  });

  it("of unbalanced rows has the least dense REML criterion, and that value", () => {
    const x = [0.3, 1.1, 2.0, 2.9, 0.1, 1.7, 3.2, 0.9, 2.2];
    const response = [1.2, 2.6, 3.1, 4.9, 3.3, 5.2, 6.4, 0.4, 1.9];
    const groups = ["a", "a", "a", "a", "b", "b", "b", "c", "c"];
    const model = randomIntercept({ response, predictors: { x }, groups });
    const at = (group: number, residual: number) =>
      denseCriterion({ response, x, groups }, group, residual);
    const best = at(model.groupVariance, model.residualVariance);
    expect(model.criterion).toBeCloseTo(best, 8);
    for (const a of [0.7, 0.97, 1.03, 1.4]) {
      for (const b of [0.7, 0.97, 1, 1.03, 1.4]) {
        expect(at(a * model.groupVariance, b * model.residualVariance)).toBeGreaterThan(best);
      }
    }
  });

  it("refuses rows that cannot be fitted, and says why", () => {
    const x = [1, 2, 3, 4, 5];
    const fit = (change: Partial<Parameters<typeof randomIntercept>[0]>) => () =>
      randomIntercept({
        response: [1, 2, 4, 3, 6],
        predictors: { x },
        groups: ["a", "a", "b", "b", "b"],
        ...change,
      });
    expect(fit({ groups: ["a", "a", "a", "a", "a"] })).toThrow("needs at least 2 groups: got 1");
    expect(fit({ predictors: { x, y: x } })).toThrow("y follows from the other predictors");
    expect(fit({ predictors: { x: [1] } })).toThrow("x has 1 rows: needs 5");
    expect(fit({ response: [1, 2, NaN, 3, 4] })).toThrow("the response is not finite in row 2");
    expect(() => randomIntercept({ response: [1, 2], predictors: {}, groups: ["a", "b"] })).toThrow(
      "needs at least 3 rows: got 2",
    );
  });
});

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** -2 ln of the restricted likelihood by dense matrices (Bates et al. 2015), with no profiling. */
function denseCriterion(
  { response, x, groups }: { response: number[]; x: number[]; groups: string[] },
  group: number,
  residual: number,
): number {
  const n = response.length;
  const v = response.map((_, i) =>
    response.map((_, j) => (groups[i] === groups[j] ? group : 0) + (i === j ? residual : 0))
  );
  const design = [response.map(() => 1), x];
  const solved = [...design, response].map((column) => solve(v, column));
  const product = (a: number[], b: number[]) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
  const gram = design.map((a) => [0, 1].map((j) => product(a, solved[j]!)));
  const right = design.map((a) => product(a, solved[2]!));
  const beta = solve(gram, right);
  const left = response.map((y, i) => y - beta[0]! - beta[1]! * x[i]!);
  return logDeterminant(v) + logDeterminant(gram) + product(left, solve(v, left)) +
    (n - 2) * Math.log(2 * Math.PI);
}

function eliminate(matrix: number[][], right: number[]) {
  const work = matrix.map((row, i) => [...row, right[i]!]);
  for (let k = 0; k < work.length; k++) {
    for (let i = k + 1; i < work.length; i++) {
      const factor = work[i]![k]! / work[k]![k]!;
      work[i] = work[i]!.map((value, j) => value - factor * work[k]![j]!);
    }
  }
  return work;
}

function logDeterminant(matrix: number[][]): number {
  return eliminate(matrix, matrix.map(() => 0)).reduce((sum, row, i) => sum + Math.log(row[i]!), 0);
}

function solve(matrix: number[][], right: number[]): number[] {
  const work = eliminate(matrix, right);
  const out = new Array<number>(right.length).fill(0);
  for (let i = out.length - 1; i >= 0; i--) {
    const rest = out.reduce((sum, value, j) => j > i ? sum + value * work[i]![j]! : sum, 0);
    out[i] = (work[i]!.at(-1)! - rest) / work[i]![i]!;
  }
  return out;
}

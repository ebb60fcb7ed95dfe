import { describe, expect, it } from "vitest";
import { leastSquares, type LeastSquaresOptions } from "../../lib/laws/least_squares.ts";
import { models, type NistProblem, readProblem } from "./nist/problems.ts";

/** Correct digits: the log relative error of NIST, at most the 11 digits that are printed. */
function digits(value: number, certified: number): number {
  return Math.min(11, -Math.log10(Math.abs(value - certified) / Math.abs(certified)));
}

/** The problem as the solver takes it: the model and a start, no Jacobian, no option. */
function posed({ name, x, y }: NistProblem, start: number[]): LeastSquaresOptions {
  const { predict } = models[name]!;
  return {
    rows: y.length,
    residuals(b, out) {
      for (let i = 0; i < y.length; i++) out[i] = predict(b, x[i]!) - y[i]!;
    },
    start,
  };
}

const problems = Object.keys(models).map(readProblem);
const runs = problems.flatMap((problem) =>
  [0, 1].map((i) => ({
    problem,
    start: problem.starts[i]!,
    label: `${problem.name}, start ${i + 1}`,
  }))
);

describe("NIST reference data sets", () => {
  it.each(problems)("$name is read as certified", (problem) => {
    const { rows, residuals } = posed(problem, []);
    const out = new Float64Array(rows);
    residuals(Float64Array.from(problem.certified), out);
    const sum = out.reduce((total, residual) => total + residual ** 2, 0);
    // Lanczos1 has residuals of 1e-13, below the rounding of its certified parameters to 11 digits.
    const rounding = problem.name === "Lanczos1" ? 1e-20 : 1e-9 * problem.residualSumOfSquares;
    expect(Math.abs(sum - problem.residualSumOfSquares)).toBeLessThan(rounding);
  });

  for (const declared of [false, true]) {
    describe(declared ? "with the linear parameters declared" : "with nothing declared", () => {
      it.each(runs)("$label", ({ problem, start }) => {
        const linear = declared ? models[problem.name]!.linear : [];
        const result = leastSquares({ ...posed(problem, start), linear });
        expect(result.status).toBe("converged");
        const values = problem.certified.map((certified, j) => digits(result.theta[j]!, certified));
        const deviations = problem.standardDeviations.map((certified, j) =>
          digits(result.standardErrors[j]!, certified)
        );
        expect(Math.min(...values)).toBeGreaterThanOrEqual(6);
        // The residuals of Lanczos1 are some 400 roundings of its data: a double holds 2 of their digits.
        const least = problem.name === "Lanczos1" ? 2 : 4;
        expect(Math.min(...deviations)).toBeGreaterThanOrEqual(least);
      });
    });
  }
});

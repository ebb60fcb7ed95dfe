import fc from "fast-check";
import { linearRegression } from "simple-statistics";
import { describe, expect, it } from "vitest";
import { columnsFrom, laws } from "../../lib/laws/mod.ts";
import { lawResiduals } from "../../lib/laws/law_residuals.ts";
import {
  leastSquares,
  type LeastSquaresOptions,
  leastSquaresStatuses,
  type SearchRange,
} from "../../lib/laws/least_squares.ts";
import { spread } from "../../lib/laws/multi_start.ts";

/** A decay with two outliers. */
const decay = [10.2, 7.9, 6.6, 5.1, 4.3, 9.0, 2.6, 2.2, 1.6, 1.4, -3.0, 0.9];

/** a exp(-b x) + c at x = 0, 1, ... 11. */
const problem = {
  rows: decay.length,
  residuals([a, b, c]: Float64Array, out: Float64Array) {
    decay.forEach((y, x) => out[x] = a! * Math.exp(-b! * x) + c! - y);
  },
  jacobian([a, b]: Float64Array, out: Float64Array) {
    decay.forEach((_, x) => {
      const power = Math.exp(-b! * x);
      out.set([power, -a! * x * power, 1], 3 * x);
    });
  },
  start: [8, 0.26, 0.1],
} satisfies LeastSquaresOptions;

/** The same without derivatives, and with its linear parameters declared. */
const variants: [string, Partial<LeastSquaresOptions>][] = [
  ["analytic derivatives", {}],
  ["differences", { jacobian: undefined }],
  ["linear parameters projected out", { linear: [0, 2] }],
];

function expectClose(values: ArrayLike<number>, expected: readonly number[], relative: number) {
  expected.forEach((value, j) => {
    expect(Math.abs(values[j]! - value)).toBeLessThanOrEqual(relative * Math.abs(value) + 1e-12);
  });
}

// From scipy.optimize.least_squares of SciPy 1.17.1, ftol = xtol = gtol = 1e-15, analytic Jacobian; the Huber optima
// taken further by Newton's method with the exact Hessian. SciPy's cost is half the objective.
describe.each(variants)("known answers of SciPy, with %s", (_, variant) => {
  it("for squares", () => {
    const { theta, objective, status } = leastSquares({ ...problem, ...variant });
    expect(status).toBe("converged");
    expectClose(theta, [59.11606193937403, 0.01735530291052669, -49.7639578053967], 1e-7);
    expectClose([objective], [38.267715479590336], 1e-12);
  });

  it.each([
    [[0, 0.25, -Infinity], [Infinity, 1, Infinity], [1], [
      10.62105628279299,
      0.25,
      0.264564212132621,
    ], 50.471209033773],
    [
      [0, 0, 0],
      [Infinity, 1, 0.5],
      [2],
      [10.337089439832253, 0.206554746806744, 0],
      47.903217834119786,
    ],
    [[0, 0, 0], [9.5, 0.26, 0.3], [0, 2], [9.5, 0.19004065494442, 0], 49.20240652650725],
  ])("inside the bounds %j to %j", (lower, upper, atBound, expected, sum) => {
    const result = leastSquares({ ...problem, ...variant, lower, upper });
    expect(result.status).toBe("at bound");
    expect(result.usable).toBe(true);
    expect(result.atBound).toEqual(atBound);
    expectClose(result.theta, expected, 1e-8);
    expectClose([result.objective], [sum], 1e-12);
    result.standardErrors.forEach((error, j) =>
      expect(Number.isNaN(error)).toBe(atBound.includes(j))
    );
  });

  it.each([
    [0.5, [10.61721637406275, 0.1934859214974, -0.606399708906948], 9.250032087262534],
    [0.1, [10.281420216772442, 0.215721049342486, -0.131410254033303], 2.0231833199823885],
  ])("for the Huber loss with delta %f", (huberDelta, expected, sum) => {
    const result = leastSquares({ ...problem, ...variant, loss: "huber", huberDelta });
    expect(result.status).toBe("converged");
    expectClose(result.theta, expected, 1e-8);
    expectClose([result.objective], [sum], 1e-12);
  });
});

it("gives the standard errors of Huber 1981, 7.6", () => {
  // K [sum psi^2 / (n - p)]^(1/2) / mean psi' (J'J)^-1, computed with NumPy at SciPy's optimum.
  const half = leastSquares({ ...problem, loss: "huber", huberDelta: 0.5 });
  expectClose(half.standardErrors, [0.548412521846015, 0.026817046098362, 0.61009687357006], 1e-7);
  const tenth = leastSquares({ ...problem, loss: "huber", huberDelta: 0.1 });
  expectClose(
    tenth.standardErrors,
    [0.210656067239889, 0.012366496296866, 0.226539109293648],
    1e-7,
  );
});

it("is linear regression for a line", () => {
  const { theta } = leastSquares({
    rows: decay.length,
    residuals: ([slope, at], out) => decay.forEach((y, x) => out[x] = slope! * x + at! - y),
    start: [0, 0],
  });
  const { m, b } = linearRegression(decay.map((y, x) => [x, y]));
  expectClose(theta, [m, b], 1e-12);
});

it("takes a weight for that many equal rows", () => {
  const counts = [1, 3, 0, 2, 1, 1, 2, 0, 1, 4, 1, 1];
  const rows = counts.flatMap((count, i) => new Array<number>(count).fill(i));
  const weighted = leastSquares({ ...problem, weights: counts, start: [8, 0.2, 0] });
  const repeated = leastSquares({
    rows: rows.length,
    residuals: ([a, b, c], out) =>
      rows.forEach((x, i) => out[i] = a! * Math.exp(-b! * x) + c! - decay[x]!),
    start: [8, 0.2, 0],
  });
  expectClose(weighted.theta, [...repeated.theta], 1e-8);
  expectClose(weighted.standardErrors, [...repeated.standardErrors], 1e-8);
});

it("leaves rows of weight 0 out, even where they have no value", () => {
  const { residuals, jacobian } = problem;
  const gap = leastSquares({
    ...problem,
    weights: decay.map((_, i) => i === 5 || i === 10 ? 0 : 1),
    residuals(theta, out) {
      residuals(theta, out);
      out[5] = NaN;
    },
    jacobian(theta, out) {
      jacobian(theta, out);
      out.fill(NaN, 15, 18);
    },
  });
  // The decay without its outliers, from SciPy.
  expectClose(gap.theta, [10.100456206098933, 0.223274274825279, 0.017801682212197], 1e-8);
});

describe("says what a result is worth", () => {
  it("undetermined, with the parameters that other values fit as well", () => {
    // Only a + b can be known.
    const result = leastSquares({
      rows: decay.length,
      residuals: ([a, b, slope], out) => decay.forEach((y, x) => out[x] = a! + b! + slope! * x - y),
      start: [1, 1, 0],
    });
    expect(result).toMatchObject({
      status: "undetermined",
      usable: false,
      undetermined: [0, 1],
      rank: 2,
    });
    const { m } = linearRegression(decay.map((y, x) => [x, y]));
    expectClose([result.theta[2]!], [m], 1e-9);
    expect(result.standardErrors[0]).toBeNaN();
    expect(result.standardErrors[2]).toBeGreaterThan(0);
  });

  it("undetermined where no row depends on a parameter, or none does any more", () => {
    const unused = leastSquares({
      rows: 3,
      residuals: ([a], out) => [1, 2, 3].forEach((y, i) => out[i] = a! - y),
      start: [0, 5],
    });
    expect(unused).toMatchObject({ status: "undetermined", undetermined: [1] });
    // A step at the first row: the faster the decay the better, without end.
    const endless = leastSquares({
      rows: 4,
      residuals: ([rate], out) => [1, 0, 0, 0].forEach((y, x) => out[x] = Math.exp(-rate! * x) - y),
      start: [1],
    });
    expect(endless.usable).toBe(false);
  });

  it("iteration limit", () => {
    const result = leastSquares({ ...problem, maxIterations: 2 });
    expect(result).toMatchObject({ status: "iteration limit", usable: false, iterations: 2 });
  });

  it("stalled, on residuals that are not smooth", () => {
    const result = leastSquares({
      rows: 3,
      residuals: ([a], out) => out.forEach((_, i) => out[i] = 2 + Math.sqrt(Math.abs(a! - 1))),
      jacobian: (_, out) => out.fill(1),
      start: [1],
    });
    expect(result).toMatchObject({ status: "stalled", usable: false });
  });

  it("converged on data without noise, where no gradient is left to measure", () => {
    const result = leastSquares({
      rows: 12,
      residuals: ([a, b], out) =>
        out.forEach((_, x) => out[x] = a! * Math.exp(-b! * x) - 3e-6 * Math.exp(-0.7 * x)),
      start: [1, 1],
    });
    expect(result.status).toBe("converged");
    expectClose(result.theta, [3e-6, 0.7], 1e-10);
  });

  it("documents every status", () => {
    expect(Object.keys(leastSquaresStatuses)).toEqual([
      "converged",
      "at bound",
      "undetermined",
      "stalled",
      "iteration limit",
    ]);
  });
});

describe("many starts", () => {
  /** Least at x = 4.5, where it is 0, with other minima all around. */
  const wavy: LeastSquaresOptions = {
    rows: 2,
    residuals([x], out) {
      out[0] = (x! - 4.5) / 5;
      out[1] = 2 * Math.sin(3 * (x! - 4.5));
    },
    search: [{ search: [-10, 10] }],
  };

  it("find the best of many optima and say how many found it", () => {
    const one = leastSquares(wavy);
    expect(one.objective).toBeGreaterThan(0.1);
    const many = leastSquares({ ...wavy, starts: 40 });
    expectClose(many.theta, [4.5], 1e-9);
    expect(many.starts.tried).toBe(40);
    expect(many.starts.reachedBest).toBeGreaterThan(0);
    expect(many.starts.reachedBest).toBeLessThan(40);
  });

  it("are the same for the same seed, others for another, and fill the ranges evenly", () => {
    const ranges: SearchRange[] = [
      { search: [-1, 3] },
      { search: [1e-8, 1e4], logarithmic: true },
    ];
    const starts = spread(ranges, 64, 5);
    expect(spread(ranges, 64, 5)).toEqual(starts);
    expect(spread(ranges, 64, 6)).not.toEqual(starts);
    expect(spread(ranges, 10, 5)).toEqual(starts.slice(0, 10));
    // Of 64 points, each of 4 x 4 boxes holds about 4.
    const boxes = new Map<string, number>();
    for (const [x, y] of starts) {
      const box = `${Math.floor(x! + 1)} ${Math.floor((Math.log10(y!) + 8) / 3)}`;
      boxes.set(box, (boxes.get(box) ?? 0) + 1);
    }
    expect(boxes.size).toBe(16);
    expect(Math.min(...boxes.values())).toBeGreaterThanOrEqual(2);
    expect(Math.max(...boxes.values())).toBeLessThanOrEqual(6);
    const run = () => leastSquares({ ...wavy, starts: 5, seed: 3 });
    expect(run()).toEqual(run());
  });
});

describe("for any problem", () => {
  const unified = laws["unified"]!;
  const sizes = [85056000, 302311424, 805736448, 2517652480, 11327027200];
  const points = sizes.flatMap((size) =>
    [1e9, 4.2e9, 1.7e10, 6.1e10, 2.05e11].flatMap((tokens) =>
      [2, 3, 4].map((bits) => ({ size, tokens, bits }))
    )
  );

  /** A fit of the unified law to itself, tokens counted in `unit`. */
  function fitted(truth: readonly number[], unit = 1) {
    const columns = columnsFrom({
      size: points.map(({ size }) => size),
      tokens: points.map(({ tokens }) => tokens / unit),
      bits: points.map(({ bits }) => bits),
    });
    const theta = Float64Array.from(truth);
    theta[0] = theta[0]! * unit ** theta[1]!;
    const observed = new Float64Array(points.length);
    unified.evaluate(theta, columns, observed);
    const start = [1e-2 * unit ** 0.75, 0.75, 0.5, 5.5];
    const residuals = lawResiduals(unified, { columns, observed });
    return {
      theta,
      result: leastSquares({ ...residuals, rows: points.length, start, linear: [0] }),
    };
  }

  const parameters = fc.tuple(
    fc.double({ min: -16, max: 2, noNaN: true }).map(Math.exp),
    fc.double({ min: 0.1, max: 1, noNaN: true }),
    fc.double({ min: 0.05, max: 0.8, noNaN: true }),
    fc.double({ min: 1, max: 8, noNaN: true }),
  );

  it("finds the parameters that made the data, however small the scale", () => {
    fc.assert(
      fc.property(parameters, (truth) => {
        const { result, theta } = fitted(truth);
        expect(result.usable).toBe(true);
        expectClose(result.theta, [...theta], 1e-6);
      }),
      { numRuns: 50, seed: 1 },
    );
  });

  it("gives the same exponents in other units, and a scale that follows", () => {
    fc.assert(
      fc.property(parameters, fc.constantFrom(1e3, 1e9, 2 ** 40), (truth, unit) => {
        const { theta } = fitted(truth).result;
        const other = fitted(truth, unit).result.theta;
        expectClose(other, [theta[0]! * unit ** theta[1]!, ...theta.slice(1)], 1e-6);
      }),
      { numRuns: 50, seed: 2 },
    );
  });

  it("does not depend on the order of the rows, nor on declaring linear parameters", () => {
    const order = fc.shuffledSubarray([...decay.keys()], { minLength: 12 });
    const here = leastSquares({ ...problem, start: [8, 0.2, 0] });
    fc.assert(
      fc.property(order, fc.subarray([0, 2]), (rows, linear) => {
        const { theta } = leastSquares({
          ...problem,
          jacobian: undefined,
          residuals([a, b, c], out) {
            rows.forEach((x, i) => out[i] = a! * Math.exp(-b! * x) + c! - decay[x]!);
          },
          start: [8, 0.2, 0],
          linear,
        });
        expectClose(theta, [...here.theta], 1e-6);
      }),
      { numRuns: 30, seed: 3 },
    );
  });
});

describe("refuses, before any work", () => {
  const nothing = {
    rows: 3,
    residuals: () => {
      throw new Error("worked");
    },
    start: [1, 1],
  };
  const ranges = [{ search: [0, 1] }, { search: [0, 1] }] as const;
  it.each<[string, Partial<LeastSquaresOptions>]>([
    ["rows, a whole number from 1 up: got 2.5", { rows: 2.5 }],
    ["at least as many rows as parameters: got 1 and 2", { rows: 1 }],
    ["a start, or search: got none", { start: undefined }],
    ["at least 1 parameter: got 0", { start: [] }],
    ["search, to draw more than 1 start from: got none", { starts: 2 }],
    ["starts, a whole number from 1 up: got 0", { starts: 0 }],
    ["maxIterations, a whole number from 1 up: got -1", { maxIterations: -1 }],
    ["one search range a parameter: got 1 for 2", { search: [{ search: [0, 1] }] }],
    ["an ascending search range for parameter 1: got [1, 0]", {
      search: [ranges[0], { search: [1, 0] }],
    }],
    [
      "an ascending, positive search range for parameter 1: got [0, 1]",
      { search: [ranges[0], { search: [0, 1], logarithmic: true }] },
    ],
    ["one lower bound a parameter: got 1 for 2", { lower: [0] }],
    ["lower below upper for parameter 0: got 1 and 1", { lower: [1, 0], upper: [1, 1] }],
    ["starts in the bounds [2, Infinity] for parameter 0: got 1", { lower: [2, 0] }],
    ["starts in the bounds [-Infinity, Infinity] for parameter 1: got NaN", { start: [1, NaN] }],
    ["linear indices from 0 to 1: got 2", { linear: [2] }],
    ["3 weights, one a row: got 2", { weights: [1, 1] }],
    ["weights from 0 up: got -1", { weights: [1, 1, -1] }],
    ["a weight above 0: got none", { weights: [0, 0, 0] }],
    ["huberDelta above 0: got 0", { loss: "huber", huberDelta: 0 }],
    ['loss "huber" with huberDelta: got no loss', { huberDelta: 1 }],
  ])("%s", (message, options) => {
    expect(() => leastSquares({ ...nothing, ...options })).toThrow(`Cannot fit: needs ${message}`);
  });

  it("residuals that are not finite at the start", () => {
    const logarithm: LeastSquaresOptions = {
      rows: 2,
      residuals: ([a], out) => out.fill(Math.log(a!) - 1),
      start: [-1],
    };
    expect(() => leastSquares(logarithm)).toThrow(
      "Cannot fit: residuals and derivatives must be finite at the start: they are not at [-1]",
    );
    const { theta } = leastSquares({ ...logarithm, starts: 9, search: [{ search: [-5, 5] }] });
    expectClose(theta, [Math.E], 1e-9);
  });
});

import pl from "nodejs-polars";
import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { describe, expect, it } from "vitest";
import { loadFigure2 } from "../../lib/data.ts";
import {
  columnsFrom,
  fit,
  fitProblem,
  type Law,
  laws,
  perBitWidth,
  published,
} from "../../lib/laws/mod.ts";

const sizes = [85056000, 302311424, 805736448, 2517652480, 11327027200];
const tokenCounts = [1e9, 4.2e9, 1.7e10, 6.1e10, 1.2e11, 2.05e11];
const bitWidths = [2, 3, 4];
const grid = sizes.flatMap((size) =>
  tokenCounts.flatMap((tokens) => bitWidths.map((bits) => ({ size, tokens, bits })))
);

/** What a law gives on the grid, with a relative error of up to `noise`, as a frame. */
function planted(law: Law, parameters: Record<string, number>, noise = 0): pl.DataFrame {
  const random = xoroshiro128plus(7);
  const values = new Float64Array(grid.length);
  const columns = columnsFrom({
    size: grid.map(({ size }) => size),
    tokens: grid.map(({ tokens }) => tokens),
    bits: grid.map(({ bits }) => bits),
  });
  law.evaluate(Float64Array.from(law.parameters, ({ name }) => parameters[name]!), columns, values);
  const response = Array.from(values, (v) => v * (1 + noise * (2 * uniformFloat64(random) - 1)));
  return pl.DataFrame({
    size: grid.map(({ size }) => size),
    tokens: grid.map(({ tokens }) => tokens),
    bits: grid.map(({ bits }) => bits),
    [law.response]: response,
  });
}

/** What to plant: round numbers near the published ones; for any other law, values in its ranges. */
const truths: Record<string, Record<string, number>> = {
  ...published,
  token: { scale: 1e-6, tokenExponent: 0.5316 },
  size: { scale: 40, sizeExponent: 0.2276 },
  bits: { scale: 100, bitExponent: 5.4812 },
  "size-token": { scale: 3.7812e-4, tokenExponent: 0.52382, sizeExponent: 0.22473 },
};

describe("fit finds planted parameters", () => {
  it.each(
    Object.keys(laws).flatMap((name) =>
      (["raw", "log"] as const).flatMap((space) =>
        (["squares", "huber"] as const).map((loss) => [name, space, loss] as const)
      )
    ),
  )("of the %s law in %s space with %s", (name, space, loss) => {
    const law = laws[name]!;
    const truth = truths[name] ?? Object.fromEntries(law.parameters.map((parameter) => {
      const [low, high] = parameter.search;
      return [
        parameter.name,
        parameter.logarithmic ? low * (high / low) ** 0.45 : low + 0.45 * (high - low),
      ];
    }));
    const huberDelta = loss === "huber" ? { huberDelta: 0.1 } : {};
    const fitted = fit(name, planted(law, truth), { space, loss, ...huberDelta });
    expect(fitted.usable).toBe(true);
    expect(fitted.starts.reachedBest).toBeGreaterThan(0);
    expect(fitted.rows).toBe(grid.length);
    for (const { name } of law.parameters) {
      expect(fitted.parameters[name]! / truth[name]!).toBeCloseTo(1, 5);
    }
    expect(fitted.rSquared).toBeCloseTo(1, 8);
    expect(fitted.rSquaredLog).toBeCloseTo(1, 8);
    expect(Math.max(...fitted.residuals.map(Math.abs))).toBeLessThan(1e-6);
    const at = { size: 7e9, tokens: 1e12, bits: 3 };
    expect(fitted.predict(at)).toBeGreaterThan(0);
  });

  it("within two to three standard errors under noise", () => {
    const truth = truths.unified!;
    const fitted = fit("unified", planted(laws.unified!, truth, 0.2), { space: "log" });
    for (const name of Object.keys(truth)) {
      const error = Math.abs(fitted.parameters[name]! - truth[name]!);
      expect(error).toBeGreaterThan(0);
      expect(error / fitted.standardErrors[name]!).toBeLessThan(3);
    }
  });

  it("one bit width at a time with the per-bit-width law", () => {
    const frame = planted(laws["per-bit-width"]!, truths["per-bit-width"]!, 0.1);
    const joint = fit("per-bit-width", frame, { space: "log" });
    for (const bits of bitWidths) {
      const alone = fit("size-token", frame.filter(pl.col("bits").eq(bits)), { space: "log" });
      for (const name of ["scale", "tokenExponent", "sizeExponent"]) {
        expect(joint.parameters[`${name}${bits}`]! / alone.parameters[name]!).toBeCloseTo(1, 6);
      }
    }
    const two = fit("per-bit-width", frame.filter(pl.col("bits").gt(2)));
    expect(two.law.parameters.map(({ name }) => name)).toEqual([
      "scale3",
      "tokenExponent3",
      "sizeExponent3",
      "scale4",
      "tokenExponent4",
      "sizeExponent4",
    ]);
  });

  it("the same from run to run", () => {
    const frame = planted(laws.chinchilla!, truths.chinchilla!, 0.01);
    const [first, second] = [fit("chinchilla", frame), fit("chinchilla", frame)];
    expect(first.parameters).toEqual(second.parameters);
    expect(first.covariance).toEqual(second.covariance);
    expect(String(first)).toBe(String(second));
  });

  it("under the frame's own column names", () => {
    const frame = planted(laws.token!, truths.token!).rename({ tokens: "D", qid: "delta" });
    const fitted = fit("token", frame, { columns: { tokens: "D", qid: "delta" } });
    expect(fitted.parameters.tokenExponent).toBeCloseTo(0.5316, 8);
  });

  it("from Int64 columns", () => {
    const frame = planted(laws.unified!, truths.unified!)
      .withColumn(pl.col("size").cast(pl.Int64)).withColumn(pl.col("bits").cast(pl.Int64));
    expect(fit("unified", frame).parameters.bitExponent).toBeCloseTo(5.4967, 6);
  });
});

/** Known from SciPy 1.17 (curve_fit, least_squares) and NumPy (lstsq) on data/paper/figure2.csv. */
describe("fit of the unified law to the digitised Figure 2 agrees with SciPy", () => {
  const frame = loadFigure2();
  const positive = frame.filter(pl.col("qid").gt(0));
  const names = ["scale", "tokenExponent", "sizeExponent", "bitExponent"];

  it.each([
    {
      options: {},
      rows: frame,
      parameters: [0.012564916665, 0.52936106, 0.22290822, 5.35630369],
      errors: [0.006795829375, 0.01858606, 0.00879852, 0.28686022],
      objective: 3.91539597,
    },
    {
      options: { space: "log" as const },
      rows: positive,
      parameters: [0.04053099132566, 0.56317129, 0.30300264, 5.92134964],
      errors: [0.021991598482, 0.01992419, 0.01086024, 0.10727245],
      objective: 4.53961447,
      rSquared: 0.97930956,
    },
    {
      options: { loss: "huber" as const, huberDelta: 0.1 },
      rows: frame,
      parameters: [0.05306740501, 0.50335608, 0.25576729, 5.57524806],
      objective: 1.7437483315,
    },
    {
      options: { space: "log" as const, loss: "huber" as const, huberDelta: 0.1 },
      rows: positive,
      parameters: [0.1147320988, 0.52810023, 0.31180527, 5.9583238],
      objective: 2.4544973653,
    },
  ])("$options", ({ options, rows, parameters, errors, objective, rSquared }) => {
    const fitted = fit("unified", rows, options);
    expect(fitted.usable).toBe(true);
    expect(fitted.objective / objective).toBeCloseTo(1, 7);
    names.forEach((name, j) => {
      expect(fitted.parameters[name]! / parameters[j]!).toBeCloseTo(1, 5);
      if (errors === undefined) return;
      expect(fitted.standardErrors[name]! / errors[j]!).toBeCloseTo(1, 4);
      expect(Math.sqrt(fitted.covariance[j]![j]!)).toBe(fitted.standardErrors[name]);
    });
    if (rSquared !== undefined) {
      expect(fitted.rSquared).toBeCloseTo(rSquared, 7);
      expect(fitted.rSquaredLog).toBe(fitted.rSquared);
    }
  });

  it("and chooses a robust Huber delta by itself", () => {
    const squares = fit("unified", frame);
    const sorted = squares.residuals.map(Math.abs).sort();
    const fitted = fit("unified", frame, { loss: "huber" });
    expect(fitted.huberDelta! / (1.345 * 1.4826 * sorted[50]!)).toBeCloseTo(1, 6);
    expect(squares.huberDelta).toBeUndefined();
  });

  it("and takes no delta from residuals that are rounding errors", () => {
    const fitted = fit("unified", planted(laws.unified!, truths.unified!), { loss: "huber" });
    expect(fitted.huberDelta).toBeGreaterThan(1e-7);
    expect(fitted.parameters.bitExponent).toBeCloseTo(5.4967, 6);
  });

  it("and shows the result in a notebook", () => {
    const fitted = fit("unified", frame);
    const shown = (fitted as unknown as Record<symbol, () => Record<string, string>>)[
      Symbol.for("Jupyter.display")
    ]!();
    expect(shown["text/plain"]).toBe(String(fitted));
    expect(shown["text/markdown"]).toContain(
      "| $\\beta$ | `tokenExponent` | 0.52936 | 0.019 | 1 |",
    );
    expect(shown["text/markdown"]).toContain("Status: converged, usable");
  });
});

describe("fit rejects", () => {
  const frame = planted(laws.unified!, truths.unified!);
  const replaced = (column: string, row: number, value: number | null) =>
    frame.withColumn(pl.Series(
      column,
      Array.from(
        frame.getColumn(column).toArray(),
        (old, i) => i === row ? value : Number(old),
      ),
      pl.Float64,
    ));

  it.each<[string, () => unknown, string]>([
    [
      "a missing column",
      () => fit("unified", frame.rename({ tokens: "token" })),
      'Cannot fit the unified law: no column "tokens": the table has size, token, bits, qid: map one with { columns: { tokens: "token" } }',
    ],
    [
      "a mapped column that is missing",
      () => fit("unified", frame, { columns: { tokens: "D" } }),
      'no column "D": the table has size, tokens, bits, qid',
    ],
    [
      "a mapping of nothing",
      () => fit("unified", frame, { columns: { D: "tokens" } as never }),
      'Cannot map the columns for the unified law: "D" is none of size, tokens, bits, qid, loss16',
    ],
    [
      "words",
      () => fit("unified", frame.withColumn(pl.lit("160M").alias("size"))),
      'column "size" holds String: needs numbers',
    ],
    [
      "a missing value",
      () => fit("unified", replaced("qid", 4, null)),
      'column "qid" is null, NaN or infinite in 1 row (4; counted from 0): drop these rows first',
    ],
    ["NaN", () => fit("unified", replaced("tokens", 9, NaN)), "in 1 row (9; counted from 0)"],
    [
      "a size of 0",
      () => fit("unified", replaced("size", 2, 0)),
      'needs positive size: column "size" is not in 1 row (2; counted from 0)',
    ],
    ["negative tokens", () => fit("token", replaced("tokens", 3, -1)), "needs positive tokens"],
    ["0 bits", () => fit("unified", replaced("bits", 3, 0)), "needs positive bits"],
    [
      "too few rows",
      () => fit("unified", frame.head(3)),
      "Cannot fit the unified law: needs at least 4 rows: got 3",
    ],
    ["no rows", () => fit("per-bit-width", frame.head(0)), "needs at least 9 rows: got 0"],
    [
      "one size",
      () => fit("unified", frame.filter(pl.col("size").eq(85056000))),
      "cannot determine sizeExponent apart from scale: the 18 rows that depend on it hold 6 token counts, 1 size (85056000), 3 bit widths",
    ],
    [
      "one bit width",
      () => fit("precision", frame.filter(pl.col("bits").eq(3))),
      "cannot determine bitScale apart from scale",
    ],
    [
      "one size at one bit width",
      () =>
        fit("per-bit-width", frame.filter(pl.col("bits").lt(4).or(pl.col("size").eq(85056000)))),
      "cannot determine sizeExponent4 apart from scale4",
    ],
    [
      "rows of other bit widths only",
      () => fit(perBitWidth([2, 8]), frame.filter(pl.col("bits").eq(2))),
      "no row depends on scale8",
    ],
    [
      "tokens in proportion to the size",
      () => fit("unified", frame.withColumn(pl.col("size").mul(20).alias("tokens"))),
      "cannot determine sizeExponent apart from scale, tokenExponent",
    ],
    [
      "tokens as a power of the size",
      () => fit("size-token", frame.withColumn(pl.col("size").pow(1.5).round(0).alias("tokens"))),
      "cannot determine sizeExponent apart from scale, tokenExponent",
    ],
    [
      "two sizes where the law needs three",
      () =>
        fit(
          "chinchilla",
          planted(laws.chinchilla!, truths.chinchilla!).filter(pl.col("size").lt(5e8)),
        ),
      "cannot determine sizeExponent apart from irreducible, sizeScale",
    ],
    [
      "a QiD of 0 or less in log space",
      () => fit("unified", replaced("qid", 5, -0.001), { space: "log" }),
      'Cannot fit the unified law in log space: qid is not positive in 1 row (5; counted from 0) of 90: drop them with frame.filter(pl.col("qid").gt(0))',
    ],
    ["an unknown law", () => fit("chinchila", frame), 'did you mean "chinchilla"?'],
    [
      "an unknown space",
      () => fit("token", frame, { space: "linear" as "raw" }),
      'Cannot fit in the space "linear": must be "raw" or "log"',
    ],
    [
      "an unknown loss",
      () => fit("token", frame, { loss: "l1" as "huber" }),
      'Cannot fit with the loss "l1": must be "squares" or "huber"',
    ],
    ["a negative delta", () => fit("token", frame, { loss: "huber", huberDelta: -1 }), "positive"],
    ["no starts", () => fit("token", frame, { starts: 0 }), "must be a whole number from 1 up"],
  ])("%s", (_, work, message) => {
    expect(work).toThrow(message);
  });

  it("and a fit in raw space keeps what log space rejects", () => {
    expect(fit("unified", replaced("qid", 5, -0.001)).usable).toBe(true);
  });

  it("and prepares the fit with the rows in the frame's order", () => {
    const { observations, problem, parametersOf } = fitProblem("unified", frame);
    expect(problem.rows).toBe(90);
    expect(Array.from(observations.columns.size)).toEqual(grid.map(({ size }) => size));
    expect(parametersOf(Float64Array.of(1, 2, 3, 4))).toEqual(Float64Array.of(1, 2, 3, 4));
  });
});

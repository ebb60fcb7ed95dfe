import pl from "nodejs-polars";
import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { type JumpableRandomGenerator } from "pure-rand/types/JumpableRandomGenerator";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { describe, expect, it } from "vitest";
import { bootstrap, type BootstrapOptions } from "../../lib/laws/bootstrap.ts";
import { fit } from "../../lib/laws/mod.ts";

const truth = { scale: 1e-5, tokenExponent: 0.5 };

function normal(random: JumpableRandomGenerator): number {
  return Math.sqrt(-2 * Math.log(1 - uniformFloat64(random))) *
    Math.cos(2 * Math.PI * uniformFloat64(random));
}

/** The token law with noise of `row` for each row and of `model` for each model, as fractions. */
function noisy(seed: number, noise: { row: number; model?: number }, models = 1): pl.DataFrame {
  const random = xoroshiro128plus(seed);
  const rows = Array.from({ length: models }, (_, model) => {
    const shift = 1 + (noise.model ?? 0) * normal(random);
    return Array.from({ length: 60 / models }, (_, i) => {
      const tokens = 1e9 * 200 ** ((i + 0.5) * models / 60);
      const qid = truth.scale * tokens ** truth.tokenExponent;
      return { tokens, model: `m${model}`, qid: qid * shift * (1 + noise.row * normal(random)) };
    });
  }).flat();
  return pl.DataFrame({
    tokens: rows.map(({ tokens }) => tokens),
    model: rows.map(({ model }) => model),
    qid: rows.map(({ qid }) => qid),
  });
}

/** Part of `runs` simulated tables whose interval holds the planted exponent. */
function coverage(runs: number, options: BootstrapOptions): number {
  let held = 0;
  for (let seed = 0; seed < runs; seed++) {
    const { intervals } = bootstrap("token", noisy(seed, { row: 0.2 }), {
      starts: 1,
      seed,
      ...options,
    });
    const [low, high] = intervals["tokenExponent"]!;
    if (low <= truth.tokenExponent && truth.tokenExponent <= high) held++;
  }
  return held / runs;
}

describe("bootstrap", () => {
  it("is the same for the same seed, and another for another", () => {
    const frame = noisy(1, { row: 0.2 });
    const run = (seed: number) => bootstrap("token", frame, { resamples: 50, seed });
    expect(run(4).estimates).toEqual(run(4).estimates);
    expect(run(5).estimates).not.toEqual(run(4).estimates);
  });

  it("scatters as the standard errors of the fit say, where the noise is as they assume", () => {
    const random = xoroshiro128plus(8);
    const tokens = Array.from({ length: 400 }, (_, i) => 1e9 * 200 ** ((i + 0.5) / 400));
    const qid = tokens.map((d) => truth.scale * d ** truth.tokenExponent + 0.1 * normal(random));
    const { fit: full, standardErrors } = bootstrap("token", pl.DataFrame({ tokens, qid }));
    for (const name of Object.keys(truth)) {
      // 1,000 resamples of 400 rows leave a few percent of chance.
      expect(standardErrors[name]! / full.standardErrors[name]!).toBeGreaterThan(0.85);
      expect(standardErrors[name]! / full.standardErrors[name]!).toBeLessThan(1.15);
    }
  });

  it.each<[string, BootstrapOptions]>([
    ["percentile", { interval: "percentile" }],
    ["bca", { interval: "bca" }],
    ["percentile, log space", { interval: "percentile", space: "log" }],
  ])("holds the truth about as often as it says: %s", (_, options) => {
    // 100 tables at 90 %: a standard deviation of 3 %, and a bootstrap of 60 rows is a little short.
    const part = coverage(100, { ...options, level: 0.9, resamples: 80 });
    expect(part).toBeGreaterThan(0.79);
    expect(part).toBeLessThan(0.98);
  });

  it("by cluster holds the truth where rows of one model err together, and by row does not", () => {
    const frames = Array.from(
      { length: 100 },
      (_, seed) => noisy(seed, { row: 0.02, model: 0.3 }, 20),
    );
    const holds = (by: BootstrapOptions["by"]) =>
      frames.filter((frame, seed) => {
        const { intervalOf } = bootstrap("token", frame, {
          by,
          seed,
          starts: 1,
          resamples: 60,
          level: 0.9,
        });
        const at = ({ scale, tokenExponent }: Record<string, number>) =>
          scale! * 2e10 ** tokenExponent!;
        const [low, high] = intervalOf(at);
        return low <= at(truth) && at(truth) <= high;
      }).length / frames.length;
    expect(holds({ cluster: "model" })).toBeGreaterThan(0.78);
    expect(holds("row")).toBeLessThan(0.7);
  });

  it("refits with the space and the loss of the fit", () => {
    const frame = noisy(2, { row: 0.3 });
    const log = bootstrap("token", frame, { space: "log", resamples: 200 });
    expect(log.fit.parameters).toEqual(fit("token", frame, { space: "log" }).parameters);
    const [low, high] = log.intervals["tokenExponent"]!;
    expect((low + high) / 2).toBeCloseTo(log.fit.parameters["tokenExponent"]!, 1);
    // One row that is far off moves the refits of least squares, and hardly those of the Huber loss.
    const spoilt = frame.withColumn(
      pl.when(pl.col("tokens").eq(pl.col("tokens").max())).then(pl.lit(12)).otherwise(pl.col("qid"))
        .alias("qid"),
    );
    const wide = bootstrap("token", spoilt, { resamples: 200 }).standardErrors["tokenExponent"]!;
    const robust = bootstrap("token", spoilt, { resamples: 200, loss: "huber" });
    expect(robust.standardErrors["tokenExponent"]!).toBeLessThan(wide / 3);
  });

  it("counts the refits that cannot be used", () => {
    // Half of the resamples of two sizes hold one size, which does not determine its exponent.
    const frame = pl.DataFrame({
      size: [1e8, 1e8, 1e8, 1e9, 1e9, 1e9],
      qid: [0.5, 0.52, 0.51, 0.3, 0.31, 0.29],
    });
    const options: BootstrapOptions = { by: { cluster: "size" }, resamples: 400, interval: "bca" };
    const { failed, failedLeaveOneOut, units, estimates } = bootstrap("size", frame, options);
    expect(units).toBe(2);
    expect(failed).toBeGreaterThan(160);
    expect(failed).toBeLessThan(240);
    expect(estimates.length).toBe(2 * (400 - failed));
    expect(failedLeaveOneOut).toBe(2);
  });

  it("shows itself as a table", () => {
    const text = String(
      bootstrap("token", noisy(3, { row: 0.1 }, 3), { resamples: 20, by: { cluster: "model" } }),
    );
    expect(text).toContain("95.0 % intervals");
    expect(text).toContain("percentile intervals from 20 resamples of 3 values of model");
  });

  it.each<[string, BootstrapOptions]>([
    ["with 1 resamples: needs at least 2", { resamples: 1 }],
    ["at the level 95: must be between 0 and 1", { level: 95 }],
    ['with "normal" intervals: must be "percentile" or "bca"', { interval: "normal" as "bca" }],
    [
      'the token law by cluster: there is no column "name": the frame has tokens, model, qid',
      { by: { cluster: "name" } },
    ],
    [
      'the token law by cluster: column "model" must have at least 2 different values: got 1',
      { by: { cluster: "model" } },
    ],
  ])("refuses %s", (message, options) => {
    expect(() => bootstrap("token", noisy(1, { row: 0.1 }), options)).toThrow(
      `Cannot bootstrap ${message}`,
    );
  });
});

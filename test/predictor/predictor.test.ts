import { describe, expect, it } from "vitest";
import { normals } from "../../lib/random.ts";
import {
  features,
  featureSets,
  foldsOf,
  gptqGains,
  growForest,
  heldOutScores,
  importances,
  type Landscape,
  noiseAt,
  partialDependence,
  predictHeldOut,
  type PredictorRow,
  predictors,
  qidScale,
  riseAt,
  scoresOf,
} from "../../lib/predictor/mod.ts";

const noiseLevels = [30, 25, 20, 15, 12, 9, 6];

/** A parabola of this curvature: rise = half the curvature times the squared radius. */
function parabola(curvature: number): Landscape {
  const rises = noiseLevels.map((noise) => curvature / 2 * 10 ** (-noise / 10));
  return {
    ...{ noiseLevels, rises, spreads: rises.map((rise) => rise / 20), firstStep: 20 },
    ...{ secondDerivative: curvature, trace: 100 * curvature, layerTraces: new Map() },
  };
}

/** Checkpoints whose QiD is planted: what the landscape says of the SQNR, and for GPTQ 60 % of it. */
function planted(noise = 0): PredictorRow[] {
  const drawn = normals(2000, { seed: 4 });
  let next = 0;
  return [1e5, 2e5, 4e5, 8e5].flatMap((size) =>
    [1e6, 4e6, 1.6e7].flatMap((tokens) =>
      [2, 3, 4, 6].flatMap((bits) =>
        [16, 128].flatMap((block) =>
          (["rtn", "gptq"] as const).map((algorithm): PredictorRow => {
            const landscape = parabola(20 * (tokens / 1e6) ** 0.4 / (size / 1e5) ** 0.3);
            const sqnr = 6 * bits - 5 - Math.log2(block) / 4;
            const rise = riseAt(landscape, sqnr) * (algorithm === "gptq" ? 0.6 : 1);
            const qid = rise * Math.exp(noise * drawn[next++]!);
            const loss16 = 1 + (1e5 / size) ** 0.2 + (1e6 / tokens) ** 0.3;
            return {
              ...{ model: `m${size}`, revision: `step${tokens}`, size, tokens, algorithm },
              ...{ method: `${algorithm} ${bits} ${block}`, format: `${bits} ${block}` },
              ...{ title: `MXINT${bits}, blocks of ${block}`, elementBits: bits, exponentBits: 0 },
              ...{ block, powerOfTwo: true, bitsPerWeight: bits + 8 / block, sqnr },
              ...{ worstSqnr: sqnr - 1, secondOrder: rise, landscape, loss16 },
              ...{ lossQuantized: loss16 + qid, qid, qidError: 1e-6 },
            };
          })
        )
      )
    )
  );
}

const rows = planted();
const options = { trees: 8, seed: 1 };

describe("the radial profile", () => {
  it("is read exactly where it is a parabola, and beyond its levels", () => {
    for (const noise of [40, 30, 17.3, 6, 2]) {
      expect(riseAt(parabola(8), noise) / (4 * 10 ** (-noise / 10))).toBeCloseTo(1, 9);
    }
    expect(noiseAt(parabola(8), 4e-2)).toBeCloseTo(20, 9);
  });
});

describe("the predictors", () => {
  it("recover a planted effect for sizes and stages that they never saw", () => {
    const of = (name: string) => predictors.find((predictor) => predictor.name === name)!;
    const r2 = (name: string, heldOut: "size" | "stage") =>
      heldOutScores(predictHeldOut(of(name), rows, heldOut, options), 2).rSquaredQid.value;
    for (const heldOut of ["size", "stage"] as const) {
      expect(r2("profile read at the SQNR", heldOut)).toBeCloseTo(1, 9);
      expect(r2("forest of QiD", heldOut)).toBeGreaterThan(0.8);
      // What knows nothing of the checkpoint cannot say it.
      expect(r2("forest of QiD", heldOut)).toBeGreaterThan(r2("SQNR alone", heldOut));
    }
  });

  it("recover paper A's law where it is planted", () => {
    const lawful = rows.map((row) => {
      const qid = 0.02 * row.tokens ** 0.5 / (row.size ** 0.25 * row.bitsPerWeight ** 4);
      return { ...row, qid, lossQuantized: row.loss16 + qid };
    });
    const law = predictors.find(({ name }) => name === "unified law of paper A")!;
    const { mae } = heldOutScores(predictHeldOut(law, lawful, "size"), 2);
    expect(mae.value).toBeLessThan(1e-6);
  });

  it("are the same again", () => {
    for (const predictor of predictors) {
      const [first, again] = [1, 2].map(() => predictor.train(rows, options)(rows.slice(0, 20)));
      expect(again).toEqual(first);
    }
  });

  it("never see what is held out", () => {
    for (const heldOut of ["size", "stage"] as const) {
      const folds = foldsOf(rows, heldOut);
      expect(folds.map(({ test }) => test.length).reduce((a, b) => a + b)).toBe(rows.length);
      for (const { train, test } of folds) {
        const key = heldOut === "size" ? "size" : "tokens";
        const known = new Set(train.map((row) => row[key]));
        expect(test.some((row) => known.has(row[key]))).toBe(false);
      }
    }
    expect(() => foldsOf(rows.filter(({ size }) => size === 1e5), "size"))
      .toThrow("needs rows of at least 2 values of size: got 1");
  });

  it("name the row and feature that is not a number", () => {
    const broken = [{ ...rows[0]!, sqnr: NaN }, ...rows.slice(1)];
    expect(() => predictors[0]!.train(broken)).toThrow(
      "Cannot predict for m100000 step1000000 rtn 2 16: needs a finite sqnr: got NaN",
    );
  });
});

describe("a forest", () => {
  it("stays in the range of its training values", () => {
    const line = Array.from({ length: 50 }, (_, i) => [i, 0]);
    const forest = growForest(line, line.map(([x]) => 2 * x!));
    const [below, inside, above] = forest.predict([[-100, 0], [25, 0], [1000, 0]]);
    expect(below).toBeGreaterThanOrEqual(0);
    expect(inside).toBeCloseTo(50, -1);
    expect(above).toBeLessThanOrEqual(98);
  });

  it("uses all features unless it is told otherwise", () => {
    // The sign of a product: a tree that sees one of the two is right half of the time.
    const drawn = normals(400, { seed: 2 });
    const x = Array.from({ length: 200 }, (_, i) => [drawn[2 * i]!, drawn[2 * i + 1]!]);
    const y = x.map(([a, b]) => Math.sign(a!) * Math.sign(b!));
    const right = growForest(x, y).predict(x).filter((value, i) => value * y[i]! > 0).length;
    expect(right).toBeGreaterThan(180);
  });

  it.each([
    [[[1, 2]], [1], {}, "needs at least 2 rows of at least 2 features"],
    [[[1], [2]], [1, 2], {}, "got 2 rows of 1 features"],
    [[[1, 2], [2, 3]], [1, 2], { featuresPerTree: 1 }, "needs 2 to 2 features per tree: got 1"],
  ])("refuses %j", (x, y, options, message) => {
    expect(() => growForest(x, y, options)).toThrow(message);
  });
});

describe("scores", () => {
  const measured = [1, 2, 3, 4].map((lossQuantized, i) => ({
    ...{ cluster: `c${i}`, loss16: 1, lossQuantized },
  }));

  it("are those of hand-worked numbers", () => {
    const predicted = [1.5, 2, 3, 3.5].map((predicted, i) => ({ ...measured[i]!, predicted }));
    const { rSquared, mae, rank } = scoresOf(predicted);
    expect(rSquared.value).toBeCloseTo(1 - 0.5 / 5, 12);
    expect(mae.value).toBeCloseTo(0.25, 12);
    expect(rank.value).toBeCloseTo(1, 12);
    expect(mae.lower).toBeLessThanOrEqual(0.25);
    expect(mae.upper).toBeGreaterThanOrEqual(0.25);
  });

  it("are 0 for the mean, and resample whole clusters", () => {
    const flat = measured.map((row) => ({ ...row, predicted: 2.5 }));
    expect(scoresOf(flat).rSquared.value).toBeCloseTo(0, 12);
    const one = measured.map((row, i) => ({
      ...row,
      cluster: "c",
      predicted: row.lossQuantized + i,
    }));
    const { mae } = scoresOf(one);
    expect([mae.lower, mae.upper]).toEqual([mae.value, mae.value]);
  });
});

describe("importance and partial dependence", () => {
  const chosen = features.filter(({ name }) => ["rise_at_sqnr", "gptq", "block"].includes(name));

  it("find what was planted and nothing else", () => {
    const found = importances(rows, chosen, options);
    const rise = (name: string) => found.find((row) => row.name === name)!.rise;
    expect(rise("rise_at_sqnr")).toBeGreaterThan(5 * Math.abs(rise("gptq")));
    expect(rise("gptq")).toBeGreaterThan(0);
    expect(Math.abs(rise("block"))).toBeLessThan(0.05 * rise("rise_at_sqnr"));
    expect(rise("landscape")).toBeCloseTo(rise("rise_at_sqnr"), 12);
  });

  it("follow the planted dependence", () => {
    const points = partialDependence(rows, chosen, { ...options, points: 5 });
    const along = points.filter(({ feature }) => feature === "rise_at_sqnr").map(({ qid }) => qid);
    expect(along).toEqual([...along].sort((a, b) => a - b));
    const [rtn, gptq] = points.filter(({ feature }) => feature === "gptq").map(({ qid }) => qid);
    expect(gptq! / rtn!).toBeGreaterThan(0.45);
    expect(gptq! / rtn!).toBeLessThan(0.8);
  });
});

describe("the scale of QiD", () => {
  it("comes back, also below zero", () => {
    for (const qid of [-2e-3, 0, 1e-5, 0.3, 4]) {
      expect(qidScale.from(qidScale.to(qid))).toBeCloseTo(qid, 12);
    }
  });
});

describe("GPTQ's gain", () => {
  it("is the planted one, and leaves out what is within the error", () => {
    const gains = gptqGains(rows);
    expect(gains.length).toBe(rows.length / 2);
    for (const { share } of gains) expect(share).toBeCloseTo(0.4, 9);
    expect(gptqGains(rows.map((row) => ({ ...row, qidError: 100 })))).toEqual([]);
  });
});

describe("the feature sets", () => {
  it("keep the token count from paper B, and weights and landscape from paper A", () => {
    expect(featureSets["paper B"].map(({ name }) => name)).not.toContain("tokens");
    expect(featureSets["N, D, P"].map(({ name }) => name).sort())
      .toEqual(["bits_per_weight", "gptq", "size", "tokens"]);
  });
});

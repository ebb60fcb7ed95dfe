import pl from "nodejs-polars";
import { quantileSorted } from "simple-statistics";
import { describe, expect, it } from "vitest";
import { movements, suiteFigure12 } from "../../../lib/figures/mod.ts";
import { changeQuantiles } from "../../../lib/suite_tables.ts";

const runs = pl.DataFrame([
  { run: "main", series: "main", schedule: "cosine", decay_to: 2 ** 26 },
  { run: "still", series: "schedule", schedule: "constant", decay_to: null },
  { run: "short", series: "schedule", schedule: "cosine", decay_to: 2 ** 24 },
  { run: "branch", series: "schedule", schedule: "wsd", decay_to: 2 ** 24 },
  { run: "again", series: "seeds", schedule: "cosine", decay_to: 2 ** 26 },
]);

/** Evenly spaced changes from -reach to reach, whose quantiles lie on straight lines. */
const evenly = (reach: number, count = 2001) =>
  Array.from({ length: count }, (_, i) => reach * (2 * i / (count - 1) - 1));
const rootMeanSquare = (values: number[]) =>
  Math.sqrt(values.reduce((sum, value) => sum + value ** 2, 0) / values.length);

function row(run: string, matrix: string, changes: number[], more: Record<string, number> = {}) {
  const sorted = changes.toSorted((a, b) => a - b);
  const quantiles = Object.fromEntries(
    Object.entries(changeQuantiles).map(([name, p]) => [name, quantileSorted(sorted, p)]),
  );
  const row: Record<string, number | string> = {
    ...{ run, matrix, size: 1000, tokens_from: 2 ** 22 - 2 ** 19, tokens_to: 2 ** 22, layer: 0 },
    ...{
      weights: changes.length,
      ...quantiles,
      rms_change: rootMeanSquare(changes),
      rms_weight: 1,
    },
    ...{ step2: 0.7, step3: 0.3, step4: 0.14 },
    ...more,
  };
  return row;
}

describe("movements", () => {
  it("are those of the main series, of constant rates and of shorter cosines", () => {
    const names = ["main", "still", "short", "branch", "again"];
    const moved = movements(runs, pl.DataFrame(names.map((run) => row(run, "mlp.x", evenly(1)))));
    expect(moved.map(({ run, schedule }) => [run, schedule])).toEqual([
      ["main", "cosine to 64M"],
      ["short", "cosine to 16M"],
      ["still", "constant"],
    ]);
  });

  it("are over about half a million bytes, and no other distance", () => {
    const pairs = [2 ** 18, 434_176, 2 ** 19, 614_400, 2 ** 20].map((distance, i) =>
      row("main", "mlp.x", evenly(1), {
        tokens_from: 2 ** (20 + i),
        tokens_to: 2 ** (20 + i) + distance,
      })
    );
    const kept = movements(runs, pl.DataFrame(pairs)).map(({ from, to }) => to - from);
    expect(kept).toEqual([434_176, 2 ** 19, 614_400]);
  });

  it("pool matrices of the same changes into those changes", () => {
    const twice = [row("main", "a", evenly(0.1)), row("main", "b", evenly(0.1))];
    const [{ all, kinds }] = movements(runs, pl.DataFrame(twice)) as [
      ReturnType<typeof movements>[0],
    ];
    for (const name of ["q05", "q25", "q50", "q75", "q95"] as const) {
      expect(all.quantiles[name]).toBeCloseTo(twice[0]![name] as number, 9);
    }
    expect(all.rms).toBeCloseTo(twice[0]!.rms_change as number, 12);
    expect(kinds.map(({ kind }) => kind)).toEqual(["a", "b"]);
  });

  it("pool different matrices into the quantiles of all their weights", () => {
    const [wide, narrow] = [evenly(1, 1001), evenly(0.2, 3001)];
    const rows = [row("main", "a", wide), row("main", "b", narrow, { step4: 0.02 })];
    const [{ all }] = movements(runs, pl.DataFrame(rows)) as [ReturnType<typeof movements>[0]];
    const together = [...wide, ...narrow].sort((a, b) => a - b);
    for (const [name, p] of [["q05", 0.05], ["q25", 0.25], ["q75", 0.75]] as const) {
      expect(all.quantiles[name]).toBeCloseTo(quantileSorted(together, p), 2);
    }
    expect(all.rms).toBeCloseTo(rootMeanSquare(together), 9);
    expect(all.steps[4]).toBeCloseTo((1001 * 0.14 + 3001 * 0.02) / 4002, 9);
  });
});

describe("Figure 12 of the suite", () => {
  const qid = pl.DataFrame(
    ["main", "still", "short"].flatMap((model, i) =>
      [2, 3, 4].map((bits) => ({
        ...{ model, method_name: "gptq", size: 1000, tokens: 2 ** 22, bits, loss16: 1 },
        ...{ loss_quantized: 1.1, qid: (i + 1) / 10 ** bits, qid_se: 1e-6 },
      }))
    ),
  );
  const moved = movements(
    runs,
    pl.DataFrame(["main", "still", "short"].flatMap((run) => [
      row(run, "attention.dense", evenly(0.2)),
      row(run, "attention.dense", evenly(0.1), {
        tokens_from: 2 ** 23 - 2 ** 19,
        tokens_to: 2 ** 23,
      }),
    ])),
  );

  it("compares schedules where there are some, and says so where there are none", () => {
    expect(suiteFigure12({ moved, qid }).caption).toMatch(/a constant learning rate \(dashed\)/);
    const main = moved.filter(({ series }) => series === "main");
    expect(suiteFigure12({ moved: main, qid }).caption).toMatch(
      /No run with another schedule is in the tables yet/,
    );
  });
});

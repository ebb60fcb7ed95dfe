import pl, { type DataFrame } from "nodejs-polars";
import { describe, expect, it } from "vitest";
import { runRow } from "../../../lib/cli/suite_rows.ts";
import {
  rateShare,
  type ScheduleColumns,
  scheduleLaws,
  type ScheduleRow,
  scheduleRows,
} from "../../../lib/figures/mod.ts";
import { loadSuiteTable } from "../../../lib/suite_tables.ts";
import {
  rateAt,
  type RunRecord,
  suite,
  suiteSeries,
  tokensPerStep,
} from "../../../lib/train/mod.ts";

/** The columns of a run as the table of runs has them. */
const columnsOf = (run: typeof suite[0]) =>
  runRow({ run, size: 1, codeVersion: "0", backend: "wasm", corpusSha256: "0" } as RunRecord);

describe("the learning rate of a checkpoint, from the table of runs", () => {
  it("is that of the last step before it, for every checkpoint of every run", () => {
    let checked = 0;
    for (const run of suite) {
      for (const step of run.checkpoints.filter((step) => step > run.schedule.warmUp)) {
        const share = rateShare(columnsOf(run), step * tokensPerStep(run));
        expect(share, `${run.name} step ${step}`).toBeCloseTo(rateAt(run.schedule, step - 1), 12);
        checked++;
      }
    }
    expect(checked).toBeGreaterThan(100);
  });

  it("is what the training log recorded", () => {
    const runs = new Map(loadSuiteTable("runs").toRecords().map((row) => [row.run, row]));
    const log = loadSuiteTable("training").toRecords().filter(({ tokens }) => Number(tokens) > 1e6);
    expect(log.length).toBeGreaterThan(10);
    for (const { run, tokens, learning_rate } of log) {
      const row = runs.get(run)!;
      const share = rateShare(row as unknown as ScheduleColumns, Number(tokens));
      expect(share * Number(row.peak_rate) / Number(learning_rate)).toBeCloseTo(1, 5);
    }
  });

  it("is an error for a schedule that it does not know", () => {
    const wrong = { schedule: "linear", decay_from: 0, decay_to: 1 };
    expect(() => rateShare(wrong, 1e6)).toThrow(/must be constant, cosine or wsd: got linear/);
  });
});

/** QiD of a law, for the runs of the study at width 32 and the main run, as `loadSuiteQid` has them. */
const law = (tokens: number, rate: number, bits: number) =>
  10 ** -bits * tokens ** 0.5 * Math.exp(0.4 * (1 - rate));
function frameOf(runs: readonly typeof suite[0][]): DataFrame {
  return pl.DataFrame(
    runs.flatMap((run) =>
      run.checkpoints.filter((step) => step > 400).flatMap((step) =>
        [2, 3, 4].map((bits) => {
          const { run: model, ...columns } = columnsOf(run);
          const tokens = step * tokensPerStep(run);
          const qid = law(tokens, rateAt(run.schedule, step - 1), bits);
          return { ...columns, model, size: run.width * 1000, tokens, bits, qid, qid_se: 1e-9 };
        })
      )
    ),
  );
}
const narrow = (runs: readonly typeof suite[0][]) => runs.filter(({ width }) => width === 32);

describe("the study of schedules", () => {
  const rows: ScheduleRow[] = scheduleRows(
    frameOf(narrow(suiteSeries.schedule)),
    frameOf(suiteSeries.main),
  );

  it("keeps the main runs of the sizes that it has, and names schedules by their ends", () => {
    expect(new Set(rows.map(({ size }) => size))).toEqual(new Set([32_000]));
    expect(new Set(rows.map(({ schedule }) => schedule))).toEqual(
      new Set(["cosine to 64M", "cosine to 16M", "cosine to 4M", "constant", "decay"]),
    );
  });

  it("is an error without rows of the study", () => {
    const none = frameOf(suiteSeries.main).filter(pl.col("size").lt(0));
    expect(() => scheduleRows(none, frameOf(suiteSeries.main))).toThrow(
      /needs measured rows of the series schedule: got none/,
    );
  });

  it("gives planted exponents back, in the law of both and at equal tokens", () => {
    for (const { both, constant, matched, tokensAlone } of scheduleLaws(rows)) {
      expect(both.exponents.tokens!.value).toBeCloseTo(0.5, 6);
      expect(both.exponents.decay!.value).toBeCloseTo(0.4, 6);
      expect(constant.exponents.tokens!.value).toBeCloseTo(0.5, 6);
      expect(matched.exponents.decay!.value).toBeCloseTo(0.4, 6);
      // Tokens alone take the decay's part on top of their own.
      expect(tokensAlone.exponents.tokens!.value).toBeGreaterThan(0.505);
    }
  });

  it("splits the growth of the main run into two factors whose product is the growth", () => {
    const [{ growth }] = scheduleLaws(rows) as [ReturnType<typeof scheduleLaws>[0]];
    const main = rows.filter(({ bits, tokens, series }) =>
      bits === 2 && tokens >= 2 ** 21 && series === "main"
    );
    expect(growth.tokens * growth.decay).toBeCloseTo(main.at(-1)!.qid / main[0]!.qid, 6);
    expect(growth.to).toBe(2 ** 26);
  });
});

/** The study of schedules: checkpoints at equal tokens and different learning rates. */
import pl, { type DataFrame } from "nodejs-polars";
import type { DecayRow } from "../../laws/mod.ts";
import { loadSuiteQid } from "../../suite_tables.ts";
// Not through train/mod.ts, which would bring the corpus and its packages into every figure.
import { rateAt, type Schedule } from "../../train/schedule.ts";
import { suite } from "../../train/suite.ts";
import { rowsOf } from "../rows.ts";
import { megabytes, suiteLabel } from "./series.ts";

/** A checkpoint of the study, quantized by GPTQ. */
export interface ScheduleRow extends DecayRow {
  readonly run: string;
  readonly series: "main" | "schedule";
  /** What the figure calls its schedule: "cosine to 67M", "constant", "decay". */
  readonly schedule: string;
  readonly kind: Schedule["kind"];
  readonly label: string;
  readonly size: number;
  readonly bits: number;
  readonly qid_se: number;
}

/** All runs of the suite take steps of one size. */
const stepBytes = suite[0]!.context * suite[0]!.sequences;

/** What a row of `loadSuiteQid` says of its run's schedule; bytes. */
export interface ScheduleColumns {
  readonly schedule: string;
  readonly decay_from: number | null;
  readonly decay_to: number | null;
}

/**
 * The learning rate of the last step before a checkpoint at `tokens` bytes, as a share of the peak. The checkpoint
 * must come after the warm-up, which the tables hold of cosines alone.
 */
export function rateShare(
  { schedule, decay_from, decay_to }: ScheduleColumns,
  tokens: number,
): number {
  const steps = (bytes: number | null) => Math.round(Number(bytes) / stepBytes);
  const [from, to] = [steps(decay_from), steps(decay_to)];
  const last = steps(tokens) - 1;
  switch (schedule) {
    case "constant":
      return 1;
    case "cosine":
      return rateAt({ kind: "cosine", warmUp: from, steps: to }, last);
    case "wsd":
      return rateAt({ kind: "wsd", warmUp: 0, decayFrom: from, steps: to }, last);
    default:
      throw new RangeError(
        `Cannot tell the learning rate: the schedule must be constant, cosine or wsd: got ${schedule}`,
      );
  }
}

/**
 * The study of schedules with the main runs of its sizes, by size, run, bits and tokens. A curve of the law is one size.
 */
export function scheduleRows(
  study: DataFrame = loadSuiteQid({ series: "schedule" }) as DataFrame,
  main: DataFrame = loadSuiteQid() as DataFrame,
): ScheduleRow[] {
  const read = (frame: DataFrame, series: ScheduleRow["series"]) =>
    rowsOf(
      frame.sort(["size", "model", "bits", "tokens"])
        .withColumns(pl.col("decay_from").fillNull(0), pl.col("decay_to").fillNull(0)),
      ["size", "tokens", "bits", "qid", "qid_se", "decay_from", "decay_to"],
      ["model", "schedule"],
    ).map((row) => ({ ...row, series }));
  const studied = read(study, "schedule");
  if (studied.length === 0) {
    throw new RangeError(
      "Cannot draw the study of schedules: needs measured rows of the series schedule: got none",
    );
  }
  const sizes = new Set(studied.map(({ size }) => size));
  return [...read(main, "main").filter(({ size }) => sizes.has(size)), ...studied].map((row) => ({
    ...{
      run: row.model,
      series: row.series,
      size: row.size,
      label: suiteLabel(row.size),
      curve: suiteLabel(row.size),
    },
    ...{ bits: row.bits, tokens: row.tokens, qid: row.qid, qid_se: row.qid_se },
    kind: row.schedule as Schedule["kind"],
    schedule: row.schedule === "cosine"
      ? `cosine to ${megabytes(row.decay_to)}`
      : row.schedule === "wsd"
      ? "decay"
      : "constant",
    rate: rateShare(row, row.tokens),
  }));
}

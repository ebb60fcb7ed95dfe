/** BitNet's runs beside those in full precision, at equal learning rates and at BitNet's own. */
import type { DataFrame } from "nodejs-polars";
import { loadSuiteQid, loadSuiteTable } from "../../suite_tables.ts";
import { rowsOf } from "../rows.ts";

/** Weights that were trained: full precision, ternary or binary. */
export type WeightsKind = "none" | "b1.58" | "b1";

const order: readonly string[] = ["none", "b1.58", "b1"] satisfies WeightsKind[];

/** A loss after so many bytes, nats per byte. */
export interface LossPoint {
  readonly tokens: number;
  readonly loss: number;
}

/** One run of the study. */
export interface BitnetRun {
  readonly run: string;
  readonly weights: WeightsKind;
  readonly size: number;
  readonly width: number;
  readonly peakRate: number;
  /** Means of the training loss over stretches of steps. */
  readonly training: readonly LossPoint[];
  /** Losses of checkpoints on held-out text of the same kind. */
  readonly heldOut: readonly LossPoint[];
}

/** The tables that hold the study. */
export interface BitnetTables {
  readonly runs: DataFrame;
  readonly training: DataFrame;
  readonly bitnet: DataFrame;
  /** Rows of `loadSuiteQid` of the runs in full precision, for their held-out losses. */
  readonly fullPrecision: readonly DataFrame[];
}

/** The tables of this repository. */
export function bitnetTables(): BitnetTables {
  return {
    runs: loadSuiteTable("runs") as DataFrame,
    training: loadSuiteTable("training") as DataFrame,
    bitnet: loadSuiteTable("bitnet") as DataFrame,
    fullPrecision: ["schedule", "bitnet"].map((series) => loadSuiteQid({ series }) as DataFrame),
  };
}

/**
 * The runs of the study by width: BitNet's, and those in full precision with the same width, depth, seed, schedule and
 * length.
 */
export function bitnetRuns(tables: BitnetTables = bitnetTables()): BitnetRun[] {
  const all = rowsOf(
    tables.runs,
    ["width", "depth", "size", "seed", "tokens", "peak_rate"],
    ["run", "bit_linear", "schedule"],
  );
  const binary = all.filter(({ bit_linear }) => bit_linear !== "none");
  const like = (a: typeof all[0], b: typeof all[0]) =>
    a.width === b.width && a.depth === b.depth && a.seed === b.seed && a.tokens === b.tokens &&
    a.schedule === b.schedule;
  const losses = (rows: readonly { run: string; tokens: number; loss: number }[], run: string) => {
    const own = rows.filter((row) => row.run === run).map(({ tokens, loss }) => ({ tokens, loss }));
    const once = new Map(own.map((point) => [point.tokens, point]));
    return [...once.values()].sort((a, b) => a.tokens - b.tokens);
  };
  const training = rowsOf(tables.training, ["tokens", "loss"], ["run"]);
  const heldOut = [
    ...rowsOf(tables.bitnet, ["tokens", "loss"], ["run", "test_set"])
      .filter(({ test_set }) => test_set === "in_domain"),
    ...tables.fullPrecision.flatMap((frame) =>
      rowsOf(frame, ["tokens", "loss16"], ["model"])
        .map(({ model, tokens, loss16 }) => ({ run: model, tokens, loss: loss16 }))
    ),
  ];
  return all.filter((row) => binary.some((other) => like(row, other)))
    .sort((a, b) =>
      a.width - b.width || order.indexOf(a.bit_linear) - order.indexOf(b.bit_linear) ||
      a.peak_rate - b.peak_rate
    )
    .map(({ run, bit_linear, size, width, peak_rate }) => ({
      ...{ run, size, width, weights: bit_linear as WeightsKind, peakRate: peak_rate },
      training: losses(training, run),
      heldOut: losses(heldOut, run),
    }))
    // A run that is not finished has no curve in the tables yet.
    .filter(({ training }) => training.length > 0);
}

/** The loss of one run less that of another, where both have a point. */
export function lossGap(
  of: readonly LossPoint[],
  from: readonly LossPoint[],
): LossPoint[] {
  const base = new Map(from.map(({ tokens, loss }) => [tokens, loss]));
  return of.flatMap(({ tokens, loss }) =>
    base.has(tokens) ? [{ tokens, loss: loss - base.get(tokens)! }] : []
  );
}

/** What is compared, in the order of the figure. */
export const headings = ["equal rates", "equal rates, BitNet's", "each at its own rate"] as const;

/** A comparison of BitNet with full precision at one width, each at some learning rate. */
export interface BitnetContrast {
  readonly width: number;
  /** Size of the model in full precision. */
  readonly size: number;
  readonly heading: typeof headings[number];
  readonly full: BitnetRun;
  readonly binary: readonly BitnetRun[];
}

/**
 * Both at the rate of full precision (the lower), both at BitNet's (the higher), and each at its own, as far as the runs
 * are there.
 */
export function bitnetContrasts(runs: readonly BitnetRun[]): BitnetContrast[] {
  return [...new Set(runs.map(({ width }) => width))].flatMap((width): BitnetContrast[] => {
    const own = runs.filter((run) => run.width === width);
    const low = Math.min(...own.map(({ peakRate }) => peakRate));
    const high = Math.max(...own.map(({ peakRate }) => peakRate));
    const at = (rate: number, full: boolean) =>
      own.filter(({ peakRate, weights }) => peakRate === rate && (weights === "none") === full);
    const rates = [[low, low], [high, high], [low, high]] as const;
    return headings.flatMap((heading, i) => {
      const [fullRate, binaryRate] = rates[i]!;
      const [full] = at(fullRate, true);
      const binary = at(binaryRate, false);
      const told = heading === "equal rates" || low < high;
      return !told || full === undefined || binary.length === 0
        ? []
        : [{ width, size: full.size, heading, full, binary }];
    });
  });
}

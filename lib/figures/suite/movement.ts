/** How far the weights of the suite's runs move over about half a million bytes of training, matrix by matrix and together. */
import pl, { type DataFrame } from "nodejs-polars";
import { changeQuantiles, loadSuiteTable } from "../../suite_tables.ts";
import { distinct } from "../pythia.ts";
import { rowsOf } from "../rows.ts";
import { megabytes } from "./series.ts";

/** Changes of some weights between two checkpoints. */
export interface Change {
  /** Root mean square of the change. */
  readonly rms: number;
  /** Root mean square of the weights before it. */
  readonly rmsWeight: number;
  /** Distance of two levels of round-to-nearest by bit width, a median over groups of 32. */
  readonly steps: Readonly<Record<2 | 3 | 4, number>>;
}

/** The changes of a run between two checkpoints. */
export interface Movement {
  readonly run: string;
  readonly series: "main" | "schedule";
  /** "constant", or of a cosine the bytes at its end: "cosine to 16M". */
  readonly schedule: string;
  readonly size: number;
  /** Bytes trained at the two checkpoints. */
  readonly from: number;
  readonly to: number;
  /** All matrices together; their quantiles are read from those of each, on straight lines between them. */
  readonly all: Change & { readonly quantiles: Quantiles };
  /** By kind of matrix, layers together. */
  readonly kinds: readonly (Change & { readonly kind: string })[];
}

type Quantiles = Readonly<Record<"q05" | "q25" | "q50" | "q75" | "q95", number>>;

/** Distance of the checkpoints of a pair, and by how much it may differ. */
const distance = 2 ** 19;
const tolerance = 0.2;

const kindNames: Readonly<Record<string, string>> = {
  "attention.query_key_value": "QKV",
  "attention.dense": "att. out",
  "mlp.dense_h_to_4h": "MLP in",
  "mlp.dense_4h_to_h": "MLP out",
};

const numbers = [
  ...["size", "tokens_from", "tokens_to", "layer", "weights", "rms_change", "rms_weight"] as const,
  ...["step2", "step3", "step4"] as const,
  ...Object.keys(changeQuantiles) as (keyof typeof changeQuantiles)[],
] as const;

type Row = Record<typeof numbers[number], number> & { run: string; matrix: string };

/** The movements of the runs of the main series and of the study of schedules, by size, run and tokens. */
export function movements(
  runs: DataFrame = loadSuiteTable("runs") as DataFrame,
  fluctuation: DataFrame = loadSuiteTable("fluctuation") as DataFrame,
): Movement[] {
  const known = new Map<string, Pick<Movement, "series" | "schedule">>();
  const named = rowsOf(runs.withColumns(pl.col("decay_to").fillNull(0)), ["decay_to"], [
    ...["run", "series", "schedule"] as const,
  ]);
  for (const { run, series, schedule, decay_to } of named) {
    if ((series !== "main" && series !== "schedule") || schedule === "wsd") continue;
    const text = schedule === "cosine" ? `cosine to ${megabytes(decay_to)}` : schedule;
    known.set(run, { series, schedule: text });
  }
  const rows: Row[] = rowsOf(
    fluctuation.sort(["size", "run", "tokens_to", "layer", "matrix"]),
    numbers,
    ["run", "matrix"],
  ).filter(({ run, tokens_from, tokens_to }) =>
    known.has(run) && Math.abs((tokens_to - tokens_from) / distance - 1) < tolerance
  );
  const pairs = Map.groupBy(rows, ({ run, tokens_to }) => `${run} ${tokens_to}`);
  return [...pairs.values()].map((own) => {
    const { run, size, tokens_from, tokens_to } = own[0]!;
    return {
      ...{ run, size, ...known.get(run)!, from: tokens_from, to: tokens_to },
      all: { ...together(own), quantiles: pooledQuantiles(own) },
      kinds: distinct(own, "matrix").map((matrix) => ({
        kind: kindNames[matrix] ?? matrix,
        ...together(own.filter((row) => row.matrix === matrix)),
      })),
    };
  });
}

/** Root mean squares over all weights, and the mean step. */
function together(rows: readonly Row[]): Change {
  const weights = rows.reduce((sum, row) => sum + row.weights, 0);
  const mean = (value: (row: Row) => number) =>
    rows.reduce((sum, row) => sum + row.weights * value(row), 0) / weights;
  return {
    rms: Math.sqrt(mean(({ rms_change }) => rms_change ** 2)),
    rmsWeight: Math.sqrt(mean(({ rms_weight }) => rms_weight ** 2)),
    steps: {
      2: mean(({ step2 }) => step2),
      3: mean(({ step3 }) => step3),
      4: mean(({ step4 }) => step4),
    },
  };
}

const quantiles = Object.entries(changeQuantiles) as [keyof typeof changeQuantiles, number][];

/** The part of a matrix's changes below a value, on straight lines between its quantiles. */
function partBelow(row: Row, value: number): number {
  const next = quantiles.findIndex(([name]) => row[name] > value);
  if (next === 0) return 0;
  if (next < 0) return 1;
  const [[low, p], [high, q]] = [quantiles[next - 1]!, quantiles[next]!];
  return p + (q - p) * (value - row[low]) / (row[high] - row[low]);
}

/** Quantiles of the changes of several matrices together, by bisection. */
export function pooledQuantiles(rows: readonly Row[]): Quantiles {
  const weights = rows.reduce((sum, row) => sum + row.weights, 0);
  const at = (p: number) => {
    let low = Math.min(...rows.map(({ q01 }) => q01));
    let high = Math.max(...rows.map(({ q99 }) => q99));
    for (let i = 0; i < 60; i++) {
      const middle = (low + high) / 2;
      const below = rows.reduce((sum, row) => sum + row.weights * partBelow(row, middle), 0);
      if (below < p * weights) low = middle;
      else high = middle;
    }
    return (low + high) / 2;
  };
  return { q05: at(0.05), q25: at(0.25), q50: at(0.5), q75: at(0.75), q95: at(0.95) };
}

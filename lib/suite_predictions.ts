/** Predictions of the suite's degradations, written down before these are measured, and never changed. */
import { existsSync, renameSync, writeFileSync } from "node:fs";
import pl, { type DataFrame } from "nodejs-polars";
import { bootstrap, predict } from "./laws/mod.ts";
import { loadSuiteQid, onGrid, suiteFolder } from "./suite_tables.ts";
import { type Frame, readTable, table } from "./table.ts";

const NATS = { kind: "number", unit: "nats per byte" } as const;

/** The schema of `predictions.csv`. */
export const predictionSchema = table({
  columns: {
    /** The checkpoint: its run, size, tokens (bytes) and bit width. */
    model: { kind: "text" },
    size: { kind: "number", unit: "non-embedding parameters", positive: true, whole: true },
    tokens: { kind: "number", unit: "training bytes", positive: true, whole: true },
    bits: { kind: "number", unit: "bits per weight", positive: true, whole: true },
    /** The law and the space of its fit: raw or log. */
    law: { kind: "text" },
    space: { kind: "word", words: ["raw", "log"] },
    /** What the law had seen: its largest size, the most bytes of this run, and how many rows. */
    largest_size_seen: { kind: "number", unit: "non-embedding parameters", positive: true },
    tokens_seen: { kind: "number", unit: "training bytes of this run" },
    rows_seen: { kind: "number", unit: "1", positive: true, whole: true },
    qid: NATS,
    /** 95 % bootstrap interval of the law, by row. */
    lower: NATS,
    upper: NATS,
    provenance: { kind: "word", words: ["predicted"] },
  },
  key: ["size", "tokens", "bits", "law", "space", "rows_seen"],
});

/** A checkpoint that is to come: one of the main series. */
export interface Unseen {
  readonly model: string;
  readonly size: number;
  readonly tokens: number;
}

/** A row of `predictions.csv`. */
type Prediction = Record<keyof typeof predictionSchema.columns, string | number>;

const laws = ["unified", "per-bit-width"] as const;
const spaces = ["raw", "log"] as const;

/** Fits both laws in both spaces to what is measured, and predicts each unseen checkpoint at 2, 3 and 4 bits. */
export function predictUnseen(measured: DataFrame, unseen: readonly Unseen[]): Prediction[] {
  const largest = Number(measured.getColumn("size").max());
  return laws.flatMap((law) =>
    spaces.flatMap((space) => {
      const rows = space === "log" ? measured.filter(pl.col("qid").gt(0)) : measured;
      const fitted = bootstrap(law, rows, { space, seed: 1 });
      return unseen.flatMap(({ model, size, tokens }) => {
        const own = rows.filter(pl.col("size").eq(size));
        const seen = own.height === 0 ? 0 : Number(own.getColumn("tokens").max());
        return [2, 3, 4].map((bits) => {
          const at = (parameters: Record<string, number>) =>
            predict(fitted.fit.law, parameters, { size, tokens, bits });
          const [lower, upper] = fitted.intervalOf(at);
          return {
            ...{ model, size, tokens, bits, law, space },
            ...{ largest_size_seen: largest, tokens_seen: seen, rows_seen: rows.height },
            ...{
              qid: digits(at(fitted.fit.parameters)),
              lower: digits(lower),
              upper: digits(upper),
            },
            provenance: "predicted",
          };
        });
      });
    })
  );
}

/**
 * Adds predictions of the checkpoints that are not measured yet, those evenly spaced in log D, to `predictions.csv` in a folder, and returns how
 * many rows are new. Rows that are there stay as they are. Throws when fewer than three sizes are measured.
 */
export function writePredictions(checkpoints: readonly Unseen[], folder = suiteFolder): number {
  const measured: DataFrame = loadSuiteQid({ folder });
  const sizes = new Set(measured.getColumn("size").toArray()).size;
  if (sizes < 3) {
    throw new Error(`Cannot predict other sizes: needs at least 3 that are measured: got ${sizes}`);
  }
  const keyOf = ({ model, tokens }: { model?: unknown; tokens?: unknown }) => `${model} ${tokens}`;
  const known = new Set(measured.toRecords().map(keyOf));
  const unseen = checkpoints.filter((one) => onGrid(one.tokens) && !known.has(keyOf(one)));
  const path = `${folder}/predictions.csv`;
  const earlier = existsSync(path) ? readTable(path, predictionSchema).toRecords() : [];
  const key = (row: Record<string, unknown>) =>
    predictionSchema.key.map((name) => row[name]).join();
  const written = new Set(earlier.map(key));
  const fresh = predictUnseen(measured, unseen).filter((row) => !written.has(key(row)));
  const names = Object.keys(predictionSchema.columns);
  const lines = [...earlier, ...fresh].map((row) =>
    names.map((name) => (row as Record<string, unknown>)[name]).join(",")
  );
  writeFileSync(`${path}.partial`, [names.join(","), ...lines, ""].join("\n"));
  renameSync(`${path}.partial`, path);
  return fresh.length;
}

/** The predictions that were written down. */
export function loadPredictions(folder = suiteFolder): Frame<typeof predictionSchema.columns> {
  return readTable(`${folder}/predictions.csv`, predictionSchema);
}

/** Five significant digits. */
function digits(value: number): number {
  return Number(value.toPrecision(5));
}

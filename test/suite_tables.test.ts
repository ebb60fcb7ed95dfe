import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pl from "nodejs-polars";
import { afterAll, describe, expect, it } from "vitest";
import { fourBitMethods } from "../lib/figures/mod.ts";
import { predict } from "../lib/laws/mod.ts";
import { frameOf, type MeasuredRow, rowColumns, suiteMethods } from "../lib/measure/mod.ts";
import { loadPredictions, writePredictions } from "../lib/suite_predictions.ts";
import {
  loadSuiteQid,
  loadSuiteTable,
  suiteFolder,
  suiteTables,
  writeSuiteRows,
} from "../lib/suite_tables.ts";

const scratch = mkdtempSync(join(tmpdir(), "suite-tables-"));
afterAll(() => rmSync(scratch, { recursive: true }));

const law = { scale: 2e-4, tokenExponent: 0.7, sizeExponent: 0.5, bitExponent: 4 };
const sizes = {
  "w32-d3-s0": 38176,
  "w64-d3-s0": 150000,
  "w96-d3-s0": 336000,
  "w128-d3-s0": 595000,
};
type Model = keyof typeof sizes;

function runRow(run: string, series = "main") {
  return {
    ...{ run, series, width: 32, depth: 3, size: sizes[run as Model], seed: 0, tokens: 2 ** 26 },
    ...{
      schedule: "cosine",
      decay_from: 0,
      decay_to: 2 ** 26,
      peak_rate: 0.01,
      bit_linear: "none",
    },
    ...{ code_version: "0", backend: "wasm", corpus_sha256: "0", provenance: "measured" },
  };
}

/** A measured row whose QiD is that of the law. */
function measured(model: Model, tokens: number, bits: number, more: Partial<MeasuredRow> = {}) {
  const qid = predict("unified", law, { size: sizes[model], tokens, bits });
  const empty = Object.fromEntries(
    Object.entries(rowColumns).map(([name, kind]) => [name, kind === "number" ? null : ""]),
  );
  return {
    ...empty,
    ...{ model, size: sizes[model], tokens, revision: `step${tokens / 4096}`, bits },
    ...{ method: `gptq:bits=${bits}`, method_name: "gptq", test_set: "in_domain", error: null },
    ...{ loss16: 1, loss_quantized: 1 + qid, qid, qid_se: 1e-4 },
    ...more,
  } as MeasuredRow;
}

const grid = [20, 22, 25, 26].map((power) => 2 ** power);

/** A folder with the tables of a suite whose runs got so far. */
function suiteOf(name: string, reached: Partial<Record<Model, number>>): string {
  const folder = mkdtempSync(join(scratch, `${name}-`));
  writeSuiteRows(suiteTables.runs, Object.keys(sizes).map((run) => runRow(run)), folder);
  const rows = Object.entries(reached).flatMap(([model, last]) =>
    grid.filter((tokens) => tokens <= last).flatMap((tokens) =>
      [2, 3, 4].map((bits) => measured(model as Model, tokens, bits))
    )
  );
  frameOf(rows).writeParquet(join(folder, "qid.parquet"));
  return folder;
}

describe("a table of the suite", () => {
  it("keeps the rows of other runs, replaces those of its own, and is the same bytes again", () => {
    const folder = mkdtempSync(join(scratch, "runs-"));
    const [a, b] = [runRow("w32-d3-s0"), runRow("w64-d3-s0")];
    writeSuiteRows(suiteTables.runs, [b], folder);
    writeSuiteRows(suiteTables.runs, [{ ...a, backend: "blas" }], folder);
    writeSuiteRows(suiteTables.runs, [a], folder);
    const rows = loadSuiteTable("runs", folder).toRecords();
    expect(rows).toEqual([a, b]);
    const before = readFileSync(join(folder, "runs.parquet"));
    writeSuiteRows(suiteTables.runs, [b], folder);
    expect(readFileSync(join(folder, "runs.parquet"))).toEqual(before);
  });

  it("is an error that says how it is made, when it is not there or lacks a column", () => {
    expect(() => loadSuiteTable("training", scratch)).toThrow(
      "training.parquet: it is made by: deno task suite",
    );
    pl.DataFrame({ run: ["a"] }).writeParquet(join(scratch, "training.parquet"));
    expect(() => loadSuiteTable("training", scratch)).toThrow("needs the columns tokens, steps");
  });
});

describe("the measurements", () => {
  it("are those asked for, without errors and pairs, with what their run was", () => {
    const folder = suiteOf("query", { "w32-d3-s0": 2 ** 20 });
    const rows = pl.readParquet(join(folder, "qid.parquet"))
      .toRecords() as unknown as MeasuredRow[];
    const more = [
      measured("w32-d3-s0", 2 ** 22 - 2 ** 19, 2),
      measured("w32-d3-s0", 2 ** 21, 2, { error: "bad", qid: null }),
      measured("w32-d3-s0", 2 ** 21, 8),
      measured("w32-d3-s0", 2 ** 21, 2, { test_set: "out_of_domain" }),
      measured("w32-d3-s0", 2 ** 21, 2, { method_name: "rtn" }),
    ];
    frameOf([...rows, ...more]).writeParquet(join(folder, "qid.parquet"));
    const frame = loadSuiteQid({ folder });
    expect(frame.height).toBe(3);
    expect(frame.getColumn("schedule").toArray()).toEqual(Array(3).fill("cosine"));
    expect(loadSuiteQid({ folder, pairs: true }).height).toBe(4);
    expect(loadSuiteQid({ folder, bits: [8] }).height).toBe(1);
    expect(loadSuiteQid({ folder, test: "out_of_domain" }).height).toBe(1);
    expect(loadSuiteQid({ folder, series: "depth" }).height).toBe(0);
  });
});

describe("the suite of this repository", () => {
  const rows = pl.readParquet(join(suiteFolder, "qid.parquet"))
    .select(
      ...["model", "revision", "method", "method_name", "bits"],
      ...["test_set", "weights_sha256", "loss16", "error"],
    )
    .toRecords() as unknown as MeasuredRow[];

  /** What rows of one checkpoint on one text say. */
  function byCheckpoint<T>(valueOf: (row: MeasuredRow) => T): Map<string, T[]> {
    const values = new Map<string, T[]>();
    for (const row of rows) {
      const key = `${row.model} ${row.revision} ${row.test_set}`;
      const own = values.get(key) ?? [];
      if (own.push(valueOf(row)) === 1) values.set(key, own);
    }
    return values;
  }

  it("measures every checkpoint in full precision by every method, once, on both texts", () => {
    const runs = loadSuiteTable("runs").filter(pl.col("bit_linear").eq(pl.lit("none")));
    const models = runs.getColumn("run").toArray().sort();
    expect([...new Set(rows.map(({ model }) => model))].sort()).toEqual(models);
    expect(rows.filter(({ error }) => error !== null)).toEqual([]);
    const wanted = [...suiteMethods].sort();
    const wrong = [...byCheckpoint(({ method }) => method)]
      .filter(([, methods]) => JSON.stringify(methods.sort()) !== JSON.stringify(wanted))
      .map(([checkpoint, methods]) => `${checkpoint}: ${methods.length} methods`);
    expect(wrong).toEqual([]);
    const on = (text: string) =>
      rows.filter(({ test_set }) => test_set === text).map((row) => `${row.model} ${row.revision}`);
    expect(new Set(on("in_domain"))).toEqual(new Set(on("out_of_domain")));
  });

  it("has the methods that its studies compare at 4 bits", () => {
    const names = rows.filter(({ bits }) => bits === 4).map(({ method_name }) => method_name);
    expect([...new Set(names)].sort()).toEqual([...fourBitMethods].sort());
  });

  it("saw one set of weights in all rows of a checkpoint, with one loss before quantization", () => {
    const hashes = [...byCheckpoint(({ weights_sha256 }) => weights_sha256)];
    const mixed = hashes.filter(([, values]) => new Set(values).size > 1);
    expect(mixed.map(([checkpoint]) => checkpoint)).toEqual([]);
    // Rows of other code versions may differ in the last digits.
    const losses = [...byCheckpoint(({ loss16 }) => loss16!)];
    const apart = losses.filter(([, values]) => Math.max(...values) - Math.min(...values) > 1e-7);
    expect(apart.map(([checkpoint]) => checkpoint)).toEqual([]);
  });
});

describe("a prediction", () => {
  const unseen = (model: Model) => grid.map((tokens) => ({ model, size: sizes[model], tokens }));

  it("of an unseen size is the law's, and stays as it was written when more is measured", () => {
    const folder = suiteOf("unseen", {
      ...{ "w32-d3-s0": 2 ** 26, "w64-d3-s0": 2 ** 26, "w96-d3-s0": 2 ** 26 },
    });
    // 4 checkpoints at 3 bit widths by 2 laws in 2 spaces.
    expect(writePredictions(unseen("w128-d3-s0"), folder)).toBe(48);
    const rows = loadPredictions(folder).toRecords();
    for (const row of rows) {
      const at = { size: Number(row.size), tokens: Number(row.tokens), bits: Number(row.bits) };
      expect(Number(row.qid) / predict("unified", law, at)).toBeCloseTo(1, 3);
      expect(row).toMatchObject({
        largest_size_seen: 336000,
        tokens_seen: 0,
        provenance: "predicted",
      });
    }
    expect(writePredictions(unseen("w128-d3-s0"), folder)).toBe(0);
    const half = suiteOf("half", {
      ...{ "w32-d3-s0": 2 ** 26, "w64-d3-s0": 2 ** 26, "w96-d3-s0": 2 ** 26 },
      "w128-d3-s0": 2 ** 25,
    });
    pl.readParquet(join(half, "qid.parquet")).writeParquet(join(folder, "qid.parquet"));
    // Only the last checkpoint is still to come, and the law has now seen this run.
    expect(writePredictions(unseen("w128-d3-s0"), folder)).toBe(12);
    const after = loadPredictions(folder);
    expect(after.height).toBe(60);
    expect(after.filter(pl.col("tokens_seen").eq(0)).toRecords()).toEqual(rows);
    expect(after.filter(pl.col("tokens_seen").eq(2 ** 25)).height).toBe(12);
  });

  it("needs three sizes", () => {
    const folder = suiteOf("two", { "w32-d3-s0": 2 ** 20, "w64-d3-s0": 2 ** 20 });
    expect(() => writePredictions(unseen("w96-d3-s0"), folder)).toThrow(
      "needs at least 3 that are measured: got 2",
    );
  });
});

/** What the predictors say of the measured rows, as tables: forests take minutes to grow, and figures read them. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { writeParquet } from "../parquet.ts";
import {
  type ColumnKinds,
  readColumns,
  suiteFolder,
  suiteFrame,
  type SuiteTable,
  type TableRow,
} from "../suite_tables.ts";
import { featureSets } from "./features.ts";
import { type HeldOut, type HeldOutRow, predictHeldOut } from "./hold_out.ts";
import {
  type DependencePoint,
  type Importance,
  importances,
  partialDependence,
} from "./importance.ts";
import { featureForests, predictors } from "./predictors.ts";
import { type PredictorRow, predictorRows } from "./rows.ts";

const predictions = {
  file: "landscape_predictions.parquet",
  columns: {
    predictor: "text",
    held_out: "text",
    fold: "text",
    model: "text",
    revision: "text",
    method: "text",
    predicted: "number",
    provenance: "text",
  },
  order: ["predictor", "held_out", "model", "revision", "method"],
} as const satisfies SuiteTable<ColumnKinds>;

const importance = {
  file: "landscape_importance.parquet",
  columns: { name: "text", title: "text", kind: "text", rise: "number", standard_error: "number" },
  order: ["kind", "name"],
} as const satisfies SuiteTable<ColumnKinds>;

const dependence = {
  file: "landscape_dependence.parquet",
  columns: { feature: "text", title: "text", value: "number", qid: "number" },
  order: ["feature", "value"],
} as const satisfies SuiteTable<ColumnKinds>;

const made = "it is made by: deno task landscape --predict";

/**
 * Predicts every measured row of a folder from other sizes and from other stages, by all predictors, takes importance and
 * partial dependence of the forest of QiD with both papers' features, and writes the three tables. The same rows give
 * the same bytes.
 */
export function writePredictorTables(
  folder = suiteFolder,
  onStep: (what: string) => void = () => {},
): { predictions: number } {
  const rows = predictorRows({ folder });
  const all = [...new Set([...predictors, ...featureForests])];
  const found = (["size", "stage"] as const).flatMap((heldOut) =>
    all.flatMap((predictor) => {
      onStep(`${predictor.name}, ${heldOut} held out`);
      return predictHeldOut(predictor, rows, heldOut);
    })
  );
  const chosen = featureSets["both papers"];
  onStep("permutation importance");
  const ofFeatures = importances(rows, chosen);
  onStep("partial dependence");
  const points = partialDependence(rows, chosen);
  write(
    predictions,
    folder,
    found.map(({ predictor, heldOut, fold, row, predicted }) => ({
      ...{ predictor, held_out: heldOut, fold, predicted, provenance: "predicted" },
      ...{ model: row.model, revision: row.revision, method: row.method },
    })),
  );
  write(
    importance,
    folder,
    ofFeatures.map(({ standardError, ...rest }) => ({ ...rest, standard_error: standardError })),
  );
  write(dependence, folder, points.map((point) => ({ ...point })));
  return { predictions: found.length };
}

/**
 * The predictions of held-out rows, each with its row. Throws when they are not of the rows that are measured now.
 */
export function heldOutPredictions(heldOut: HeldOut, folder = suiteFolder): HeldOutRow[] {
  const rows = predictorRows({ folder });
  const keyOf = (
    { model, revision, method }: Pick<PredictorRow, "model" | "revision" | "method">,
  ) => [model, revision, method].join(" ");
  const byKey = new Map(rows.map((row) => [keyOf(row), row]));
  const found = read(predictions, folder).filter((row) => row.held_out === heldOut);
  const unknown = found.find((row) => !byKey.has(keyOf(row)));
  const forest = found.filter(({ predictor }) => predictor === predictors[0]!.name);
  if (unknown !== undefined || forest.length !== rows.length) {
    throw new Error(
      `Cannot use ${predictions.file}: it predicts ${forest.length} rows, and ${rows.length} are measured: ` +
        "predict again with: deno task landscape --predict",
    );
  }
  return found.map((row) => ({
    ...{ predictor: row.predictor, heldOut, fold: row.fold, predicted: row.predicted! },
    row: byKey.get(keyOf(row))!,
  }));
}

/** Permutation importance in the forest of QiD with both papers' features, sizes held out; largest first. */
export function importanceTable(folder = suiteFolder): Importance[] {
  return read(importance, folder).map(({ name, title, kind, rise, standard_error }) => ({
    ...{ name, title, kind: kind as Importance["kind"] },
    ...{ rise: rise!, standardError: standard_error! },
  })).sort((a, b) => b.rise - a.rise);
}

/** Partial dependence of that forest, by feature and value. */
export function dependenceTable(folder = suiteFolder): DependencePoint[] {
  return read(dependence, folder).map(({ feature, title, value, qid }) => ({
    ...{ feature, title, value: value!, qid: qid! },
  }));
}

function write<C extends ColumnKinds>(
  table: SuiteTable<C>,
  folder: string,
  rows: readonly TableRow<C>[],
): void {
  writeParquet(join(folder, table.file), suiteFrame(table, rows).sort([...table.order]));
}

function read<C extends ColumnKinds>(table: SuiteTable<C>, folder: string): TableRow<C>[] {
  const path = join(folder, table.file);
  if (!existsSync(path)) throw new Error(`Cannot read ${path}: ${made}`);
  return readColumns(path, table, made).toRecords() as unknown as TableRow<C>[];
}

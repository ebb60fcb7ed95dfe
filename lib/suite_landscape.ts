/** The tables of the second paper: losses in many formats, and the features of the landscape around each checkpoint. */
import { existsSync } from "node:fs";
import pl, { type DataFrame, type DataType } from "nodejs-polars";
import { landscapeFeatures, readColumns, suiteFolder } from "./suite_tables.ts";

type Frame = DataFrame<Record<string, DataType>>;

const made = "it is made by: deno task landscape";

/**
 * The rows of `landscape_features.parquet`: a checkpoint, feature, text and layer, with `value` and its standard errors
 * over directions and over sequences.
 */
export function loadLandscapeFeatures(folder = suiteFolder): Frame {
  return readColumns(`${folder}/${landscapeFeatures.file}`, landscapeFeatures, made);
}

/**
 * The rows of `landscape.parquet`: a checkpoint, method and text, with the columns of `deno task measure`. Rows that have an
 * error in place of a result are left out.
 */
export function loadLandscape(folder = suiteFolder): Frame {
  const path = `${folder}/landscape.parquet`;
  if (!existsSync(path)) throw new Error(`Cannot read ${path}: ${made}`);
  return pl.readParquet(path).filter(pl.col("error").isNull())
    .sort(["size", "model", "tokens", "method", "test_set"]) as Frame;
}

/** Parquet files of measured rows. */
import { renameSync, rmSync } from "node:fs";
import type { DataFrame } from "nodejs-polars";

/** Writes a frame as Parquet, whole or not at all. The same rows give the same bytes. */
export function writeParquet(path: string, frame: DataFrame): void {
  const partial = `${path}.${Deno.pid}.partial`;
  try {
    frame.writeParquet(partial, { compression: "zstd" });
    renameSync(partial, path);
  } finally {
    rmSync(partial, { force: true });
  }
}

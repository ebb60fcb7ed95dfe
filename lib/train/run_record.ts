/** run.json: what a run was started with, and whether it is finished. */
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { naming } from "./naming.ts";
import type { Run } from "./run.ts";

/** What run.json says. */
export interface RunRecord {
  readonly run: Run;
  /** SHA-256 of the text that is trained on. */
  readonly corpusSha256: string;
  /** The code that the run was started with; that of a checkpoint is in its file. */
  readonly codeVersion: string;
  /** What multiplied its matrices: "wasm" or "blas". */
  readonly backend: string;
  /** Non-embedding parameters. */
  readonly size: number;
  readonly finished: boolean;
}

/** The record of a run that goes on, or else `asked`; throws if it was started otherwise. */
export function openRecord(runFolder: string, asked: RunRecord): RunRecord {
  const started = readRecord(runFolder);
  if (!started) {
    writeRecord(runFolder, asked);
    return asked;
  }
  const [there, here] = [started, asked].map(({ run, corpusSha256 }) => ({ ...run, corpusSha256 }));
  for (const key of Object.keys({ ...there, ...here }) as (keyof typeof there)[]) {
    const [was, is] = [there, here].map((settings) => JSON.stringify(settings?.[key]));
    if (was !== is) {
      throw new Error(
        `Cannot go on with ${runFolder}: it was started with ${key} ${was}: got ${is}: ` +
          "delete it, or use another folder",
      );
    }
  }
  return started;
}

/** The record in a run's folder, if there is one. */
export function readRecord(runFolder: string): RunRecord | undefined {
  const path = join(runFolder, "run.json");
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) as RunRecord : undefined;
}

/** Writes the record, whole or not at all. */
export function writeRecord(runFolder: string, record: RunRecord): void {
  const path = join(runFolder, "run.json");
  naming(path, () => {
    writeFileSync(`${path}.partial`, `${JSON.stringify(record, null, 2)}\n`);
    renameSync(`${path}.partial`, path);
  });
}

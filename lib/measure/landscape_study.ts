/** Landscapes of many checkpoints, one part each, so that a stopped run goes on where it was. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import pl from "nodejs-polars";
import type { MatrixKernel } from "../compute/mod.ts";
import { writeParquet } from "../parquet.ts";
import { useKernel } from "../quantize/mod.ts";
import { landscapeFeatures, suiteFrame, type TableRow, writeSuiteRows } from "../suite_tables.ts";
import { type CheckpointEntry, withModel } from "./checkpoints.ts";
import { type LandscapeText, measureLandscape } from "./landscape.ts";
import { formatSqnrs } from "./landscape_formats.ts";
import { checkProtocol, type LandscapeProtocol } from "./landscape_options.ts";
import { readSequences, type TextSequences } from "./sequences.ts";

/** A row of `landscape_features.parquet`. */
export type LandscapeRow = TableRow<typeof landscapeFeatures.columns>;

/** What landscapes are measured of. */
export interface LandscapeStudy {
  /** Folder of the parts: one Parquet file a checkpoint. */
  readonly parts: string;
  readonly checkpoints: readonly CheckpointEntry[];
  readonly texts: readonly Pick<TextSequences, "name" | "file" | "length">[];
  readonly protocol: LandscapeProtocol;
}

/** How a study of landscapes is run. */
export interface RunLandscapesOptions {
  readonly kernel: MatrixKernel;
  readonly codeVersion: string;
  /** Stops between two checkpoints. */
  readonly signal?: AbortSignal;
  /** Told before each checkpoint that is measured. */
  readonly onCheckpoint?: (entry: CheckpointEntry, done: number) => void;
}

interface PlannedPart {
  readonly entry: CheckpointEntry;
  readonly path: string;
}

/** The checkpoints of a study, those whose part is written and those that are open. */
export function landscapeState(
  study: LandscapeStudy,
): { done: PlannedPart[]; open: PlannedPart[] } {
  checkProtocol(study.protocol);
  const texts = textsOf(study).map(({ name, hashes }) => [name, ...hashes]);
  const parts = study.checkpoints.map((entry): PlannedPart => {
    if (entry.error !== null) throw new Error(entry.error);
    const { model, revision, weights_sha256 } = entry;
    const id = createHash("sha256")
      .update(JSON.stringify([model, revision, weights_sha256, study.protocol, texts]))
      .digest("hex").slice(0, 24);
    return { entry, path: join(study.parts, `${id}.parquet`) };
  });
  const groups = Object.groupBy(parts, ({ path }) => existsSync(path) ? "done" : "open");
  return { done: groups.done ?? [], open: groups.open ?? [] };
}

/**
 * Measures the landscapes that are open, and returns how many still are: 0 unless it was stopped. Throws when a
 * checkpoint or text cannot be read.
 */
export async function runLandscapes(
  study: LandscapeStudy,
  { kernel, codeVersion, signal, onCheckpoint }: RunLandscapesOptions,
): Promise<number> {
  const { done, open } = landscapeState(study);
  mkdirSync(study.parts, { recursive: true });
  const texts = textsOf(study);
  for (const [index, { entry, path }] of open.entries()) {
    await new Promise((resolve) => setTimeout(resolve));
    if (signal?.aborted) return open.length - index;
    onCheckpoint?.(entry, done.length + index);
    const rows = await withModel(entry.folder!, async (model) => {
      const { protocol } = study;
      // Everything that a model allocates ends with it.
      useKernel(kernel);
      const features = await measureLandscape(model, { kernel, texts, protocol });
      const sqnrs = await formatSqnrs(model);
      return [
        ...features.map((feature) => ({ ...feature, format: "", weights: null, energy: null })),
        ...sqnrs.map(({ sqnr, ...rest }) => ({
          ...{ ...rest, feature: "sqnr", value: sqnr, test_set: "", noise_db: null },
          ...{ direction_se: 0, sequence_se: null, directions: 0, sequences: 0 },
        })),
      ].map((row): LandscapeRow => ({
        ...row,
        model: entry.model,
        size: entry.size,
        tokens: entry.tokens,
        revision: entry.revision,
        weights_sha256: entry.weights_sha256!,
        protocol: JSON.stringify(protocol),
        code_version: codeVersion,
        provenance: "measured",
      }));
    });
    writeParquet(path, suiteFrame(landscapeFeatures, rows));
  }
  return 0;
}

/**
 * Gathers the parts that are there into `landscape_features.parquet` in a folder, and returns the number of their rows.
 * Rows of other checkpoints stay.
 */
export function gatherLandscapes(study: LandscapeStudy, folder: string): number {
  const { done } = landscapeState(study);
  const rows = done.flatMap(({ path }) =>
    pl.readParquet(path).toRecords() as unknown as LandscapeRow[]
  );
  writeSuiteRows(landscapeFeatures, rows, folder);
  return rows.length;
}

function textsOf({ texts, protocol }: LandscapeStudy): (LandscapeText & { hashes: string[] })[] {
  return texts.map((text) => {
    const profile = readSequences({ ...text, sequences: protocol.profileSequences });
    const curvature = readSequences({ ...text, sequences: protocol.curvatureSequences });
    return { name: text.name, profile, curvature, hashes: [profile.sha256, curvature.sha256] };
  });
}

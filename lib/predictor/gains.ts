/** What GPTQ gains over rounding to nearest in the same format. */
import { type PredictorRow, predictorRows } from "./rows.ts";

/** Both algorithms for one checkpoint and format. */
export interface GptqGain {
  readonly rtn: PredictorRow;
  readonly gptq: PredictorRow;
  /** QiD that GPTQ takes away, nats per token. */
  readonly gain: number;
  /** The same as a share of the QiD of rounding to nearest. */
  readonly share: number;
}

/**
 * Pairs the rows of both algorithms, by checkpoint and format. Pairs in which rounding costs less than twice its standard
 * error are left out: a share of nothing is noise.
 */
export function gptqGains(rows: readonly PredictorRow[] = predictorRows()): GptqGain[] {
  const key = (row: PredictorRow) => [row.model, row.revision, row.format].join(" ");
  const gptqs = new Map(
    rows.filter(({ algorithm }) => algorithm === "gptq").map((row) => [key(row), row]),
  );
  return rows.filter(({ algorithm }) => algorithm === "rtn").flatMap((rtn) => {
    const gptq = gptqs.get(key(rtn));
    if (gptq === undefined || rtn.qid < 2 * rtn.qidError) return [];
    const gain = rtn.qid - gptq.qid;
    return [{ rtn, gptq, gain, share: gain / rtn.qid }];
  });
}

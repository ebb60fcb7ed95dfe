/** Public measurements of quantized models as rows that laws can be fitted to. */
import pl, { type DataFrame } from "nodejs-polars";
import { LawError } from "./law.ts";

/** One quantized model: the mean of its measurements over tables. */
export interface PublicPoint {
  readonly family: string;
  readonly model: string;
  readonly training: string;
  /** Non-embedding parameters; those of the name where `size_known` is "nominal". */
  readonly size: number;
  readonly size_known: string;
  readonly tokens: number;
  readonly method: string;
  readonly setting: string;
  readonly bits: number;
  /** Weights that share a scale; 0 for one scale a row. */
  readonly group_size: number;
  /** Bits per weight with scales and zero points; NaN where not known. */
  readonly effective_bits: number;
  readonly test: string;
  /** Geometric mean of the QiD in the tables, in nats per token. */
  readonly qid: number;
  /** "confirmed", or how the rows are known where no table of theirs could be confirmed. */
  readonly confirmed: string;
  /** The tables, sorted and joined by a space. */
  readonly tables: string;
}

/** Which measurements to take; all that are left out. */
export interface PublicChoice {
  readonly methods?: readonly string[];
  /** Weights that share a scale; 0 for one scale a row (per channel). */
  readonly groupSize?: number;
  /** The bit widths. Default: 2, 3 and 4, those of the paper. */
  readonly bits?: readonly number[];
  /** Default: WikiText-2. */
  readonly test?: string;
  /** Default: base models only. */
  readonly training?: "base" | "post-trained" | "both";
  /** Windows of 2,048 tokens (default), or those of llama.cpp. */
  readonly protocol?: "windows" | "llama.cpp";
  /** The largest QiD: beyond it a model has collapsed. Default: 3 nats per token. */
  readonly most?: number;
}

/** Tables left out: early code, whose author replaced its numbers later. */
const superseded = ["gptq-for-llama-early"];

/**
 * Points of `loadPublic()` that meet a choice: rows not marked as suspect, of models whose training
 * tokens are stated, with a QiD above twice what the printed digits can hide. A model measured alike in
 * several tables is one point; tables that could be confirmed go before those that could not.
 */
export function publicPoints(frame: DataFrame, choice: PublicChoice = {}): PublicPoint[] {
  const { methods, groupSize, bits = [2, 3, 4], test = "wikitext2", training = "base" } = choice;
  const { protocol = "windows", most = 3 } = choice;
  const kept = (frame.toRecords() as unknown as PublicRow[]).filter((row) =>
    row.mark === "none" && row.tokens !== null && row.test === test && row.protocol === protocol &&
    !superseded.includes(row.table) && bits.includes(row.bits) && row.qid > 2 * row.rounding &&
    (training === "both" || row.training === training) &&
    (methods === undefined || methods.includes(row.method)) &&
    (groupSize === undefined || (row.group_size ?? 0) === groupSize)
  );
  const alike = new Map<string, typeof kept>();
  for (const row of kept) {
    const key = [
      row.model,
      row.method,
      row.setting === "act-order" ? "none" : row.setting,
      row.bits,
    ];
    const name = JSON.stringify([...key, row.group_size]);
    alike.set(name, [...alike.get(name) ?? [], row]);
  }
  return [...alike.values()].map((rows) => {
    const sure = rows.filter((row) => row.confirmed === "confirmed");
    const taken = sure.length > 0 ? sure : rows;
    const first = taken[0]!;
    const mean = taken.reduce((sum, row) => sum + Math.log(row.qid), 0) / taken.length;
    return {
      ...shared(first),
      setting: first.setting === "act-order" ? "none" : first.setting,
      group_size: first.group_size ?? 0,
      effective_bits: first.effective_bits ?? NaN,
      qid: Math.exp(mean),
      tables: [...new Set(taken.map((row) => row.table))].sort().join(" "),
    };
  }).filter(({ qid }) => qid <= most);
}

/** The points as a frame for `fit`, `compare` and `bootstrap`; an error where there is none. */
export function publicFrame(points: readonly PublicPoint[]): DataFrame {
  if (points.length === 0) {
    throw new LawError("Cannot make a frame of public points: needs at least 1: got 0");
  }
  return pl.DataFrame(
    Object.keys(points[0]!).map((name) => {
      const values = points.map((point) => point[name as keyof PublicPoint]);
      return pl.Series(name, values, typeof values[0] === "string" ? pl.String : pl.Float64);
    }),
  );
}

/** A row of `loadPublic()`, as far as it is read here. */
interface PublicRow extends Omit<PublicPoint, "group_size" | "effective_bits" | "tables"> {
  readonly table: string;
  readonly group_size: number | null;
  readonly effective_bits: number | null;
  readonly protocol: string;
  readonly rounding: number;
  readonly mark: string;
}

/** What all rows of a point share. */
function shared(row: PublicRow) {
  const { family, model, training, size, size_known, tokens, method, bits, test, confirmed } = row;
  return { family, model, training, size, size_known, tokens, method, bits, test, confirmed };
}

/** The measurements of the miniature suite as its figures need them. */
import type { SymbolType } from "@observablehq/plot";
import type { DataFrame } from "nodejs-polars";
import { loadSuiteQid } from "../../suite_tables.ts";
import type { LegendEntry } from "../legend.ts";
import type { Axis } from "../panel.ts";
import { distinct } from "../pythia.ts";
import { rowsOf } from "../rows.ts";
import { sizeSymbols } from "../style.ts";

/** A checkpoint quantized by a method. Losses in nats per byte. */
export interface SuiteRow {
  /** Name of the run. */
  model: string;
  /** Its size as figures write it: "595k". */
  label: string;
  size: number;
  tokens: number;
  bits: number;
  method_name: string;
  loss16: number;
  loss_quantized: number;
  qid: number;
  qid_se: number;
}

/** The rows of a frame of `loadSuiteQid`, by size, bits and tokens. */
export function suiteRows(frame: DataFrame = loadSuiteQid()): SuiteRow[] {
  return rowsOf(
    frame.sort(["size", "model", "bits", "tokens"]),
    ["size", "tokens", "bits", "loss16", "loss_quantized", "qid", "qid_se"],
    ["model", "method_name"],
  ).map((row) => ({ ...row, label: suiteLabel(row.size) }));
}

/** N as figures of the suite write it: two digits above a million, whole thousands below. */
export function suiteLabel(size: number): string {
  return size < 1e6 ? `${Math.round(size / 1e3)}k` : `${(size / 1e6).toPrecision(2)}M`;
}

/** A number of bytes in units of 2^20: "16M". */
export function megabytes(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)}M`;
}

/** The suite's sizes have marks of their own, from the smallest to the largest. */
const symbolOrder = ["160M", "410M", "1B", "1.4B", "6.9B", "12B"] as const;

/** The mark of each size among the rows, by its label. */
export function suiteSymbols(
  rows: readonly Pick<SuiteRow, "label" | "size">[],
): (label: string) => SymbolType {
  const sizes = distinct([...rows].sort((a, b) => a.size - b.size), "label");
  return (label) => sizeSymbols[symbolOrder[sizes.indexOf(label) % symbolOrder.length]!]!;
}

/** Legend entries of the sizes among the rows. */
export function suiteLegend(
  rows: readonly Pick<SuiteRow, "label" | "size">[],
): LegendEntry[] {
  const symbol = suiteSymbols(rows);
  return distinct([...rows].sort((a, b) => a.size - b.size), "label").map((label) => ({
    label,
    point: { provenance: "measured", symbol: symbol(label) },
  }));
}

/** Training bytes that figures of the suite span. */
export const bytesDomain: readonly [number, number] = [4.2e5, 8.4e7];

/** Training bytes of the suite on a log axis. */
export function bytesAxis(options: Partial<Axis> = {}): Axis {
  return {
    label: "Training data *D* (bytes)",
    domain: bytesDomain,
    ticks: [1e6, 1e7],
    log: true,
    format: (tick) => `${tick / 1e6}M`,
    ...options,
  };
}

/** QiD of the suite. */
export function suiteQidAxis(options: Partial<Axis> & Pick<Axis, "domain" | "ticks">): Axis {
  return { label: "QiD (nats per byte)", ...options };
}

/** The methods that quantize to 4 bits, by their names in the table. */
export const fourBitMethods: readonly string[] = [
  "gptq",
  "awq",
  "hqq",
  "rtn",
  "nf4",
  "fp4",
  "mxint4",
  "mxfp4",
];

/** What every caption of a measured figure says first. */
export const suiteSource = "**Measured** on the miniature suite: GPT-NeoX models of depth 3 that " +
  "read English by the byte, quantized by GPTQ as in the paper but in groups of 32, loss on held-out " +
  "text of the same kind.";

/** The axis of QiD in figures over bytes or size; smaller values are within their standard error, and left out. */
export const logQid = { domain: [5e-4, 2], ticks: [1e-3, 1e-2, 1e-1, 1], log: true } as const;

/** Whether a row can be drawn on that axis. */
export function isDrawn({ qid }: SuiteRow): boolean {
  return qid > logQid.domain[0];
}

/** A sentence on the sizes that stop before the others, if there are any. */
export function stopsEarly(rows: readonly SuiteRow[]): string {
  const last = (label: string) =>
    Math.max(...rows.filter((row) => row.label === label).map(({ tokens }) => tokens));
  const end = Math.max(...rows.map(({ tokens }) => tokens));
  const early = distinct(rows, "label").filter((label) => last(label) < 0.99 * end);
  if (early.length === 0) return "";
  return ` ${early.join(" and ")} ${early.length > 1 ? "stop" : "stops"} at ${
    Math.round(last(early[0]!) / 1e6)
  }M bytes.`;
}

/** Ticks of an axis of sizes. */
export function sizeTicks([low, high]: readonly [number, number]): number[] {
  return [3e4, 1e5, 3e5, 1e6, 3e6].filter((tick) => tick >= low && tick <= high);
}

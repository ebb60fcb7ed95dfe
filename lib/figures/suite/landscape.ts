/** What the figures of the second paper share: rows with labels, colours by element bits, marks by kind of format. */
import type { SymbolType } from "@observablehq/plot";
import { type PredictorRow, predictorRows } from "../../predictor/mod.ts";
import type { LegendEntry } from "../legend.ts";
import { bitColour, sizeSymbols } from "../style.ts";
import { suiteLabel } from "./series.ts";

/** A row with its size as figures write it. */
export type LandscapeFigureRow = PredictorRow & { readonly label: string };

/** Options of a figure of measured losses. */
export interface LandscapeFigureOptions {
  /** Rows of `predictorRows()`; those on the in-domain text if left out. */
  readonly rows?: readonly PredictorRow[];
}

/** The rows of a figure. */
export function figureRows({ rows }: LandscapeFigureOptions): LandscapeFigureRow[] {
  return (rows ?? predictorRows()).map((row) => ({ ...row, label: suiteLabel(row.size) }));
}

/** The rows of each size's last checkpoint. */
export function lastRows<R extends { size: number; tokens: number }>(rows: readonly R[]): R[] {
  const last = new Map<number, number>();
  for (const { size, tokens } of rows) last.set(size, Math.max(tokens, last.get(size) ?? 0));
  return rows.filter(({ size, tokens }) => tokens === last.get(size));
}

/**
 * The rows at the last token count that every size has, so that sizes are compared after equal training. Throws when there
 * is none.
 */
export function sharedRows<R extends { size: number; tokens: number }>(rows: readonly R[]): R[] {
  const shared = [...Map.groupBy(rows, ({ size }) => size).values()]
    .map((own) => new Set(own.map(({ tokens }) => tokens)))
    .reduce((a, b) => a.intersection(b));
  if (shared.size === 0) {
    throw new RangeError(
      "Cannot compare sizes: needs a token count that all of them have: got none",
    );
  }
  const last = Math.max(...shared);
  return rows.filter(({ tokens }) => tokens === last);
}

/** The colour of an element's bits: 6 and 8 share one. */
export function elementColour(bits: number): string {
  return bitColour(bits > 4 ? 8 : bits);
}

/** Kinds of formats, with their marks. */
export const formatKinds = ["MXINT", "MXFP", "INT", "NF4"] as const;

/** The kind of a row's format. */
export function kindOf({ title }: Pick<PredictorRow, "title">): typeof formatKinds[number] {
  return formatKinds.find((kind) => title.startsWith(kind))!;
}

/** The mark of a kind of format. */
export function kindSymbol(kind: typeof formatKinds[number]): SymbolType {
  const names = { MXINT: "12B", MXFP: "6.9B", INT: "160M", NF4: "1B" } as const;
  return sizeSymbols[names[kind]]!;
}

/** Legend entries of element bits. */
export const bitsLegend: readonly LegendEntry[] = [2, 3, 4, 8].map((bits) => ({
  label: bits === 8 ? "6 and 8 bits" : `${bits} bits`,
  point: { provenance: "measured", colour: elementColour(bits) },
}));

/** Legend entries of kinds of formats. */
export const kindLegend: readonly LegendEntry[] = formatKinds.map((kind) => ({
  label: kind,
  point: { provenance: "measured", symbol: kindSymbol(kind) },
}));

/** What every caption says first. */
export const landscapeSource = "**Measured** on the kept checkpoints of the miniature suite, " +
  "by rounding to nearest (RTN) and by GPTQ in 21 formats, loss on held-out text of the same kind.";

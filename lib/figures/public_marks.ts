/** Public measurements in figures: a mark for each family, paler where a row could not be confirmed. */
import * as Plot from "@observablehq/plot";
import type { LegendEntry } from "./legend.ts";
import { points, type XY } from "./marks.ts";
import { ink } from "./style.ts";

/** What a public point must tell to be drawn. */
export interface PublicMark extends XY {
  readonly family: string;
  /** "confirmed", or how the row is known. */
  readonly confirmed: string;
  readonly colour?: string;
}

/** Marks by family, the same in every figure. */
export const familySymbols: Readonly<Record<string, Plot.SymbolType>> = {
  OPT: "square",
  BLOOM: "triangle",
  Pythia: "wye",
  LLaMA: "circle",
  "Llama-2": "diamond",
  "Llama-3": "star",
  Qwen3: "hexagon",
};

/** Open marks with a dot inside; without the dot and pale where the row could not be confirmed. */
export function publicMarks(rows: readonly PublicMark[], radius = 4): Plot.Markish[] {
  return rows.flatMap(({ x, y, family, confirmed, colour = ink }) => {
    const symbol = familySymbols[family];
    if (symbol === undefined) {
      throw new RangeError(
        `Cannot find the mark of family ${family}: add it to lib/figures/public_marks.ts, or use one of ${
          Object.keys(familySymbols).join(", ")
        }`,
      );
    }
    if (confirmed === "confirmed") {
      return points([{ x, y }], { provenance: "published", colour, symbol, radius });
    }
    const pale = { symbol, r: radius, stroke: colour, strokeWidth: 1, strokeOpacity: 0.45 };
    return [Plot.dot([{ x, y }], { x: "x", y: "y", fill: "none", ...pale })];
  });
}

/** Legend entries of the families among some rows, in the order of `familySymbols`. */
export function familyLegend(rows: readonly { family: string }[]): LegendEntry[] {
  return Object.entries(familySymbols)
    .filter(([family]) => rows.some((row) => row.family === family))
    .map(([label, symbol]) => ({ label, point: { provenance: "published", symbol } }));
}

/** The sentence that every caption with such marks needs. */
export const confirmedNote =
  "Marks with a dot: rows confirmed at their source; pale marks without one: rows known from a copy " +
  "only, or not reached.";

/** Table 1 of Ouyang et al. (2024) for the miniature suite: bytes that reach a QiD, measured and by law. */
import type { SymbolType } from "@observablehq/plot";
import pl, { type DataFrame } from "nodejs-polars";
import { fit, tokensFor } from "../../laws/mod.ts";
import { loadSuiteQid } from "../../suite_tables.ts";
import { sizeAxis } from "../axes.ts";
import { type Figure, figure } from "../layout.ts";
import { labels, logCurve, points } from "../marks.ts";
import type { Panel } from "../panel.ts";
import { distinct } from "../pythia.ts";
import { bitColour, fontSizes, lawDashes, rule } from "../style.ts";
import { tokensReaching } from "./crossing.ts";
import { bytesAxis, sizeTicks, suiteRows, suiteSource } from "./series.ts";

/** Options of {@link suiteTable1}. */
export interface SuiteTable1Options {
  /** Rows of `loadSuiteQid()`; these if left out. */
  frame?: DataFrame;
}

/** Degradations of the table, nats per byte. */
export const suiteTargets = [0.01, 0.03, 0.1, 0.3] as const;

const targetSymbols: Readonly<Record<number, SymbolType>> = {
  0.01: "circle",
  0.03: "square",
  0.1: "diamond",
  0.3: "triangle",
};

/** A cell: the bytes at which a size reaches a QiD. */
export interface SuiteCell {
  bits: number;
  qid: number;
  size: number;
  label: string;
  /** Where the run got there; null where it did not, or was there at its first checkpoint. */
  measured: number | null;
  /** By the law of the bit width alone, fitted to all sizes. */
  predicted: number;
}

/** The cells of the table for all sizes, bit widths and targets. */
export function suiteCells(frame: DataFrame = loadSuiteQid()): SuiteCell[] {
  const rows = suiteRows(frame);
  return [2, 3, 4].flatMap((bits) => {
    const law = fit("size-token", frame.filter(pl.col("bits").eq(bits)));
    return suiteTargets.flatMap((qid) =>
      distinct(rows, "size").map((size) => {
        const curve = rows.filter((row) => row.bits === bits && row.size === size);
        const measured = tokensReaching(curve, qid) ?? null;
        const predicted = tokensFor(law.law, law.parameters, { size, qid });
        return { bits, qid, size, label: curve[0]!.label, measured, predicted };
      })
    );
  });
}

/** Draws the bytes at which each size reaches four degradations. */
export function suiteTable1(options: SuiteTable1Options = {}): Figure {
  const frame: DataFrame = options.frame ?? loadSuiteQid();
  const cells = suiteCells(frame);
  const unified = fit("unified", frame);
  const sizes = distinct(cells, "size");
  const domain: [number, number] = [sizes[0]! / 1.4, sizes.at(-1)! * 1.4];
  const trained = Math.max(...suiteRows(frame).map(({ tokens }) => tokens));
  const tokens: [number, number] = [2e5, 2e9];
  const panel = (bits: number): Panel => {
    const law = fit("size-token", frame.filter(pl.col("bits").eq(bits)));
    const colour = bitColour(bits);
    return {
      heading: `${bits} bits`,
      x: sizeAxis({
        label: "Model size *N* (parameters)",
        domain,
        ticks: sizeTicks(domain),
      }),
      y: bytesAxis({
        domain: tokens,
        ticks: [1e6, 1e7, 1e8, 1e9],
        label: bits === 2 ? "Training data *D* (bytes)" : "",
        format: (tick) => tick < 1e9 ? `${tick / 1e6}M` : "1B",
      }),
      left: bits === 2 ? 58 : 46,
      right: 34,
      marks: (frame) => {
        const at = (qid: number) => tokensFor(law.law, law.parameters, { size: domain[1], qid });
        const shown = suiteTargets.filter((qid) => at(qid) < tokens[1] && at(qid) > tokens[0]);
        const places = frame.spread(shown.map(at), 13);
        return [
          logCurve(domain, () => trained, { colour: rule, width: 1 }),
          ...suiteTargets.flatMap((qid) => [
            logCurve(domain, (size) => tokensFor(law.law, law.parameters, { size, qid }), {
              colour,
            }),
            logCurve(
              domain,
              (size) => tokensFor(unified.law, unified.parameters, { size, qid, bits }),
              {
                dash: lawDashes.published,
                width: 0.8,
              },
            ),
          ]),
          ...cells.filter((cell) => cell.bits === bits && cell.measured !== null).flatMap((cell) =>
            points([{ x: cell.size, y: cell.measured! }], {
              provenance: "measured",
              colour,
              symbol: targetSymbols[cell.qid],
            })
          ),
          labels(shown.map((qid, i) => ({ x: domain[1], y: places[i]!, text: String(qid) })), {
            dx: 4,
            size: fontSizes.tick,
            colour,
          }),
        ];
      },
    };
  };
  return figure({
    name: "suite-table-1",
    title: "The bytes at which each size reaches a QiD: Table 1 for the miniature suite",
    caption:
      `**After Table 1 of Ouyang et al. (2024).** ${suiteSource} Marks: where a run reached a QiD of ` +
      `${
        suiteTargets.join(", ")
      } nats per byte (numbers at the right), on the line between the two checkpoints around it. Lines are ` +
      "**predicted**: solid, by the law of the bit width fitted to all sizes; dashed, by the unified law. Above the grey " +
      "line no run has been trained.",
    legend: [
      ...suiteTargets.map((qid) => ({
        label: `QiD ${qid}, measured`,
        point: { provenance: "measured", symbol: targetSymbols[qid] } as const,
      })),
      { label: "predicted: law of the bit width", line: {} },
      { label: "predicted: unified law", line: { dash: lawDashes.published, width: 0.8 } },
      { label: "end of training", line: { colour: rule, width: 1 } },
    ],
    rows: [{ height: 340, panels: [2, 3, 4].map(panel) }],
  });
}

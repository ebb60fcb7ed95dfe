/** Table 1 of Ouyang et al. (2024) as a figure: tokens that reach a QiD, and what two laws make of it. */
import * as Plot from "@observablehq/plot";
import type { DataFrame } from "nodejs-polars";
import { loadTable1 } from "../data.ts";
import { type FittedLaw, predict, published, tokensFor } from "../laws/mod.ts";
import { sizeAxis, tokensAxis } from "./axes.ts";
import { type Figure, figure } from "./layout.ts";
import { curve, labels, logCurve, points } from "./marks.ts";
import type { Panel } from "./panel.ts";
import { rowsOf } from "./rows.ts";
import { bitColour, fontSizes, lawDashes, rule, sizeLabel } from "./style.ts";

/** Options of {@link table1}. */
export interface Table1Options {
  /** The cells: columns size, bits, qid, tokens; `loadTable1()` if left out. */
  cells?: DataFrame;
  /** The law per bit width; the one that follows from the published cells if left out. */
  perBitWidth?: FittedLaw;
  /** The law over all bit widths; the published unified law if left out. */
  unified?: FittedLaw;
}

/** Equally many decades, so that slopes can be compared. */
const tokenDomains: Record<number, [number, number]> = {
  2: [6e8, 2.4e11],
  3: [6e10, 2.4e13],
  4: [8e11, 3.2e14],
};

/** Draws Table 1: the published cells over both laws, and the laws' relative errors below. */
export function table1(options: Table1Options = {}): Figure {
  const laws = [
    {
      law: options.perBitWidth ??
        { law: "per-bit-width", parameters: published["per-bit-width"] },
      dash: lawDashes.fitted,
    },
    {
      law: options.unified ?? { law: "unified", parameters: published.unified },
      dash: lawDashes.published,
    },
  ];
  const cells = rowsOf((options.cells ?? loadTable1()).sort(["bits", "size", "qid"]), [
    "size",
    "bits",
    "qid",
    "tokens",
  ]);
  const levels = [...new Set(cells.map(({ qid }) => qid))].sort((a, b) => a - b);
  const sizes = [...new Set(cells.map(({ size }) => size))];
  const x = sizeAxis({
    label: "Model size *N* (parameters)",
    domain: [7e8, 6e11],
    ticks: [1e9, 7e9, 7e10, 4.05e11],
  });
  const tokensPanel = (bits: number): Panel => ({
    heading: `${bits} bits`,
    x,
    y: tokensAxis({
      label: bits === 2 ? "Data *D* that reach the QiD (tokens)" : "",
      domain: tokenDomains[bits]!,
      ticks: [1e9, 1e10, 1e11, 1e12, 1e13, 1e14].filter((tick) =>
        tick > tokenDomains[bits]![0] && tick < tokenDomains[bits]![1]
      ),
    }),
    left: bits === 2 ? 58 : 42,
    right: 30,
    marks: (frame) => {
      const ends = levels.map((qid) =>
        tokensFor(laws[0]!.law.law, laws[0]!.law.parameters, { qid, size: x.domain[1], bits })
      );
      const places = frame.spread(ends, 13);
      return [
        ...laws.flatMap(({ law, dash }) =>
          levels.map((qid) =>
            logCurve(x.domain, (size) => tokensFor(law.law, law.parameters, { qid, size, bits }), {
              colour: bitColour(bits),
              dash,
              width: 1.2,
            })
          )
        ),
        ...sizes.flatMap((size) =>
          points(
            cells.filter((cell) => cell.bits === bits && cell.size === size)
              .map(({ tokens }) => ({ x: size, y: tokens })),
            {
              provenance: "published",
              colour: bitColour(bits),
              size: sizeLabel(size),
            },
          )
        ),
        labels(
          levels.map((qid, i) => ({ x: x.domain[1], y: places[i]!, text: String(qid) })),
          { dx: 6, size: fontSizes.tick, colour: bitColour(bits) },
        ),
      ];
    },
  });
  const errorOf = (law: FittedLaw, cell: typeof cells[0]) =>
    100 * (predict(law.law, law.parameters, cell) / cell.qid - 1);
  const errors = laws.flatMap(({ law }) => cells.map((cell) => errorOf(law, cell)));
  const errorPanel = (bits: number): Panel => ({
    x,
    y: {
      label: bits === 2 ? "Error of the law’s QiD (%)" : "",
      domain: [Math.min(-30, ...errors) - 2, Math.max(60, ...errors) + 6],
      ticks: [-20, 0, 20, 40, 60],
      format: (tick) => `${tick > 0 ? "+" : ""}${tick}`.replace("-", "−"),
    },
    left: bits === 2 ? 58 : 42,
    right: 30,
    marks: () => {
      const own = cells.filter((cell) => cell.bits === bits);
      const worst = own.map((cell) => ({ cell, error: errorOf(laws[1]!.law, cell) }))
        .reduce((a, b) => Math.abs(b.error) > Math.abs(a.error) ? b : a);
      return [
        Plot.ruleY([0], { stroke: rule }),
        ...laws.flatMap(({ law, dash }) =>
          levels.map((qid) =>
            curve(
              own.filter((cell) => cell.qid === qid)
                .map((cell) => ({ x: cell.size, y: errorOf(law, cell) })),
              { colour: bitColour(bits), dash, width: 1.2 },
            )
          )
        ),
        labels([{
          x: worst.cell.size,
          y: worst.error,
          text: `${worst.error > 0 ? "+" : "−"}${Math.abs(worst.error).toFixed(0)} %`,
        }], {
          dx: 6,
          dy: bits === 2 ? 12 : -4,
          size: fontSizes.tick,
          colour: bitColour(bits),
          bold: true,
        }),
      ];
    },
  });
  return figure({
    name: "table-1",
    title: "Table 1 follows from one law per bit width, not from the unified law",
    caption:
      "**Table 1 of Ouyang et al. (2024) as a figure.** Above: training tokens at which QiD " +
      "reaches 0.2, 0.3, 0.4 and 0.5 nats per token (numbers at the right); marks are the 48 **published** cells. Lines are " +
      "**predicted**: solid, one law QiD = *k*_{P} *D*^{β} / *N*^{α} per bit width; dashed, the " +
      "published unified law (Eq. 8). Below: relative error of the QiD that each law gives at the " +
      "tokens of a cell, one line for each QiD (0.2 on top), with the largest error of the unified " +
      "law in numbers.",
    legend: [
      ...sizes.map((size) => ({
        label: sizeLabel(size),
        point: { provenance: "published", size: sizeLabel(size) } as const,
      })),
      { label: "marks: published" },
      { label: "predicted, law per bit width", line: { dash: lawDashes.fitted, width: 1.2 } },
      { label: "predicted, unified law", line: { dash: lawDashes.published, width: 1.2 } },
    ],
    rows: [
      { height: 340, panels: [2, 3, 4].map(tokensPanel) },
      { height: 214, panels: [2, 3, 4].map(errorPanel) },
    ],
  });
}

/** Figure 6 of Ouyang et al. (2024) from the miniature suite: one unified law (Eq. 8), or one law for each bit width. */
import * as Plot from "@observablehq/plot";
import type { DataFrame } from "nodejs-polars";
import { type Fit, fit, predict } from "../../laws/mod.ts";
import { loadSuiteQid } from "../../suite_tables.ts";
import { type Figure, figure } from "../layout.ts";
import { curve, type CurveLook, logCurve, points } from "../marks.ts";
import type { Panel } from "../panel.ts";
import { distinct, plusMinus } from "../pythia.ts";
import { bitColour, rule } from "../style.ts";
import { curvesPanel } from "./curves_panel.ts";
import {
  bytesAxis,
  bytesDomain,
  isDrawn,
  suiteLegend,
  suiteRows,
  suiteSource,
  suiteSymbols,
} from "./series.ts";

/** Options of {@link suiteFigure6}. */
export interface SuiteFigure6Options {
  /** Rows of `loadSuiteQid()`; these if left out. */
  frame?: DataFrame;
  /** Fits of the unified and of the per-bit-width law to the frame; made here if left out. */
  unified?: Fit;
  perBitWidth?: Fit;
}

/** Draws both laws over the measured points, and what each predicts over what was measured. */
export function suiteFigure6(options: SuiteFigure6Options = {}): Figure {
  const frame: DataFrame = options.frame ?? loadSuiteQid();
  const unified = options.unified ?? fit("unified", frame);
  const perBitWidth = options.perBitWidth ?? fit("per-bit-width", frame);
  const rows = suiteRows(frame);
  const symbol = suiteSymbols(rows);
  const sizes = distinct(rows, "label");
  const curves = (bits: number) =>
    curvesPanel(rows, bits, (size) => {
      const over = (law: Fit, look: CurveLook) =>
        logCurve(
          bytesDomain,
          (tokens) => predict(law.law, law.parameters, { size, tokens, bits }),
          look,
        );
      return [
        over(unified, { colour: rule, width: 1.2 }),
        over(perBitWidth, { colour: bitColour(bits), dash: "2 3" }),
      ];
    });
  const ratios = (bits: number): Panel => ({
    heading: `Unified / measured, ${bits} bits`,
    x: bytesAxis(),
    y: {
      label: bits === 2 ? "Ratio (dimensionless)" : "",
      domain: [0.1, 10],
      log: true,
      ticks: [0.1, 0.3, 1, 3, 10],
    },
    left: bits === 2 ? 52 : 40,
    right: 36,
    marks: () => [
      Plot.ruleY([1], { stroke: rule }),
      ...sizes.flatMap((label) => {
        const at = rows.filter((row) => row.label === label && row.bits === bits && isDrawn(row))
          .map((row) => ({
            x: row.tokens,
            y: predict(unified.law, unified.parameters, row) / row.qid,
          }))
          .filter(({ y }) => y > 0.1 && y < 10);
        return [
          curve(at, { colour: bitColour(bits), width: 0.8 }),
          ...points(at, {
            provenance: "measured",
            colour: bitColour(bits),
            symbol: symbol(label),
            radius: 2.8,
          }),
        ];
      }),
    ],
  });
  const estimates = [
    { name: "tokenExponent", symbol: "β", digits: 3 },
    { name: "sizeExponent", symbol: "α", digits: 3 },
    { name: "bitExponent", symbol: "γ", digits: 2 },
  ].map((parameter) => plusMinus(unified, parameter)).join(", ");
  return figure({
    name: "suite-figure-6",
    title: "One law for size, tokens and bits, or one for each bit width: the miniature suite",
    caption:
      `**After Figure 6 of Ouyang et al. (2024).** ${suiteSource} Lines are **predicted**, both fitted ` +
      `to all these points by least squares of QiD: grey, the unified law (${estimates}, two standard errors); ` +
      "dotted, a law for each bit width. Below: the unified law's prediction over the measured value; ratios " +
      "outside 0.1 to 10 are left out.",
    legend: [
      ...suiteLegend(rows),
      { label: "marks: measured" },
      { label: "predicted: unified law", line: { colour: rule } },
      { label: "predicted: law of the bit width", line: { dash: "2 3" } },
    ],
    rows: [
      { height: 330, panels: [2, 3, 4].map(curves) },
      { height: 210, panels: [2, 3, 4].map(ratios) },
    ],
  });
}

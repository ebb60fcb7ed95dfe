/** Figure 11 of Ouyang et al. (2024) from the miniature suite: QiD over size and tokens, from undertrained to fully trained. */
import * as Plot from "@observablehq/plot";
import pl, { type DataFrame } from "nodejs-polars";
import { fit, tokensFor } from "../../laws/mod.ts";
import { loadSuiteQid } from "../../suite_tables.ts";
import { sizeAxis } from "../axes.ts";
import { type Figure, figure } from "../layout.ts";
import { labels, logCurve } from "../marks.ts";
import type { Panel } from "../panel.ts";
import { distinct } from "../pythia.ts";
import { bitColour, fontSizes, paper, rule } from "../style.ts";
import { bytesAxis, sizeTicks, suiteRows, suiteSource } from "./series.ts";

/** Options of {@link suiteFigure11}. */
export interface SuiteFigure11Options {
  /** Rows of `loadSuiteQid()`; these if left out. */
  frame?: DataFrame;
}

/** Degradations whose contours are drawn, nats per byte. */
const contours = [0.003, 0.01, 0.03, 0.1, 0.3, 1];
/** Training bytes for each parameter, drawn for scale. */
const ratios = [20, 200];

/** Draws every checkpoint at its size and tokens, as large as its QiD, over the contours of the law. */
export function suiteFigure11(options: SuiteFigure11Options = {}): Figure {
  const frame: DataFrame = options.frame ?? loadSuiteQid();
  const rows = suiteRows(frame);
  const sizes = distinct(rows, "size");
  const domain: [number, number] = [sizes[0]! / 1.6, sizes.at(-1)! * 1.6];
  const tokens: [number, number] = [3.6e5, 1e8];
  const panel = (bits: number): Panel => {
    const law = fit("size-token", frame.filter(pl.col("bits").eq(bits)));
    const colour = bitColour(bits);
    return {
      heading: `${bits} bits`,
      x: sizeAxis({
        label: "Model size *N* (parameters)",
        domain,
        ticks: sizeTicks(domain),
        grid: false,
      }),
      y: bytesAxis({
        domain: tokens,
        ticks: [1e6, 1e7, 1e8],
        label: bits === 2 ? "Training data *D* (bytes)" : "",
        grid: false,
      }),
      left: bits === 2 ? 58 : 46,
      right: 34,
      marks: (frame11) => {
        const at = (qid: number) => tokensFor(law.law, law.parameters, { size: domain[1], qid });
        const shown = contours.filter((qid) => at(qid) > tokens[0] && at(qid) < tokens[1]);
        const places = frame11.spread(shown.map(at), 13);
        return [
          ...ratios.map((ratio) =>
            logCurve(domain, (size) => ratio * size, { colour: rule, width: 1, dash: "1 3" })
          ),
          ...contours.map((qid) =>
            logCurve(domain, (size) => tokensFor(law.law, law.parameters, { size, qid }), {
              colour,
              width: 1,
            })
          ),
          Plot.dot(rows.filter((row) => row.bits === bits && row.qid > 0), {
            x: "size",
            y: "tokens",
            r: (row) => radius(row.qid),
            fill: colour,
            stroke: paper,
            strokeWidth: 0.6,
          }),
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
    name: "suite-figure-11",
    title: "Undertrained and fully trained models: the miniature suite",
    caption:
      `**After Figure 11 of Ouyang et al. (2024).** ${suiteSource} Each mark is a checkpoint; its area grows ` +
      "with the square root of its QiD. Solid lines are **predicted**: contours of the law of the bit width, fitted by least " +
      "squares of QiD (numbers at the right, nats per byte). Dotted lines: 20 and 200 bytes for each parameter. Small marks, " +
      "at the lower right, are undertrained models; large ones, at the upper left, are trained far beyond that.",
    legend: [
      ...[2, 3, 4].map((bits) => ({
        label: `${bits} bits, measured`,
        point: { provenance: "measured", colour: bitColour(bits) } as const,
      })),
      { label: "predicted: contour", line: { width: 1 } },
      { label: "20 and 200 bytes a parameter", line: { colour: rule, width: 1, dash: "1 3" } },
    ],
    rows: [{ height: 360, panels: [2, 3, 4].map(panel) }],
  });
}

/** Pixels: the area of a mark grows with the square root of its QiD, from 1.2 to 11. */
function radius(qid: number): number {
  return Math.min(11, Math.max(1.2, 10 * qid ** 0.25));
}

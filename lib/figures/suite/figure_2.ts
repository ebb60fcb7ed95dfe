/** Figure 2 of Ouyang et al. (2024) from the miniature suite: test loss before and after quantization. */
import type { DataFrame } from "nodejs-polars";
import { type Figure, figure } from "../layout.ts";
import { curve, labels, points } from "../marks.ts";
import type { Panel } from "../panel.ts";
import { distinct } from "../pythia.ts";
import { bitColour } from "../style.ts";
import { tickRange } from "../tick_range.ts";
import {
  bytesAxis,
  stopsEarly,
  suiteLegend,
  suiteRows,
  suiteSource,
  suiteSymbols,
} from "./series.ts";

/** Options of {@link suiteFigure2}. */
export interface SuiteFigure2Options {
  /** Rows of `loadSuiteQid()`; these if left out. */
  frame?: DataFrame;
}

/** Draws the losses of every size over training, at 16 bits and quantized. */
export function suiteFigure2(options: SuiteFigure2Options = {}): Figure {
  const rows = suiteRows(options.frame);
  const symbol = suiteSymbols(rows);
  const sizes = distinct(rows, "label");
  const losses = rows.flatMap(({ loss16, loss_quantized }) => [loss16, loss_quantized]);
  const [low, high] = [
    Math.floor(5 * Math.min(...losses)) / 5,
    Math.ceil(5 * Math.max(...losses)) / 5,
  ];
  const end = Math.max(...rows.map(({ tokens }) => tokens));
  const panel = (bits: number): Panel => ({
    heading: `${bits} bits`,
    x: bytesAxis(),
    y: {
      label: bits === 2 ? "Test loss (nats per byte)" : "",
      domain: [low, high],
      ticks: tickRange([low, high]).ticks.filter((tick) => tick >= low && tick <= high),
      format: (tick) => tick.toFixed(1),
    },
    left: bits === 2 ? 48 : 34,
    right: 40,
    marks: (frame) => {
      const series = sizes.flatMap((label) => {
        const own = rows.filter((row) => row.label === label && row.bits === bits);
        return [16, bits].map((width) => ({
          label,
          colour: bitColour(width),
          width: width === 16 ? 1 : 1.6,
          dash: width === 16 ? undefined : "7 4",
          at: own.map((row) => ({
            x: row.tokens,
            y: width === 16 ? row.loss16 : row.loss_quantized,
          })),
        }));
      });
      // Runs that stop before the others end among their curves, where there is no room for a name.
      const quantized = series.filter(({ dash, at }) => dash !== undefined && at.at(-1)!.x === end);
      const places = frame.spread(quantized.map(({ at }) => at.at(-1)!.y), 13);
      return [
        ...series.map(({ at, colour, dash, width }) => curve(at, { colour, dash, width })),
        ...series.flatMap(({ at, colour, label, dash }) =>
          points(at, {
            provenance: "measured",
            colour,
            symbol: symbol(label),
            radius: dash === undefined ? 1.8 : 3.2,
          })
        ),
        ...quantized.map(({ at, label, colour }, i) =>
          labels([{ x: at.at(-1)!.x, y: places[i]!, text: label }], { dx: 6, colour, size: 11 })
        ),
      ];
    },
  });
  return figure({
    name: "suite-figure-2",
    title: "Test loss before and after quantization, over training: the miniature suite",
    caption:
      `**After Figure 2 of Ouyang et al. (2024).** ${suiteSource} The gap between the thin curve ` +
      "(as trained) and the dashed one (quantized) of a size is its QiD. Numbers: " +
      "non-embedding parameters. All sizes follow one learning-rate schedule, a cosine that ends at " +
      "67M bytes." + stopsEarly(rows),
    legend: [
      { label: "as trained", line: { colour: bitColour(16), width: 1 } },
      { label: "2 bits", line: { colour: bitColour(2), dash: "7 4" } },
      { label: "3 bits", line: { colour: bitColour(3), dash: "7 4" } },
      { label: "4 bits", line: { colour: bitColour(4), dash: "7 4" } },
      ...suiteLegend(rows),
    ],
    rows: [{ height: 380, panels: [2, 3, 4].map(panel) }],
  });
}

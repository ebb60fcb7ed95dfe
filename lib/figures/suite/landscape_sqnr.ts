/** SQNR against QiD by format (Xu et al. 2024): how far the noise of the weights alone tells the degradation. */
import { rankQid } from "../../predictor/mod.ts";
import { type Figure, figure } from "../layout.ts";
import { labels, points } from "../marks.ts";
import type { Panel } from "../panel.ts";
import { fontSizes } from "../style.ts";
import {
  bitsLegend,
  elementColour,
  figureRows,
  formatKinds,
  kindLegend,
  kindOf,
  kindSymbol,
  type LandscapeFigureOptions,
  landscapeSource,
} from "./landscape.ts";

/** Draws QiD over the SQNR of rounding to nearest, for RTN and for GPTQ. */
export function landscapeSqnr(options: LandscapeFigureOptions = {}): Figure {
  const rows = figureRows(options);
  const shown = rows.filter(({ qid }) => qid > 3e-4);
  const highest = Math.max(...shown.map(({ qid }) => qid));
  const sqnrs = rows.map(({ sqnr }) => sqnr);
  const panel = (algorithm: "rtn" | "gptq"): Panel => {
    const own = shown.filter((row) => row.algorithm === algorithm);
    return {
      heading: algorithm === "rtn" ? "Round to nearest" : "GPTQ",
      x: {
        label: "SQNR of rounding to nearest (dB)",
        domain: [Math.min(...sqnrs) - 1, Math.max(...sqnrs) + 1],
        ticks: [5, 10, 15, 20, 25, 30],
      },
      y: {
        label: algorithm === "rtn" ? "QiD (nats per byte)" : "",
        domain: [3e-4, highest * 1.4],
        ticks: [1e-3, 1e-2, 1e-1, 1],
        log: true,
      },
      marks: () => [
        ...formatKinds.flatMap((kind) =>
          [2, 3, 4, 8].flatMap((bits) =>
            points(
              own.filter((row) =>
                kindOf(row) === kind &&
                (bits === 8 ? row.elementBits > 4 : row.elementBits === bits)
              ).map(({ sqnr, qid }) => ({ x: sqnr, y: qid })),
              {
                provenance: "measured",
                colour: elementColour(bits),
                symbol: kindSymbol(kind),
                radius: 2.8,
              },
            )
          )
        ),
        labels([{
          x: Math.max(...sqnrs) + 1,
          y: highest * 1.4,
          text: `rank correlation ${
            rankQid(rows.filter((row) => row.algorithm === algorithm)).toFixed(3).replace("-", "−")
          }`,
        }], { anchor: "end", dx: -6, dy: 12, size: fontSizes.tick }),
      ],
    };
  };
  return figure({
    name: "landscape-sqnr",
    title: "Noise in the weights against degradation",
    caption:
      `**After Xu et al. (2024).** ${landscapeSource} Each mark is a checkpoint in a format. ` +
      "The rank correlation (Spearman) is over all rows, those too small to be drawn included.",
    legend: [...bitsLegend, ...kindLegend],
    rows: [{ height: 360, panels: [panel("rtn"), panel("gptq")] }],
  });
}

/** Figure 13 of Ouyang et al. (2024): training tokens of 7B-class models by year. */
import * as Plot from "@observablehq/plot";
import type { DataFrame } from "nodejs-polars";
import { loadTokenCounts } from "../data.ts";
import { tokensAxis } from "./axes.ts";
import { type Figure, figure } from "./layout.ts";
import { labels, points } from "./marks.ts";
import type { Panel } from "./panel.ts";
import { placeLabels } from "./place_labels.ts";
import { rowsOf } from "./rows.ts";
import { fontSizes, rule } from "./style.ts";

const suffixes: Record<string, string> = {
  "at least": " (≥)",
  "at most": " (≤)",
  corpus: " (corpus)",
};

/** Draws Figure 13 from rows of `loadTokenCounts()`, or of the same columns. */
export function figure13(frame: DataFrame = loadTokenCounts()): Figure {
  const rows = rowsOf(frame.sort(["year", "month", "model"]), ["year", "month", "tokens"], [
    "model",
    "count",
  ]).map(({ year, month, tokens, model, count }) => ({
    x: year + (month - 0.5) / 12,
    y: tokens,
    text: `${model}${suffixes[count] ?? ""}`,
  }));
  const x = { domain: [2020, 2025.6] as const };
  const y = tokensAxis({ domain: [1.2e11, 3.2e13], ticks: [3e11, 1e12, 3e12, 1e13, 3e13] });
  const panel: Panel = {
    x: {
      label: "Release (year)",
      domain: x.domain,
      ticks: [2020, 2021, 2022, 2023, 2024, 2025],
    },
    y,
    left: 56,
    marks: ({ width, height }) => {
      const pixels = rows.map((row) => ({
        x: (row.x - x.domain[0]) / (x.domain[1] - x.domain[0]) * width,
        y: Math.log(y.domain[1] / row.y) / Math.log(y.domain[1] / y.domain[0]) * height,
        text: row.text,
      }));
      const places = placeLabels(pixels, {
        fontSize: fontSizes.tick,
        within: { left: 2, right: width, top: 2, bottom: height - 4 },
      });
      const moved = places.map(({ dx, dy }, i) => ({
        ...rows[i]!,
        text: rows[i]!.text,
        toX: rows[i]!.x + dx / width * (x.domain[1] - x.domain[0]),
        toY: rows[i]!.y * Math.pow(y.domain[1] / y.domain[0], -dy / height),
      }));
      return [
        Plot.link(moved.filter((_, i) => Math.abs(places[i]!.dy) > 14), {
          x1: "x",
          y1: "y",
          x2: "toX",
          y2: "toY",
          stroke: rule,
          strokeWidth: 0.8,
        }),
        ...points(rows, { provenance: "published", size: "7B" }),
        labels(moved.map(({ toX, toY, text }) => ({ x: toX, y: toY, text })), {
          anchor: "middle",
          size: fontSizes.tick,
        }),
      ];
    },
  };
  return figure({
    name: "figure-13",
    title: "Training tokens of models near 7B parameters, 2020 to 2024",
    caption:
      "**After Figure 13 of Ouyang et al. (2024)**, whose list of models could not be read: " +
      "these are models of 6B to 8B parameters with a **published** token count (sources in " +
      "data/paper/token_counts.csv). ≥ and ≤: the source gives a bound; (corpus): it gives the size " +
      "of the corpus. From 300B (GPT-3 6.7B) to 15T (Llama-3-8B) the count grew 50 times.",
    legend: [{ label: "published", point: { provenance: "published", size: "7B" } }],
    rows: [{ height: 430, panels: [panel] }],
  });
}

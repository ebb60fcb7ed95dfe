/** The loss after quantization, predicted for sizes that the predictor never saw, against what was measured. */
import {
  heldOutPredictions,
  type HeldOutRow,
  heldOutScores,
  predictors,
} from "../../predictor/mod.ts";
import { type Figure, figure } from "../layout.ts";
import { curve, labels, points } from "../marks.ts";
import type { Panel } from "../panel.ts";
import { fontSizes, rule } from "../style.ts";
import { bitsLegend, elementColour, landscapeSource } from "./landscape.ts";

/** Options of {@link landscapePredicted}. */
export interface LandscapePredictedOptions {
  /** Held-out predictions; those of sizes from the table if left out. */
  readonly predictions?: readonly HeldOutRow[];
}

/** Draws one panel a predictor. */
export function landscapePredicted(options: LandscapePredictedOptions = {}): Figure {
  const all = (options.predictions ?? heldOutPredictions("size"))
    .filter(({ row }) => row.algorithm === "gptq");
  const losses = all.map(({ row }) => row.lossQuantized);
  const domain = [Math.floor(Math.min(...losses) * 5) / 5, Math.ceil(Math.max(...losses))] as const;
  const ticks = [1, 1.5, 2, 3, 4, 5, 6, 8].filter((tick) => tick >= domain[0] && tick <= domain[1]);
  const inside = (value: number) => Math.min(domain[1], Math.max(domain[0], value));
  const panel = (name: string, first: boolean): Panel => {
    const own = all.filter(({ predictor }) => predictor === name);
    const axis = { domain, ticks, log: true } as const;
    return {
      heading: name[0]!.toUpperCase() + name.slice(1),
      x: { ...axis, label: "Measured loss (nats per byte)" },
      y: { ...axis, label: first ? "Predicted loss (nats per byte)" : "" },
      left: first ? 48 : 34,
      right: 8,
      marks: () => [
        curve(domain.map((at) => ({ x: at, y: at })), { colour: rule, width: 1 }),
        ...[...Map.groupBy(own, ({ row }) => elementColour(row.elementBits))].flatMap(
          ([colour, rows]) =>
            points(
              rows.map(({ row, predicted }) => ({ x: row.lossQuantized, y: inside(predicted) })),
              { provenance: "measured", colour, radius: 2.4 },
            ),
        ),
        labels([{
          x: domain[0],
          y: domain[1],
          text: own.length < 2
            ? "sizes too few to fit it"
            : `off by ${heldOutScores(own, 2).mae.value.toFixed(3)} nats`,
        }], { dx: 8, dy: 10, size: fontSizes.tick }),
      ],
    };
  };
  const names = predictors.map(({ name }) => name);
  return figure({
    name: "landscape-predicted",
    title: "The loss after quantization, predicted for sizes never seen",
    caption:
      `**After Xu et al. (2024).** ${landscapeSource} Drawn: GPTQ. Each size is **predicted** by a predictor trained on the other ` +
      "sizes only; all know the loss before quantization. The number is the mean absolute error. Predictions beyond the frame " +
      "stand on its edge.",
    legend: [
      ...bitsLegend,
      { label: "prediction = measurement", line: { colour: rule, width: 1 } },
    ],
    rows: [0, 3].map((start) => ({
      height: 280,
      panels: names.slice(start, start + 3).map((name, i) => panel(name, i === 0)),
    })),
  });
}

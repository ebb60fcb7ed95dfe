/** Figure 2 of Ouyang et al. (2024): test loss over training, before and after GPTQ. */
import type { DataFrame } from "nodejs-polars";
import { loadFigure2 } from "../data.ts";
import { tokensAxis } from "./axes.ts";
import { type Figure, figure } from "./layout.ts";
import { curve, labels, points } from "./marks.ts";
import type { Panel } from "./panel.ts";
import { rowsOf } from "./rows.ts";
import { bitColour, sizeLabel } from "./style.ts";

/** Draws Figure 2 from rows of `loadFigure2()`, or of the same columns. */
export function figure2(frame: DataFrame = loadFigure2()): Figure {
  const rows = rowsOf(
    frame.sort(["size", "tokens", "bits"]),
    ["tokens", "bits", "loss16", "loss_quantized"],
    ["model"],
  );
  const models = [...new Set(rows.map(({ model }) => model))];
  const panel = (bits: number, domain: [number, number], ticks: number[]): Panel => ({
    heading: `${bits} bits`,
    x: tokensAxis({ domain: [3.6e9, 2.4e11], ticks: [1e10, 3e10, 1e11, 2e11] }),
    y: {
      label: bits === 2 ? "Test loss (nats per token)" : "",
      domain,
      ticks,
      format: (tick) => tick.toFixed(1),
    },
    right: 44,
    marks: (frame) => {
      const series = models.flatMap((model) => {
        const own = rows.filter((row) => row.model === model && row.bits === bits);
        return [16, bits].map((width) => ({
          size: sizeLabel(model),
          colour: bitColour(width),
          width: width === 16 ? 1 : 1.6,
          dash: width === 16 ? undefined : "7 4",
          at: own.map((row) => ({
            x: row.tokens,
            y: width === 16 ? row.loss16 : row.loss_quantized,
          })),
        }));
      });
      const ends = series.map(({ at }) => at.at(-1)!);
      const places = frame.spread(ends.map(({ y }) => y), 14);
      return [
        ...series.map(({ at, colour, dash, width }) => curve(at, { colour, dash, width })),
        ...series.flatMap(({ at, colour, size }) =>
          points(at, { provenance: "digitised", colour, size, radius: 3.6 })
        ),
        ...series.map(({ size, colour }, i) =>
          labels([{ x: ends[i]!.x, y: places[i]!, text: size }], { dx: 10, colour })
        ),
      ];
    },
  });
  return figure({
    name: "figure-2",
    title: "Test loss before and after quantization, over training",
    caption:
      "**Figure 2 of Ouyang et al. (2024), redrawn.** Loss of Pythia checkpoints on RefinedWeb " +
      "at 16 bits and after GPTQ at 2 and 3 bits. The gap between the two curves of a size is the " +
      "quantization-induced degradation (QiD): it grows with training, and is larger for smaller " +
      "models. **Digitised** from the figure of the paper, to about 0.01 nats (0.04 at 2 bits); one " +
      "point of 1B at 2 bits could not be read. Note the different scales of the two panels.",
    legend: [
      { label: "16 bits", line: { colour: bitColour(16), width: 1 } },
      { label: "2 bits, GPTQ", line: { colour: bitColour(2), dash: "7 4" } },
      { label: "3 bits, GPTQ", line: { colour: bitColour(3), dash: "7 4" } },
      ...models.map((model) => ({
        label: sizeLabel(model),
        point: { provenance: "digitised", size: sizeLabel(model) } as const,
      })),
      { label: "open marks: digitised" },
    ],
    rows: [{
      height: 340,
      panels: [panel(2, [2.4, 9.6], [3, 4, 5, 6, 7, 8, 9]), panel(3, [2.6, 4.6], [3, 3.5, 4, 4.5])],
    }],
  });
}

/** Figure 7 of Ouyang et al. (2024): the quantized loss as 16-bit loss (Eq. 3) plus QiD (Eq. 8). */
import type { DataFrame } from "nodejs-polars";
import { loadFigure2 } from "../data.ts";
import { type FittedLaw, predict, published, quantizedLoss } from "../laws/mod.ts";
import { type Figure, figure } from "./layout.ts";
import { curve, labels, points } from "./marks.ts";
import type { Panel } from "./panel.ts";
import { distinct } from "./pythia.ts";
import { rowsOf } from "./rows.ts";
import { bitColour, rule, sizeLabel } from "./style.ts";

/** Options of {@link figure7}. */
export interface Figure7Options {
  /** Columns model, size, tokens, bits, loss16, loss_quantized; `loadFigure2()` if left out. */
  frame?: DataFrame;
  /** The law of the 16-bit loss; the published Eq. 3 if left out. */
  loss16?: FittedLaw;
  /** The law of QiD; the published unified law if left out. */
  qid?: FittedLaw;
}

/** Draws Figure 7: digitised losses against those that two laws predict. */
export function figure7(options: Figure7Options = {}): Figure {
  const loss16 = options.loss16 ?? { law: "loss16", parameters: published.loss16 };
  const qid = options.qid ?? { law: "unified", parameters: published.unified };
  const rows = rowsOf(
    (options.frame ?? loadFigure2() as DataFrame).sort(["size", "tokens", "bits"]),
    ["size", "tokens", "bits", "loss16", "loss_quantized"],
    ["model"],
  );
  const panels = [
    { bits: 16, domain: [2.5, 4.5], ticks: [2.5, 3, 3.5, 4, 4.5] },
    { bits: 3, domain: [2.5, 4.7], ticks: [2.5, 3, 3.5, 4, 4.5] },
    { bits: 2, domain: [3, 9.5], ticks: [3, 4, 5, 6, 7, 8, 9] },
  ] as const;
  const panel = ({ bits, domain, ticks }: typeof panels[number]): Panel => {
    // The 16-bit loss stands in the rows of every bit width; one row a checkpoint is enough.
    const own = rows.filter((row) => row.bits === (bits === 16 ? 3 : bits)).map((row) => ({
      label: sizeLabel(row.model),
      x: bits === 16 ? row.loss16 : row.loss_quantized,
      y: bits === 16
        ? predict(loss16.law, loss16.parameters, row)
        : quantizedLoss(row, { loss16, qid }),
    }));
    const mean = own.reduce((sum, { x }) => sum + x, 0) / own.length;
    const residual = own.reduce((sum, { x, y }) => sum + (x - y) ** 2, 0);
    const total = own.reduce((sum, { x }) => sum + (x - mean) ** 2, 0);
    const format = (tick: number) => tick.toFixed(bits === 2 ? 0 : 1);
    return {
      heading: bits === 16 ? "16 bits, by Eq. 3" : `${bits} bits, by Eq. 3 + Eq. 8`,
      x: { label: "Loss, digitised (nats per token)", domain, ticks, format },
      y: {
        label: bits === 16 ? "Loss, predicted (nats per token)" : "",
        domain,
        ticks,
        format,
      },
      left: bits === 16 ? 52 : 38,
      right: 8,
      marks: () => [
        curve(domain.map((at) => ({ x: at, y: at })), { colour: rule, width: 1 }),
        ...distinct(own, "label").flatMap((size) =>
          points(own.filter(({ label }) => label === size), {
            provenance: "digitised",
            colour: bitColour(bits),
            size,
            radius: 3.6,
          })
        ),
        labels([
          { x: domain[0], y: domain[1], text: `R² ${(1 - residual / total).toFixed(2)}` },
        ], { dx: 8, dy: 10 }),
        labels([
          {
            x: domain[0],
            y: domain[1],
            text: `RMSE ${Math.sqrt(residual / own.length).toFixed(2)} nats`,
          },
        ], { dx: 8, dy: 26 }),
      ],
    };
  };
  return figure({
    name: "figure-7",
    title: "Quantized loss predicted as 16-bit loss plus QiD",
    caption:
      "**After Figure 7 of Ouyang et al. (2024).** Across: test losses of Pythia checkpoints, " +
      "**digitised** from Figure 2. Up: the same losses **predicted** with " +
      (options.loss16 || options.qid ? "the laws given" : "the **published** constants") +
      ": Loss_{16}(*N*, *D*) by Eq. 3, plus QiD(*N*, *D*, *P*) by Eq. 8 for the quantized models. On " +
      "the line, prediction and figure agree. RMSE is the root of the mean squared error. The scales " +
      "differ.",
    legend: [
      ...distinct(rows, "model").map((model) => ({
        label: sizeLabel(model),
        point: { provenance: "digitised", size: sizeLabel(model) } as const,
      })),
      { label: "marks: digitised across, predicted up" },
      { label: "prediction = figure", line: { colour: rule, width: 1 } },
    ],
    rows: [{ height: 290, panels: panels.map(panel) }],
  });
}

/** Figure 7 of Ouyang et al. (2024) from the miniature suite: the quantized loss as 16-bit loss plus QiD. */
import pl, { type DataFrame } from "nodejs-polars";
import { fit, predict, quantizedLoss } from "../../laws/mod.ts";
import { loadSuiteQid } from "../../suite_tables.ts";
import { type Figure, figure } from "../layout.ts";
import { curve, labels, points } from "../marks.ts";
import type { Panel } from "../panel.ts";
import { distinct, plusMinus } from "../pythia.ts";
import { bitColour, rule } from "../style.ts";
import { suiteLegend, suiteRows, suiteSource, suiteSymbols } from "./series.ts";

/** Options of {@link suiteFigure7}. */
export interface SuiteFigure7Options {
  /** Rows of `loadSuiteQid()`; these if left out. */
  frame?: DataFrame;
}

/** Draws measured losses against those that two fitted laws predict. */
export function suiteFigure7(options: SuiteFigure7Options = {}): Figure {
  const frame: DataFrame = options.frame ?? loadSuiteQid();
  const loss16 = fit("loss16", frame.filter(pl.col("bits").eq(4)));
  const qid = fit("unified", frame);
  const rows = suiteRows(frame);
  const symbol = suiteSymbols(rows);
  const all = rows.flatMap((row) => [
    row.loss16,
    row.loss_quantized,
    predict(loss16.law, loss16.parameters, row),
    quantizedLoss(row, { loss16, qid }),
  ]);
  const domain = [
    Math.floor(5 * Math.min(...all)) / 5,
    Math.ceil(5 * Math.max(...all)) / 5,
  ] as const;
  const ticks = [1, 1.5, 2, 2.5, 3, 3.5, 4].filter((tick) =>
    tick >= domain[0] && tick <= domain[1]
  );
  const panel = (bits: number): Panel => {
    const own = rows.filter((row) => row.bits === (bits === 16 ? 4 : bits)).map((row) => ({
      label: row.label,
      x: bits === 16 ? row.loss16 : row.loss_quantized,
      y: bits === 16
        ? predict(loss16.law, loss16.parameters, row)
        : quantizedLoss(row, { loss16, qid }),
    }));
    const residual = own.reduce((sum, { x, y }) => sum + (x - y) ** 2, 0);
    const format = (tick: number) => tick.toFixed(1);
    return {
      heading: bits === 16 ? "As trained, by Eq. 3" : `${bits} bits, Eq. 3 + Eq. 8`,
      x: { label: "Loss, measured (nats per byte)", domain, ticks, format },
      y: {
        label: bits === 16 || bits === 3 ? "Loss, predicted (nats per byte)" : "",
        domain,
        ticks,
        format,
      },
      left: 48,
      right: 8,
      marks: () => [
        curve(domain.map((at) => ({ x: at, y: at })), { colour: rule, width: 1 }),
        ...distinct(own, "label").flatMap((label) =>
          points(own.filter((row) => row.label === label), {
            provenance: "measured",
            colour: bitColour(bits),
            symbol: symbol(label),
            radius: 3.2,
          })
        ),
        labels([{
          x: domain[0],
          y: domain[1],
          text: `RMSE ${Math.sqrt(residual / own.length).toFixed(3)} nats`,
        }], { dx: 8, dy: 10 }),
      ],
    };
  };
  const exponents = [
    { name: "sizeExponent", symbol: "α_{N}", digits: 3 },
    { name: "tokenExponent", symbol: "α_{D}", digits: 3 },
  ].map((parameter) => plusMinus(loss16, parameter)).join(", ");
  return figure({
    name: "suite-figure-7",
    title: "Quantized loss predicted as loss before plus QiD: the miniature suite",
    caption:
      `**After Figure 7 of Ouyang et al. (2024).** ${suiteSource} Across: the measured losses. Up: those ` +
      `**predicted** with the law of the loss before quantization (Eq. 3, fitted here: ${exponents}, two standard ` +
      "errors) and, for the quantized models, the unified law of QiD (Eq. 8, fitted here). On the line both agree. RMSE " +
      "is the root of the mean squared error.",
    legend: [
      ...suiteLegend(rows),
      { label: "marks: measured across, predicted up" },
      { label: "prediction = measurement", line: { colour: rule, width: 1 } },
    ],
    rows: [
      { height: 300, panels: [16, 4].map(panel) },
      { height: 300, panels: [3, 2].map(panel) },
    ],
  });
}

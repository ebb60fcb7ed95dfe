/** Figure 10 of Ouyang et al. (2024) from the miniature suite: sizes at one D, and sizes that the fit never saw. */
import pl, { type DataFrame } from "nodejs-polars";
import { fit, predict } from "../../laws/mod.ts";
import { loadSuiteQid } from "../../suite_tables.ts";
import { sizeAxis } from "../axes.ts";
import { type Figure, figure } from "../layout.ts";
import { curve, labels, logCurve, points } from "../marks.ts";
import type { Panel } from "../panel.ts";
import { distinct } from "../pythia.ts";
import { bitColour, fontSizes, rule } from "../style.ts";
import {
  sizeTicks,
  suiteLegend,
  suiteQidAxis,
  type SuiteRow,
  suiteRows,
  suiteSource,
  suiteSymbols,
} from "./series.ts";

/** Options of {@link suiteFigure10}. */
export interface SuiteFigure10Options {
  /** Rows of `loadSuiteQid()`; these if left out. */
  frame?: DataFrame;
}

const qidDomain = [5e-4, 3] as const;
const ticks = [1e-3, 1e-2, 1e-1, 1];

/** Each row with what a law says of it that was fitted to all other sizes. */
export function predictedFromOtherSizes(
  frame: DataFrame,
  law: string,
): (SuiteRow & { predicted: number })[] {
  const rows = suiteRows(frame);
  return distinct(rows, "size").flatMap((size) => {
    const fitted = fit(law, frame.filter(pl.col("size").neq(size)));
    return rows.filter((row) => row.size === size)
      .map((row) => ({ ...row, predicted: predict(fitted.law, fitted.parameters, row) }));
  });
}

/** Draws QiD over size at the last common token count, and predictions of sizes left out of the fit. */
export function suiteFigure10(options: SuiteFigure10Options = {}): Figure {
  const frame: DataFrame = options.frame ?? loadSuiteQid();
  const rows = suiteRows(frame);
  const symbol = suiteSymbols(rows);
  const sizes = distinct(rows, "size");
  const last = sizes.map((size) =>
    Math.max(...rows.filter((row) => row.size === size).map(({ tokens }) => tokens))
  );
  const tokens = Math.min(...last);
  const domain: [number, number] = [sizes[0]! / 1.4, sizes.at(-1)! * 1.4];
  const left: Panel = {
    heading: `All sizes at ${Math.round(tokens / 2 ** 20)}M bytes`,
    x: sizeAxis({
      label: "Model size *N* (parameters)",
      domain,
      ticks: sizeTicks(domain),
    }),
    y: suiteQidAxis({ domain: qidDomain, log: true, ticks }),
    left: 52,
    right: 40,
    marks: (frame10) => {
      const fits = [2, 3, 4].map((bits) => {
        const own = frame.filter(pl.col("bits").eq(bits).and(pl.col("tokens").eq(tokens)));
        return { bits, law: fit("size", own, { space: "log" }) };
      });
      const places = frame10.spread(
        fits.map(({ law }) => predict(law.law, law.parameters, { size: domain[1] })),
        13,
      );
      return [
        ...fits.map(({ bits, law }) =>
          logCurve(domain, (size) => predict(law.law, law.parameters, { size }), {
            colour: bitColour(bits),
            width: 1,
          })
        ),
        ...rows.filter((row) => row.tokens === tokens && row.qid > 0).flatMap((row) =>
          points([{ x: row.size, y: row.qid }], {
            provenance: "measured",
            colour: bitColour(row.bits),
            symbol: symbol(row.label),
          })
        ),
        labels(
          fits.map(({ bits, law }, i) => ({
            x: domain[1],
            y: places[i]!,
            text: `α ${law.parameters.sizeExponent!.toFixed(2)}`,
            bits,
          })),
          { dx: 4, size: fontSizes.tick },
        ),
      ];
    },
  };
  const held = (law: string, heading: string): Panel => {
    const predicted = predictedFromOtherSizes(frame, law).filter(({ qid, predicted }) =>
      qid > 0 && predicted > 0
    );
    const error = Math.exp(Math.sqrt(
      predicted.reduce((sum, { qid, predicted }) => sum + Math.log(predicted / qid) ** 2, 0) /
        predicted.length,
    ));
    return {
      heading,
      x: suiteQidAxis({
        label: "QiD, measured (nats per byte)",
        domain: qidDomain,
        log: true,
        ticks,
      }),
      y: suiteQidAxis({
        label: "QiD, predicted (nats per byte)",
        domain: qidDomain,
        log: true,
        ticks,
      }),
      left: 52,
      right: 10,
      marks: () => [
        curve(qidDomain.map((at) => ({ x: at, y: at })), { colour: rule, width: 1 }),
        ...predicted.filter(({ qid, predicted }) =>
          Math.min(qid, predicted) > qidDomain[0] && Math.max(qid, predicted) < qidDomain[1]
        ).flatMap((row) =>
          points([{ x: row.qid, y: row.predicted }], {
            provenance: "measured",
            colour: bitColour(row.bits),
            symbol: symbol(row.label),
            radius: 3,
          })
        ),
        labels([{
          x: qidDomain[0],
          y: qidDomain[1],
          text: `off by a factor of ${error.toFixed(2)}`,
        }], {
          dx: 8,
          dy: 10,
          size: fontSizes.tick,
        }),
      ],
    };
  };
  return figure({
    name: "suite-figure-10",
    title: "Sizes at one token count, and sizes that the fit never saw: the miniature suite",
    caption:
      `**After Figure 10 of Ouyang et al. (2024).** ${suiteSource} Left: all sizes at the last token count ` +
      "that they share; lines are **predicted**, a size law for each bit width (least squares of logarithms). Middle and right: " +
      "each size as **predicted** by a law fitted to the other sizes only (least squares of QiD), against what was measured; " +
      "the factor is the root of the mean squared logarithm of their ratio.",
    legend: [
      ...suiteLegend(rows),
      ...[2, 3, 4].map((bits) => ({
        label: `${bits} bits`,
        point: { provenance: "measured", colour: bitColour(bits) } as const,
      })),
      { label: "prediction = measurement", line: { colour: rule, width: 1 } },
    ],
    rows: [{
      height: 320,
      panels: [
        left,
        held("unified", "Unified law"),
        held("per-bit-width", "Law of each bit width"),
      ],
    }],
  });
}

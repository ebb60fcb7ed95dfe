/** Figure 4 of Ouyang et al. (2024) from the miniature suite: QiD against model size, with the size law (Eq. 6). */
import * as Plot from "@observablehq/plot";
import pl, { type DataFrame } from "nodejs-polars";
import { fit, predict, published } from "../../laws/mod.ts";
import { loadSuiteQid } from "../../suite_tables.ts";
import { sizeAxis } from "../axes.ts";
import { curvesLaw } from "../curves_law.ts";
import { type Figure, figure } from "../layout.ts";
import { curve, labels, logCurve, points } from "../marks.ts";
import type { Panel } from "../panel.ts";
import { distinct, exponentOf, plusMinus } from "../pythia.ts";
import { bitColour, fontSizes, ink, lawDashes } from "../style.ts";
import {
  bytesAxis,
  isDrawn,
  logQid,
  sizeTicks,
  suiteLegend,
  suiteQidAxis,
  suiteRows,
  suiteSource,
  suiteSymbols,
} from "./series.ts";

/** Options of {@link suiteFigure4}. */
export interface SuiteFigure4Options {
  /** Rows of `loadSuiteQid()`; these if left out. */
  frame?: DataFrame;
}

/** Token counts that are drawn; all are fitted. */
const drawn = [1, 4, 16, 64].map((megabytes) => megabytes * 2 ** 20);

/** Draws measured QiD over size at four token counts, and the exponent at every token count. */
export function suiteFigure4(options: SuiteFigure4Options = {}): Figure {
  const frame: DataFrame = options.frame ?? loadSuiteQid();
  const rows = suiteRows(frame);
  const symbol = suiteSymbols(rows);
  const sizes = distinct(rows, "size");
  const domain: [number, number] = [sizes[0]! / 1.4, sizes.at(-1)! * 1.4];
  const widths = [2, 3, 4].map((bits) => {
    const part = frame.filter(pl.col("bits").eq(bits));
    const law = curvesLaw("size", part);
    return { bits, part, law, fitted: fit(law, part) };
  });
  const near = (tokens: number) => (row: { tokens: number }) =>
    Math.abs(row.tokens / tokens - 1) < 0.01;
  const curves = ({ bits, law, fitted }: typeof widths[0]): Panel => ({
    heading: `${bits} bits`,
    x: sizeAxis({
      label: "Model size *N* (parameters)",
      domain,
      ticks: sizeTicks(domain),
    }),
    y: suiteQidAxis({
      ...logQid,
      ...(bits === 2 ? {} : { label: "" }),
    }),
    left: bits === 2 ? 52 : 40,
    right: 34,
    marks: (frame) => {
      const groups = drawn.map((tokens) =>
        rows.filter((row) => row.bits === bits && near(tokens)(row))
      )
        .filter((group) => group.length > 1);
      const at = (group: typeof rows, size: number) =>
        predict(law, fitted.parameters, { size, tokens: group[0]!.tokens, bits });
      // A line that leaves the frame is named where it does.
      const lowest = 1.2 * logQid.domain[0];
      const places = frame.spread(
        groups.map((group) => Math.max(lowest, at(group, domain[1]))),
        13,
      );
      return [
        ...groups.map((group) =>
          logCurve(domain, (size) => at(group, size), { colour: bitColour(bits), width: 1 })
        ),
        ...groups.flatMap((group) =>
          group.filter(isDrawn).flatMap(({ size, qid, label }) =>
            points([{ x: size, y: qid }], {
              provenance: "measured",
              colour: bitColour(bits),
              symbol: symbol(label),
              radius: 3.6,
            })
          )
        ),
        labels(
          groups.map((group, i) => ({
            x: domain[1],
            y: places[i]!,
            text: `${Math.round(group[0]!.tokens / 2 ** 20)}M`,
          })),
          { dx: 4, size: fontSizes.tick, colour: bitColour(bits) },
        ),
      ];
    },
  });
  const alone = ({ bits, part }: typeof widths[0]): Panel => {
    const at = distinct(rows, "tokens").sort((a, b) => a - b).flatMap((tokens) => {
      const own = part.filter(pl.col("tokens").eq(tokens));
      if (own.height < 3) return [];
      const { value, lower, upper } = exponentOf("size", "sizeExponent", own);
      return [{ x: tokens, y: value, lower, upper }];
    });
    const colour = bitColour(bits);
    return {
      heading: `α at ${bits} bits, by tokens`,
      x: bytesAxis(),
      y: {
        label: bits === 2 ? "α (dimensionless)" : "",
        domain: [-0.2, 1.4],
        ticks: [0, 0.5, 1],
      },
      left: bits === 2 ? 52 : 40,
      right: 34,
      marks: () => [
        Plot.ruleY([published.size.sizeExponent], {
          stroke: ink,
          strokeDasharray: lawDashes.published,
        }),
        Plot.ruleX(at, { x: "x", y1: "lower", y2: "upper", stroke: colour, clip: "frame" }),
        curve(at, { colour, width: 1 }),
        ...points(at.filter(({ y }) => y > -0.2 && y < 1.4), {
          provenance: "measured",
          colour,
          radius: 3,
        }),
      ],
    };
  };
  const values = widths.map(({ bits, fitted }) =>
    `${plusMinus(fitted, { name: "sizeExponent", symbol: "α", digits: 2 })} at ${bits} bits`
  );
  return figure({
    name: "suite-figure-4",
    title: "QiD falls with model size: the miniature suite",
    caption:
      `**After Figure 4 of Ouyang et al. (2024).** ${suiteSource} Numbers at the right: bytes of ` +
      "training, in units of 2^{20}. Lines are **predicted**: one α for all token counts of a bit width, a scale for each " +
      `(least squares of QiD): ${
        values.join(", ")
      }, two standard errors. Below: α fitted at each token count ` +
      `alone; dashed, the **published** ${published.size.sizeExponent}.`,
    legend: [
      ...suiteLegend(rows),
      { label: "marks: measured" },
      { label: "predicted: one α a bit width", line: { width: 1 } },
      { label: "published α", line: { dash: lawDashes.published, width: 1 } },
    ],
    rows: [
      { height: 330, panels: widths.map(curves) },
      { height: 200, panels: widths.map(alone) },
    ],
  });
}

/** Figure 5 of Ouyang et al. (2024): QiD against bit width, with the bit-width law (Eq. 7). */
import * as Plot from "@observablehq/plot";
import type { DataFrame } from "nodejs-polars";
import { loadFigure2 } from "../data.ts";
import { type Fit, fit, type FittedLaw, predict, published } from "../laws/mod.ts";
import { qidAxis, tokensAxis } from "./axes.ts";
import { curvesLaw, withExponent } from "./curves_law.ts";
import { type Figure, figure } from "./layout.ts";
import { curve, labels, logCurve, points } from "./marks.ts";
import type { Panel } from "./panel.ts";
import { distinct, plusMinus, pythiaRows } from "./pythia.ts";
import { bitColour, countLabel, fontSizes, ink, lawDashes, rule } from "./style.ts";

/** Options of {@link figure5}. */
export interface Figure5Options {
  /** Columns model, size, tokens, bits, qid; `loadFigure2()` if left out. */
  frame?: DataFrame;
  /** A fit of `curvesLaw("bits", frame)`; made here if left out. */
  fit?: Fit;
  /** The exponent to compare with; the published one if left out. */
  exponent?: number;
  /** The law of the 4-bit marks; the one behind Table 1 if left out. */
  fourBits?: FittedLaw;
}

/** Pythia steps of the two left panels. */
const drawnSteps = [14_000, 98_000];
const tokensPerStep = 2_097_152;

/** Draws Figure 5: QiD over bit width at two token counts, and the exponent at every one. */
export function figure5(options: Figure5Options = {}): Figure {
  const frame: DataFrame = options.frame ?? loadFigure2();
  const rows = pythiaRows(frame);
  const law = curvesLaw("bits", frame);
  const fitted = options.fit ?? fit(law, frame);
  const exponent = options.exponent ?? published.bits.bitExponent;
  const reference = withExponent(law, frame, exponent);
  const fourBits = options.fourBits ??
    { law: "per-bit-width", parameters: published["per-bit-width"] };
  const sizes = distinct(rows, "label").map((label) => ({
    label,
    size: rows.find((row) => row.label === label)!.size,
  }));
  const domain: [number, number] = [1.8, 4.5];
  const curvePanel = (step: number, first: boolean): Panel => {
    const tokens = step * tokensPerStep;
    return {
      heading: `${countLabel(Number(tokens.toPrecision(3)))} tokens`,
      x: { label: "Bit width *P* (bits)", domain, log: true, ticks: [2, 3, 4] },
      y: qidAxis({
        domain: [0.003, 10],
        log: true,
        ticks: [0.01, 0.1, 1, 10],
        ...(first ? {} : { label: "" }),
      }),
      left: first ? 52 : 38,
      right: 4,
      marks: () =>
        sizes.flatMap(({ label, size }) => [
          logCurve(domain, (bits) => predict(law, fitted.parameters, { size, tokens, bits })),
          logCurve(domain, (bits) => predict(law, reference, { size, tokens, bits }), {
            dash: lawDashes.published,
            width: 1,
          }),
          ...rows.filter((row) => row.label === label && row.tokens === tokens && row.qid > 0)
            .flatMap(({ bits, qid }) =>
              points([{ x: bits, y: qid }], {
                provenance: "digitised",
                colour: bitColour(bits),
                size: label,
                radius: 4.5,
              })
            ),
          ...points([{
            x: 4,
            y: predict(fourBits.law, fourBits.parameters, { size, tokens, bits: 4 }),
          }], {
            provenance: "predicted",
            colour: bitColour(4),
            size: label,
            radius: 4.5,
          }),
        ]),
    };
  };
  const alone = sizes.map(({ label, size }) => ({
    label,
    at: distinct(rows, "tokens").flatMap((tokens) => {
      const [two, three] = [2, 3].map((bits) =>
        rows.find((row) => row.size === size && row.tokens === tokens && row.bits === bits)
      );
      if (two === undefined || three === undefined || !(two.qid > 0 && three.qid > 0)) return [];
      return [{ x: tokens, y: Math.log(two.qid / three.qid) / Math.log(3 / 2) }];
    }),
  }));
  const shared = fitted.parameters.bitExponent!;
  const exponentPanel: Panel = {
    heading: "Exponent γ, by tokens",
    x: tokensAxis({ domain: [3.6e9, 3.6e11], ticks: [1e10, 1e11] }),
    y: { label: "γ (dimensionless)", domain: [3, 8], ticks: [3, 4, 5, 6, 7, 8] },
    left: 58,
    right: 12,
    marks: (frame) => {
      const places = frame.spread(alone.map(({ at }) => at.at(-1)!.y), 13);
      return [
        Plot.ruleY([exponent], { stroke: ink, strokeDasharray: lawDashes.published }),
        Plot.ruleY([shared], { stroke: rule }),
        ...alone.flatMap(({ label, at }, i) => [
          curve(at, { colour: rule, width: 1 }),
          ...points(at, { provenance: "digitised", size: label, radius: 3 }),
          labels([{ x: at.at(-1)!.x, y: places[i]!, text: label }], {
            dx: 8,
            size: fontSizes.tick,
          }),
        ]),
      ];
    },
  };
  const gamma = plusMinus(fitted, { name: "bitExponent", symbol: "γ", digits: 2 });
  return figure({
    name: "figure-5",
    title: "QiD against bit width: the bit-width law, QiD ∝ 1 / *P*^{γ}",
    caption:
      "**After Figure 5 of Ouyang et al. (2024).** QiD at 2 and 3 bits is **digitised** from " +
      "Figure 2. QiD at 4 bits is not in it: those marks are **predicted** by the 4-bit law behind " +
      `Table 1. Lines are predicted: solid, our fit of one ${gamma} (two standard errors) to the ` +
      "digitised points (least squares of QiD, a scale for each pair); dashed, the **published** " +
      `γ = ${exponent}. Right: γ from each pair of 2 and 3 bits alone, ln(QiD_{2}/QiD_{3}) / ln(3/2).`,
    legend: [
      ...sizes.map(({ label }) => ({
        label,
        point: { provenance: "digitised", size: label } as const,
      })),
      { label: "open marks: digitised" },
      {
        label: "4 bits: predicted",
        point: { provenance: "predicted", colour: bitColour(4), radius: 4.5 },
      },
      { label: "our fit, one γ", line: {} },
      { label: "published γ", line: { dash: lawDashes.published, width: 1 } },
    ],
    rows: [{
      height: 330,
      panels: [...drawnSteps.map((step, i) => curvePanel(step, i === 0)), exponentPanel],
    }],
  });
}

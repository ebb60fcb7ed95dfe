/** Figure 4 of Ouyang et al. (2024): QiD against model size, with the size law (Eq. 6). */
import * as Plot from "@observablehq/plot";
import pl, { type DataFrame } from "nodejs-polars";
import { loadFigure2 } from "../data.ts";
import { type Fit, fit, predict, published } from "../laws/mod.ts";
import { qidAxis, sizeAxis, tokensAxis } from "./axes.ts";
import { curvesLaw, withExponent } from "./curves_law.ts";
import { type Figure, figure } from "./layout.ts";
import { curve, labels, logCurve, points } from "./marks.ts";
import type { Panel } from "./panel.ts";
import { distinct, plusMinus, pythiaRows } from "./pythia.ts";
import { bitColour, countLabel, fontSizes, ink, lawDashes, rule } from "./style.ts";

/** Options of {@link figure4}. */
export interface Figure4Options {
  /** Columns model, size, tokens, bits, qid; `loadFigure2()` if left out. */
  frame?: DataFrame;
  /** A fit of `curvesLaw("size", frame)`; made here if left out. */
  fit?: Fit;
  /** The exponent to compare with; the published one if left out. */
  exponent?: number;
}

/** Pythia steps of the curves that are drawn; all are fitted. */
const drawnSteps = [4_000, 14_000, 43_000, 98_000];
const tokensPerStep = 2_097_152;

/** Draws Figure 4: digitised QiD over size at four token counts, and the exponent at every one. */
export function figure4(options: Figure4Options = {}): Figure {
  const frame: DataFrame = options.frame ?? loadFigure2();
  const rows = pythiaRows(frame);
  const law = curvesLaw("size", frame);
  const fitted = options.fit ?? fit(law, frame);
  const exponent = options.exponent ?? published.size.sizeExponent;
  const reference = withExponent(law, frame, exponent);
  const domain: [number, number] = [6e7, 1.6e10];
  const drawn = drawnSteps.map((step) => step * tokensPerStep);
  const curvePanel = (bits: number): Panel => ({
    heading: `${bits} bits`,
    x: sizeAxis({
      label: "Model size *N* (parameters)",
      domain,
      ticks: [1e8, 1e9, 1e10],
    }),
    y: qidAxis({
      domain: [0.01, 10],
      log: true,
      ticks: [0.01, 0.03, 0.1, 0.3, 1, 3, 10],
      ...(bits === 2 ? {} : { label: "" }),
    }),
    left: bits === 2 ? 52 : 38,
    right: 34,
    marks: (frame) => {
      const own = rows.filter((row) => row.bits === bits && drawn.includes(row.tokens));
      const at = (tokens: number, size: number) =>
        predict(law, fitted.parameters, { size, tokens, bits });
      const places = frame.spread(drawn.map((tokens) => at(tokens, domain[1])), 13);
      return [
        ...drawn.flatMap((tokens) => [
          logCurve(domain, (size) => at(tokens, size), { colour: bitColour(bits) }),
          logCurve(domain, (size) => predict(law, reference, { size, tokens, bits }), {
            dash: lawDashes.published,
            width: 1,
          }),
        ]),
        ...drawn.map((tokens) =>
          curve(
            own.filter((row) => row.tokens === tokens).map(({ size, qid }) => ({
              x: size,
              y: qid,
            })),
            { colour: rule, dash: "1 2", width: 1 },
          )
        ),
        ...distinct(rows, "label").flatMap((label) =>
          points(
            own.filter((row) => row.label === label && row.qid > 0)
              .map(({ size, qid }) => ({ x: size, y: qid })),
            { provenance: "digitised", colour: bitColour(bits), size: label },
          )
        ),
        labels(
          drawn.map((tokens, i) => ({
            x: domain[1],
            y: places[i]!,
            text: countLabel(Number(tokens.toPrecision(3))),
          })),
          { dx: 4, size: fontSizes.tick, colour: bitColour(bits) },
        ),
      ];
    },
  });
  const alone = distinct(rows, "bits").map((bits) => ({
    bits,
    at: distinct(rows, "tokens").flatMap((tokens) => {
      const part = frame.filter(pl.col("bits").eq(bits).and(pl.col("tokens").eq(tokens)));
      if (part.height < 3) return [];
      return [{ x: tokens, y: fit("size", part).parameters.sizeExponent! }];
    }),
  }));
  const shared = fitted.parameters.sizeExponent!;
  const exponentPanel: Panel = {
    heading: "Exponent α, by tokens",
    x: tokensAxis({ domain: [3.2e9, 2.4e11], ticks: [1e10, 1e11] }),
    y: { label: "α (dimensionless)", domain: [0, 0.6], ticks: [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6] },
    left: 58,
    right: 12,
    marks: () => [
      Plot.ruleY([exponent], { stroke: ink, strokeDasharray: lawDashes.published }),
      Plot.ruleY([shared], { stroke: rule }),
      ...alone.flatMap(({ bits, at }) => [
        curve(at, { colour: bitColour(bits), width: 1 }),
        ...points(at, { provenance: "digitised", colour: bitColour(bits), radius: 3 }),
        labels([{ ...at[0]!, text: `${bits} bits` }], {
          dy: bits === 2 ? 16 : -13,
          dx: -2,
          colour: bitColour(bits),
        }),
      ]),
    ],
  };
  const alpha = plusMinus(fitted, { name: "sizeExponent", symbol: "α", digits: 3 });
  return figure({
    name: "figure-4",
    title: "QiD against model size: the size law, QiD ∝ 1 / *N*^{α}",
    caption:
      "**After Figure 4 of Ouyang et al. (2024).** Marks: QiD **digitised** from Figure 2, at " +
      "four token counts (numbers at the right; dotted lines join one count); *N* counts " +
      "non-embedding parameters. Lines are **predicted**: solid, our fit of one " +
      `${alpha} (two standard errors) to all curves (least squares of QiD, a scale for each); ` +
      `dashed, the **published** α = ${exponent} with a scale fitted to each curve. Right: α fitted ` +
      "at each token count alone, from three sizes and so without an interval.",
    legend: [
      ...distinct(rows, "label").map((label) => ({
        label,
        point: { provenance: "digitised", size: label } as const,
      })),
      { label: "marks: digitised" },
      { label: "our fit, one α", line: {} },
      { label: "published α", line: { dash: lawDashes.published, width: 1 } },
    ],
    rows: [{ height: 330, panels: [curvePanel(2), curvePanel(3), exponentPanel] }],
  });
}

/** Figure 3 of Ouyang et al. (2024) from the miniature suite: QiD against training tokens, with the token law (Eq. 5). */
import pl, { type DataFrame } from "nodejs-polars";
import { fit, predict, published } from "../../laws/mod.ts";
import { loadSuiteQid } from "../../suite_tables.ts";
import { curvesLaw } from "../curves_law.ts";
import { exponentPanel } from "../exponent_panel.ts";
import { type Figure, figure } from "../layout.ts";
import { logCurve } from "../marks.ts";
import { distinct, estimate, exponentOf, plusMinus } from "../pythia.ts";
import { bitColour, lawDashes } from "../style.ts";
import { curvesPanel } from "./curves_panel.ts";
import { bytesDomain, suiteLegend, suiteRows, suiteSource, suiteSymbols } from "./series.ts";

/** Options of {@link suiteFigure3}. */
export interface SuiteFigure3Options {
  /** Rows of `loadSuiteQid()`; these if left out. */
  frame?: DataFrame;
}

/** Draws measured QiD over bytes, one exponent for each bit width, and the exponent of each curve. */
export function suiteFigure3(options: SuiteFigure3Options = {}): Figure {
  const frame: DataFrame = options.frame ?? loadSuiteQid();
  const rows = suiteRows(frame);
  const symbol = suiteSymbols(rows);
  const sizes = distinct(rows, "label");
  const widths = [2, 3, 4].map((bits) => {
    const part = frame.filter(pl.col("bits").eq(bits));
    const law = curvesLaw("tokens", part);
    return { bits, part, law, fitted: fit(law, part) };
  });
  const all = fit(curvesLaw("tokens", frame), frame);
  const curves = ({ bits, law, fitted }: typeof widths[0]) =>
    curvesPanel(rows, bits, (size) => [
      logCurve(bytesDomain, (tokens) => predict(law, fitted.parameters, { size, tokens, bits }), {
        colour: bitColour(bits),
        width: 1,
      }),
    ]);
  const exponents = ({ bits, part, fitted }: typeof widths[0]) => {
    const together = estimate(fitted, "tokenExponent");
    const colour = bitColour(bits);
    return exponentPanel([
      ...sizes.map((label) => {
        const { size } = rows.find((row) => row.label === label)!;
        const own = exponentOf("token", "tokenExponent", part.filter(pl.col("size").eq(size)));
        return {
          label,
          value: own.value,
          interval: [own.lower, own.upper] as const,
          look: { provenance: "measured", colour, symbol: symbol(label) } as const,
        };
      }),
      {
        label: "all sizes",
        value: together.value,
        interval: [together.lower, together.upper],
        look: { provenance: "measured", colour },
      },
      {
        label: "published",
        value: published.token.tokenExponent,
        look: { provenance: "published" },
      },
    ], {
      heading: `β at ${bits} bits`,
      label: "β (dimensionless)",
      domain: [0, 1.5],
      ticks: [0, 0.5, 1, 1.5],
      reference: published.token.tokenExponent,
      digits: 2,
      left: 70,
    });
  };
  return figure({
    name: "suite-figure-3",
    title: "QiD grows with training tokens, at every size and bit width: the miniature suite",
    caption: `**After Figure 3 of Ouyang et al. (2024).** ${suiteSource} Values below 0.0005 ` +
      "are left out. Lines are **predicted**: one β for all sizes of a bit width, a scale for each size " +
      "(least squares of QiD, so large QiD weighs most). Below: β of each size alone, of all sizes, and " +
      `the **published** ${published.token.tokenExponent}; bars are two standard errors, checkpoints ` +
      `taken as independent. One β for all sizes and bit widths: ${
        plusMinus(all, { name: "tokenExponent", symbol: "β", digits: 3 })
      }.`,
    legend: [
      ...suiteLegend(rows),
      { label: "marks: measured" },
      { label: "predicted: one β a bit width", line: { width: 1 } },
      { label: "published β", line: { dash: lawDashes.published, width: 1 } },
    ],
    rows: [
      { height: 330, panels: widths.map(curves) },
      { height: 60 + 30 * (sizes.length + 2), panels: widths.map(exponents) },
    ],
  });
}

/** Figure 3 of Ouyang et al. (2024): QiD against training tokens, with the token law (Eq. 5). */
import pl, { type DataFrame } from "nodejs-polars";
import { loadFigure2 } from "../data.ts";
import { type Fit, fit, predict, published } from "../laws/mod.ts";
import { qidAxis, tokensAxis } from "./axes.ts";
import { curvesLaw, withExponent } from "./curves_law.ts";
import { exponentPanel } from "./exponent_panel.ts";
import { type Figure, figure } from "./layout.ts";
import { logCurve, points } from "./marks.ts";
import type { Panel } from "./panel.ts";
import { distinct, estimate, exponentOf, pythiaRows } from "./pythia.ts";
import { bitColour, ink, lawDashes } from "./style.ts";

/** Options of {@link figure3}. */
export interface Figure3Options {
  /** Columns model, size, tokens, bits, qid; `loadFigure2()` if left out. */
  frame?: DataFrame;
  /** A fit of `curvesLaw("tokens", frame)`; made here if left out. */
  fit?: Fit;
  /** The exponent to compare with; the published one if left out. */
  exponent?: number;
}

/** Draws Figure 3: digitised QiD over tokens, one exponent for all curves, and an exponent for each. */
export function figure3(options: Figure3Options = {}): Figure {
  const frame: DataFrame = options.frame ?? loadFigure2();
  const rows = pythiaRows(frame);
  const law = curvesLaw("tokens", frame);
  const fitted = options.fit ?? fit(law, frame);
  const exponent = options.exponent ?? published.token.tokenExponent;
  const reference = withExponent(law, frame, exponent);
  const series = distinct(rows, "bits").flatMap((bits) =>
    distinct(rows, "label").map((label) => {
      const own = rows.filter((row) => row.bits === bits && row.label === label);
      const { size } = own[0]!;
      const part = frame.filter(pl.col("bits").eq(bits).and(pl.col("size").eq(size)));
      return { bits, label, size, own, alone: exponentOf("token", "tokenExponent", part) };
    })
  );
  const domain: [number, number] = [3.6e9, 2.4e11];
  const curvePanel = (bits: number): Panel => ({
    heading: `${bits} bits`,
    x: tokensAxis({ domain, ticks: [1e10, 1e11] }),
    y: qidAxis({
      domain: [0.01, 10],
      log: true,
      ticks: [0.01, 0.03, 0.1, 0.3, 1, 3, 10],
      ...(bits === 2 ? {} : { label: "" }),
    }),
    left: bits === 2 ? 52 : 38,
    right: 4,
    marks: () =>
      series.filter((one) => one.bits === bits).flatMap(({ label, size, own }) => [
        logCurve(domain, (tokens) => predict(law, fitted.parameters, { size, tokens, bits }), {
          colour: bitColour(bits),
        }),
        logCurve(domain, (tokens) => predict(law, reference, { size, tokens, bits }), {
          dash: lawDashes.published,
          width: 1,
        }),
        ...points(
          own.filter(({ qid }) => qid > 0).map(({ tokens, qid }) => ({ x: tokens, y: qid })),
          {
            provenance: "digitised",
            colour: bitColour(bits),
            size: label,
            radius: 3.6,
          },
        ),
      ]),
  });
  const shared = estimate(fitted, "tokenExponent");
  const exponents = exponentPanel([
    ...series.map(({ bits, label, alone }) => ({
      label: `${bits} bits, ${label}`,
      value: alone.value,
      interval: [alone.lower, alone.upper] as const,
      look: { provenance: "digitised", colour: bitColour(bits), size: label } as const,
    })),
    {
      label: "all curves",
      value: shared.value,
      interval: [shared.lower, shared.upper],
      look: { provenance: "digitised" },
    },
    { label: "published", value: exponent, look: { provenance: "published" } },
  ], {
    heading: "Exponent β",
    label: "β (dimensionless)",
    domain: [0.3, 1.1],
    ticks: [0.4, 0.6, 0.8, 1],
    reference: exponent,
    digits: 3,
    left: 84,
  });
  return figure({
    name: "figure-3",
    title: "QiD against training tokens: the token law, QiD ∝ *D*^{β}",
    caption: "**After Figure 3 of Ouyang et al. (2024).** Marks: QiD **digitised** from Figure 2 " +
      "(4-bit values are not in it); values of 0 and below cannot be drawn. Lines are **predicted**: " +
      "solid, our fit of one β to all curves, a scale for each; dashed, the **published** β with a " +
      "scale fitted to each curve. Both fits minimise squares of QiD itself, so large QiD weighs " +
      "most. Right: β of each curve alone, with two standard errors on each side (rows taken as " +
      "independent).",
    legend: [
      ...distinct(rows, "label").map((label) => ({
        label,
        point: { provenance: "digitised", size: label } as const,
      })),
      { label: "marks: digitised" },
      { label: "our fit, one β", line: {} },
      { label: "published β", line: { dash: lawDashes.published, width: 1 } },
      { label: "published value", point: { provenance: "published", colour: ink } },
    ],
    rows: [{ height: 330, panels: [curvePanel(2), curvePanel(3), exponents] }],
  });
}

/** Figure 6 of Ouyang et al. (2024): the unified law (Eq. 8) over tokens, sizes and bit widths. */
import type { DataFrame } from "nodejs-polars";
import { loadFigure2 } from "../data.ts";
import { type Fit, fit, type FittedLaw, predict, published } from "../laws/mod.ts";
import { qidAxis, tokensAxis } from "./axes.ts";
import { type Figure, figure } from "./layout.ts";
import { labels, logCurve, points } from "./marks.ts";
import type { Panel } from "./panel.ts";
import { distinct, plusMinus, pythiaRows } from "./pythia.ts";
import { bitColour, fontSizes, ink, lawDashes } from "./style.ts";

/** Options of {@link figure6}. */
export interface Figure6Options {
  /** Columns model, size, tokens, bits, qid; `loadFigure2()` if left out. */
  frame?: DataFrame;
  /** A fit of the unified law to the frame; made here if left out. */
  fit?: Fit;
  /** The law to compare with; the published unified law if left out. */
  reference?: FittedLaw;
}

const scales = [
  { bits: 2, top: 6.2, ticks: [0, 1, 2, 3, 4, 5, 6] },
  { bits: 3, top: 1.05, ticks: [0, 0.2, 0.4, 0.6, 0.8, 1] },
  { bits: 4, top: 0.21, ticks: [0, 0.05, 0.1, 0.15, 0.2] },
];

/** Draws Figure 6: our unified fit and the published one over the digitised points. */
export function figure6(options: Figure6Options = {}): Figure {
  const frame: DataFrame = options.frame ?? loadFigure2();
  const rows = pythiaRows(frame);
  const fitted = options.fit ?? fit("unified", frame);
  const reference = options.reference ?? { law: "unified", parameters: published.unified };
  const perBitWidth = { law: "per-bit-width", parameters: published["per-bit-width"] };
  const sizes = distinct(rows, "label").map((label) => ({
    label,
    size: rows.find((row) => row.label === label)!.size,
  }));
  const domain: [number, number] = [3.6e9, 2.4e11];
  const panel = ({ bits, top, ticks }: typeof scales[0]): Panel => ({
    heading: `${bits} bits${bits === 4 ? ": laws only" : ""}`,
    x: tokensAxis({ domain, ticks: [1e10, 1e11] }),
    y: qidAxis({ domain: [-0.02 * top, top], ticks, ...(bits === 2 ? {} : { label: "" }) }),
    left: bits === 2 ? 48 : 36,
    right: 38,
    marks: (frame) => {
      const drawn = [
        { law: fitted, look: { colour: bitColour(bits) } },
        { law: reference, look: { colour: ink, dash: lawDashes.published, width: 1 } },
        ...(bits === 4
          ? [{ law: perBitWidth, look: { colour: bitColour(bits), dash: "2 3" } }]
          : []),
      ];
      const ends = sizes.map(({ size }) =>
        predict(fitted.law, fitted.parameters, { size, tokens: domain[1], bits })
      );
      const places = frame.spread(ends, 13);
      return [
        ...drawn.flatMap(({ law, look }) =>
          sizes.map(({ size }) =>
            logCurve(
              domain,
              (tokens) => predict(law.law, law.parameters, { size, tokens, bits }),
              look,
            )
          )
        ),
        ...sizes.flatMap(({ label }) =>
          points(
            rows.filter((row) => row.label === label && row.bits === bits)
              .map(({ tokens, qid }) => ({ x: tokens, y: qid })),
            { provenance: "digitised", colour: bitColour(bits), size: label, radius: 3.6 },
          )
        ),
        labels(sizes.map(({ label }, i) => ({ x: domain[1], y: places[i]!, text: label })), {
          dx: 5,
          size: fontSizes.tick,
          colour: bitColour(bits),
        }),
      ];
    },
  });
  const estimates = [
    { name: "tokenExponent", symbol: "β", digits: 3 },
    { name: "sizeExponent", symbol: "α", digits: 3 },
    { name: "bitExponent", symbol: "γ", digits: 2 },
  ].map((parameter) => plusMinus(fitted, parameter)).join(", ");
  return figure({
    name: "figure-6",
    title: "The unified law: QiD = *k* *D*^{β} / (*N*^{α} *P*^{γ})",
    caption:
      "**After Figure 6 of Ouyang et al. (2024).** Marks: QiD **digitised** from Figure 2. Lines " +
      "are **predicted**: solid, our fit to all digitised points (least squares of QiD: " +
      `${estimates}, two standard errors); dashed, the **published** law (β = 0.5251, ` +
      "α = 0.2261, γ = 5.4967, *k* = 0.017). There are no digitised points at 4 bits; dotted there: " +
      "the 4-bit law behind Table 1. The scales of QiD differ.",
    legend: [
      ...sizes.map(({ label }) => ({
        label,
        point: { provenance: "digitised", size: label } as const,
      })),
      { label: "marks: digitised" },
      { label: "predicted: our fit", line: {} },
      { label: "published law", line: { dash: lawDashes.published, width: 1 } },
      { label: "4-bit law of Table 1", line: { dash: "2 3", colour: bitColour(4) } },
    ],
    rows: [{ height: 330, panels: scales.map(panel) }],
  });
}

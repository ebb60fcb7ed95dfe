/** Figure 1 of Ouyang et al. (2024): QiD projected to 100 trillion training tokens. */
import * as Plot from "@observablehq/plot";
import { loadFigure1Labels } from "../data.ts";
import { findLaw, type FittedLaw, predict, published } from "../laws/mod.ts";
import { qidAxis, tokensAxis } from "./axes.ts";
import { type Figure, figure } from "./layout.ts";
import { labels, logCurve, points } from "./marks.ts";
import type { Panel } from "./panel.ts";
import { rowsOf } from "./rows.ts";
import { bitColour, fontSizes, ink, rule, sizeDashes, sizeLabel, zone } from "./style.ts";

/** Options of {@link figure1}. */
export interface Figure1Options {
  /** The law behind the curves; the per-bit-width laws behind Table 1 if left out. */
  law?: FittedLaw;
}

/** QiD of a uniform guess over about 100,000 tokens, where the grey zone of the paper starts. */
const zoneStart = Math.log(100_000);
const pythiaVocabulary = 50_304;

const scales = [
  { bits: 2, top: 60, ticks: [0, 10, 20, 30, 40, 50, 60] },
  { bits: 3, top: 13, ticks: [0, 2, 4, 6, 8, 10, 12] },
  { bits: 4, top: 2, ticks: [0, 0.5, 1, 1.5, 2] },
];

/**
 * Draws Figure 1: a law's QiD for 7B, 70B and 405B, and the nine published labels at 100T tokens.
 *
 * ```ts
 * import assert from "node:assert/strict";
 * import { published } from "../laws/mod.ts";
 * import { figure1 } from "./mod.ts";
 *
 * const asPublished = figure1();
 * const unified = figure1({ law: { law: "unified", parameters: published.unified } });
 * assert.ok(asPublished.svg.startsWith("<?xml"));
 * assert.notEqual(asPublished.svg, unified.svg);
 * ```
 */
export function figure1(options: Figure1Options = {}): Figure {
  const law = options.law ?? { law: "per-bit-width", parameters: published["per-bit-width"] };
  const cells = rowsOf(loadFigure1Labels().sort(["bits", "size"]), [
    "size",
    "bits",
    "tokens",
    "qid",
  ]);
  const sizes = [...new Set(cells.map(({ size }) => size))];
  const tokens: [number, number] = [1e11, 1.5e14];
  const panel = ({ bits, top, ticks }: typeof scales[0]): Panel => ({
    heading: `${bits} bits`,
    x: tokensAxis({ domain: tokens, ticks: [1e11, 1e12, 1e13, 1e14] }),
    y: qidAxis({ domain: [0, top], ticks, ...(bits === 2 ? {} : { label: "" }) }),
    left: bits === 2 ? 48 : 32,
    right: 38,
    marks: () => {
      const own = cells.filter((cell) => cell.bits === bits);
      const colour = bitColour(bits);
      return [
        top < zoneStart ? null : [
          Plot.rect([0], { y1: zoneStart, y2: top, fill: zone }),
          Plot.ruleY([Math.log(pythiaVocabulary)], { stroke: ink, strokeDasharray: "1 2" }),
          labels([{ x: 1.2e11, y: top, text: "worse than random" }], {
            dy: 11,
            size: fontSizes.tick,
            rim: zone,
          }),
          labels([{ x: 1.2e11, y: Math.log(pythiaVocabulary), text: "ln 50,304" }], {
            dy: bits === 2 ? 9 : 10,
            size: fontSizes.tick,
          }),
        ],
        Plot.ruleX([1e14], { stroke: rule }),
        ...sizes.map((size) =>
          logCurve(tokens, (at) => predict(law.law, law.parameters, { size, tokens: at, bits }), {
            colour,
            dash: sizeDashes[sizeLabel(size)],
          })
        ),
        ...own.flatMap(({ size, tokens, qid }) => [
          ...points([{ x: tokens, y: qid }], {
            provenance: "published",
            colour,
            size: sizeLabel(size),
            radius: 4.5,
          }),
          labels([{ x: tokens, y: qid, text: qid.toFixed(2) }], {
            dx: 13,
            size: fontSizes.tick,
            colour,
          }),
        ]),
      ].flat();
    },
  });
  const { name, title } = findLaw(law.law);
  const predicted = name === "per-bit-width"
    ? "one law per bit width (QiD = *k*_{P} *D*^{β} / *N*^{α}), which gives Table 1 and the nine " +
      "**published** labels at 100T tokens to their rounding; the unified law of the paper does not"
    : `the ${title.toLowerCase()}; marks are the nine **published** labels at 100T tokens`;
  return figure({
    name: "figure-1",
    title: "QiD projected to 100 trillion training tokens",
    caption:
      `**Figure 1 of Ouyang et al. (2024), redrawn.** Lines are **predicted** by ${predicted}. ` +
      "Grey: QiD above 11.51 = ln\u00a0100,000, the loss of a uniform guess over 100,000 tokens, where " +
      "the zone of the paper starts. Dotted line: 10.83 = ln\u00a050,304, a uniform guess over Pythia’s " +
      "vocabulary. The scales of QiD differ.",
    legend: [
      ...sizes.map((size) => ({
        label: sizeLabel(size),
        line: { dash: sizeDashes[sizeLabel(size)] },
        point: { provenance: "published", size: sizeLabel(size) } as const,
      })),
      { label: "lines: predicted" },
      { label: "marks: published" },
      { label: "QiD above ln 100,000", area: zone },
    ],
    rows: [{ height: 330, panels: scales.map(panel) }],
  });
}

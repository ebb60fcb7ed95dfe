/** QiD over N and D: the contours of the published law, with what was measured on public models. */
import type { DataFrame } from "nodejs-polars";
import {
  type FittedLaw,
  type PublicPoint,
  publicPoints,
  published,
  tokensFor,
} from "../laws/mod.ts";
import { loadPublic } from "../public.ts";
import { sizeAxis, tokensAxis } from "./axes.ts";
import { type Figure, figure } from "./layout.ts";
import { labels, logCurve } from "./marks.ts";
import type { Frame, Panel } from "./panel.ts";
import { placeLabels } from "./place_labels.ts";
import { confirmedNote, familyLegend, publicMarks } from "./public_marks.ts";
import { bitColour, fontSizes, ink, lawDashes, muted } from "./style.ts";

/** Options of {@link realContours}. */
export interface RealContoursOptions {
  /** Rows of `loadPublic()`, which is the default. */
  frame?: DataFrame;
  /** The law whose contours are drawn; the published unified law if left out. */
  law?: FittedLaw;
}

const sizes: [number, number] = [5e7, 4.5e11];
const tokens: [number, number] = [9e10, 9e13];
const panels = [
  { bits: 4, levels: [0.01, 0.03, 0.1, 0.3, 1] },
  { bits: 3, levels: [0.03, 0.1, 0.3, 1, 3] },
];

/** Draws N and D of public models with their QiD, GPTQ with one scale a row, at 4 and 3 bits. */
export function realContours(options: RealContoursOptions = {}): Figure {
  const frame = options.frame ?? loadPublic();
  const law = options.law ?? { law: "unified", parameters: published.unified };
  const all = publicPoints(frame, { methods: ["gptq"], groupSize: 0 });
  const panel = ({ bits, levels }: typeof panels[0], left: boolean): Panel => ({
    heading: `${bits} bits`,
    x: sizeAxis({ domain: sizes, ticks: [1e8, 1e9, 1e10, 1e11], grid: false }),
    y: tokensAxis({
      domain: tokens,
      ticks: [1e11, 1e12, 1e13],
      grid: false,
      ...(left ? {} : { label: "" }),
    }),
    left: left ? 56 : 40,
    right: 34,
    marks: (box) => {
      const rows = all.filter((row) => row.bits === bits);
      const at = (qid: number, size: number) =>
        tokensFor(law.law, law.parameters, { size, bits, qid });
      return [
        ...levels.map((qid) =>
          logCurve(sizes, (size) => at(qid, size), {
            colour: muted,
            dash: lawDashes.published,
            width: 1,
          })
        ),
        ...levels.flatMap((qid) => contourLabel(qid, (size) => at(qid, size))),
        ...publicMarks(rows.map((row) => ({
          x: row.size,
          y: row.tokens,
          family: row.family,
          confirmed: row.confirmed,
          colour: bitColour(bits),
        }))),
        ...placed(rows, box),
      ];
    },
  });
  return figure({
    name: "real-contours",
    title: "Where real models lie: QiD over size and training tokens",
    caption:
      "Public base models quantized by GPTQ with one scale a row. Numbers at the marks: QiD on " +
      "WikiText-2, **published**, in nats per token. Dashed: contours of the **published** unified " +
      "law, as **predicted** from Pythia, with their QiD at the right end. Along a contour the law " +
      "says that QiD stays the same; where the law is right, a mark's number fits the contours " +
      "beside it. " + confirmedNote,
    legend: [
      ...familyLegend(all),
      { label: "published law", line: { colour: muted, dash: lawDashes.published, width: 1 } },
    ],
    rows: [{ height: 420, panels: panels.map((one, i) => panel(one, i === 0)) }],
  });
}

/** The QiD of a contour, where it leaves the frame on the right or, if it rises out of it, at the top. */
function contourLabel(qid: number, tokensAt: (size: number) => number) {
  const look = { size: fontSizes.tick, colour: muted };
  const [start, end] = sizes.map(tokensAt);
  const text = String(qid);
  if (end! < tokens[0] || start! > tokens[1]) return [];
  if (end! < tokens[1]) return [labels([{ x: sizes[1], y: end!, text }], { ...look, dx: 4 })];
  let [low, high] = sizes;
  for (let step = 0; step < 40; step++) {
    const middle = Math.sqrt(low * high);
    if (tokensAt(middle) < tokens[1]) low = middle;
    else high = middle;
  }
  return [labels([{ x: low, y: tokens[1], text }], { ...look, dx: 4, dy: 8 })];
}

/** The numbers beside the marks, moved apart. */
function placed(rows: readonly PublicPoint[], { width, height }: Frame) {
  const along = (value: number, [low, high]: [number, number]) =>
    Math.log(value / low) / Math.log(high / low);
  const texts = rows.map(({ size, tokens: d, qid }) => ({
    x: along(size, sizes) * width,
    y: (1 - along(d, tokens)) * height,
    text: qid.toPrecision(2).replace(/^0\./, "."),
  }));
  const places = placeLabels(texts, {
    fontSize: fontSizes.tick,
    within: { left: 2, right: width - 2, top: 2, bottom: height - 2 },
  });
  return rows.map(({ size, tokens: d }, i) =>
    labels([{ x: size, y: d, text: texts[i]!.text }], {
      anchor: "middle",
      size: fontSizes.tick,
      colour: ink,
      ...places[i]!,
    })
  );
}

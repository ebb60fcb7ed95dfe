/** Figure 11 of Ouyang et al. (2024) at real scale: size, training tokens and QiD of public models. */
import * as Plot from "@observablehq/plot";
import type { DataFrame } from "nodejs-polars";
import { type PublicPoint, publicPoints } from "../laws/mod.ts";
import { loadPublic } from "../public.ts";
import { sizeAxis, tokensAxis } from "./axes.ts";
import { type Figure, figure } from "./layout.ts";
import { labels, logCurve } from "./marks.ts";
import type { Panel } from "./panel.ts";
import { bitColour, fontSizes, muted, rule } from "./style.ts";

/** Options of {@link figure11Real}. */
export interface Figure11RealOptions {
  /** Rows of `loadPublic()`, which is the default. */
  frame?: DataFrame;
}

const sets = [
  { heading: "GPTQ, 4 bits, one scale a row", groupSize: 0 },
  { heading: "GPTQ, 4 bits, groups of 128", groupSize: 128 },
];
/** Radius in pixels of a QiD of 0.1 nats per token; areas are proportional to QiD. */
const unit = 11;
const radius = (qid: number) => unit * Math.sqrt(qid / 0.1);

/** Draws each model as a disc with the area of its QiD, over size and tokens. */
export function figure11Real(options: Figure11RealOptions = {}): Figure {
  const frame = options.frame ?? loadPublic();
  const colour = bitColour(4);
  const disc = (rows: readonly { x: number; y: number; r: number }[], sure: boolean) =>
    rows.map(({ r, ...at }) =>
      Plot.dot([at], {
        x: "x",
        y: "y",
        r,
        fill: sure ? colour : "none",
        fillOpacity: sure ? 0.35 : 0,
        stroke: colour,
        strokeWidth: sure ? 1.4 : 1,
        strokeOpacity: sure ? 1 : 0.45,
      })
    );
  const drawn = sets.map((set) => ({
    ...set,
    rows: publicPoints(frame, { methods: ["gptq"], groupSize: set.groupSize, bits: [4] }),
  }));
  const sizes: [number, number] = [4e7, 4e11];
  const panel = ({ heading, rows }: typeof drawn[0], left: boolean): Panel => ({
    heading,
    x: sizeAxis({ domain: sizes, ticks: [1e8, 1e9, 1e10, 1e11] }),
    y: tokensAxis({
      domain: [8e10, 2e14],
      ticks: [1e11, 1e12, 1e13, 1e14],
      ...(left ? {} : { label: "" }),
    }),
    left: left ? 56 : 40,
    right: 44,
    marks: () => {
      const discs = (sure: boolean) =>
        rows.filter(({ confirmed }) => (confirmed === "confirmed") === sure)
          .map(({ size, tokens, qid }) => ({ x: size, y: tokens, r: radius(qid) }));
      return [
        logCurve(sizes, (size) => 20 * size, { colour: rule, dash: "4 3", width: 1 }),
        labels([{ x: 6.5e9, y: 1.05e11, text: "20 tokens a parameter" }], {
          size: fontSizes.tick,
          colour: muted,
        }),
        ...disc(discs(false), false),
        ...disc(discs(true), true),
        ...familyNames(rows),
        disc(
          [0.03, 0.1, 0.3].map((qid, i) => ({ x: 8e7 * 9 ** i, y: 1e14, r: radius(qid) })),
          true,
        ),
        ...[0.03, 0.1, 0.3].map((qid, i) =>
          labels([{ x: 8e7 * 9 ** i, y: 1e14, text: String(qid) }], {
            dx: radius(qid) + 4,
            size: fontSizes.tick,
            colour: muted,
          })
        ),
      ];
    },
  });
  const all = drawn.flatMap(({ rows }) => rows);
  return figure({
    name: "figure-11-real",
    title: "Figure 11 at real scale: discs are largest where tokens are many and models small",
    caption:
      "**After Figure 11 of Ouyang et al. (2024)**, whose list of models is not public. Each disc is a " +
      "base model quantized by GPTQ to 4 bits; its area is the QiD on WikiText-2, **published** (key " +
      "at the top, in nats per token). Filled: confirmed at the source; pale and empty: known from a " +
      "copy only, or not reached. Dashed: 20 tokens a parameter; models above it saw more than is " +
      `cheapest to train. ${all.length} models and settings, N from public configurations. From one ` +
      "family to the next, tokens grow together with much else.",
    legend: [
      { label: "area: QiD, published" },
      { label: "20 tokens a parameter", line: { colour: rule, dash: "4 3", width: 1 } },
    ],
    rows: [{ height: 440, panels: drawn.map((set, i) => panel(set, i === 0)) }],
  });
}

/** The name of each family: left of its smallest model, or right of its largest if it starts small. */
function familyNames(rows: readonly PublicPoint[]) {
  const families = [...new Set(rows.map(({ family }) => family))];
  return families.map((family) => {
    const own = rows.filter((row) => row.family === family).sort((a, b) => a.size - b.size);
    const right = own[0]!.size < 2e9;
    const { size, tokens, qid } = right ? own.at(-1)! : own[0]!;
    const dx = radius(qid) + 6;
    return labels([{ x: size, y: tokens, text: family }], {
      anchor: right ? "start" : "end",
      dx: right ? dx : -dx,
      size: fontSizes.tick,
    });
  });
}

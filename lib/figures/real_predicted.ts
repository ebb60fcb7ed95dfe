/** The published law against public measurements of quantized models: predicted and measured QiD. */
import type { DataFrame } from "nodejs-polars";
import { loadPublic } from "../public.ts";
import { agreement, type FittedLaw, predict, publicPoints, published } from "../laws/mod.ts";
import { type Figure, figure } from "./layout.ts";
import { curve, labels } from "./marks.ts";
import type { Panel } from "./panel.ts";
import { confirmedNote, familyLegend, publicMarks } from "./public_marks.ts";
import { bitColour, fontSizes, muted, rule } from "./style.ts";

/** Options of {@link realPredicted}. */
export interface RealPredictedOptions {
  /** Rows of `loadPublic()`, which is the default. */
  frame?: DataFrame;
  /** The law to test; the published unified law if left out. */
  law?: FittedLaw;
}

const sets = [
  { heading: "GPTQ, one scale a row", methods: ["gptq"], groupSize: 0 },
  { heading: "GPTQ, groups of 128", methods: ["gptq"], groupSize: 128 },
  { heading: "RTN, one scale a row", methods: ["rtn"], groupSize: 0 },
  { heading: "AWQ, groups of 128", methods: ["awq"], groupSize: 128 },
];

/** Draws predicted over measured QiD on WikiText-2 for four ways to quantize. */
export function realPredicted(options: RealPredictedOptions = {}): Figure {
  const frame = options.frame ?? loadPublic();
  const law = options.law ?? { law: "unified", parameters: published.unified };
  const drawn = sets.map((set) => ({ ...set, rows: publicPoints(frame, set) }));
  const domain: [number, number] = [0.0025, 4];
  const ticks = [0.003, 0.01, 0.03, 0.1, 0.3, 1, 3];
  const predicted: [number, number] = [0.0025, 50];
  const panel = ({ heading, rows }: typeof drawn[0], left: boolean): Panel => ({
    heading,
    x: { label: "Measured QiD (nats per token)", domain, log: true, ticks },
    y: {
      label: left ? "Predicted QiD (nats per token)" : "",
      domain: predicted,
      log: true,
      ticks: [...ticks, 10, 30],
    },
    left: left ? 52 : 38,
    right: 10,
    marks: () => {
      const [all] = agreement(law.law, law.parameters, rows);
      return [
        curve(domain.map((x) => ({ x, y: x })), { colour: rule, width: 1.2 }),
        ...publicMarks(rows.map((row) => ({
          x: row.qid,
          y: predict(law.law, law.parameters, row),
          family: row.family,
          confirmed: row.confirmed,
          colour: bitColour(row.bits),
        }))),
        labels([{
          x: domain[1],
          y: 0.0036,
          text: `predicted / measured: ${all!.ratio.toFixed(2)}; rank correlation ${
            all!.rankCorrelation.toFixed(2)
          }`,
        }], { anchor: "end", dx: -4, size: fontSizes.tick, colour: muted }),
      ];
    },
  });
  const rows = drawn.flatMap((set) => set.rows);
  return figure({
    name: "real-predicted",
    title: "The published law ranks real models well, and foretells too much in groups of 128",
    caption: "QiD of public base models on WikiText-2, **published** in " +
      `${new Set(rows.flatMap(({ tables }) => tables.split(" "))).size} tables, against what the ` +
      "published unified law (Eq. 8 of Ouyang et al. 2024, fitted to Pythia) **predicted** for their " +
      "N, D and bits, with nothing fitted. Grey: equal. In each panel, the median of predicted / " +
      "measured and Spearman's rank correlation. Marks above the line: the law foretells more loss " +
      "than was measured. Collapsed models (QiD above 3) are left out. " + confirmedNote,
    legend: [
      ...familyLegend(rows),
      ...[2, 3, 4].map((bits) => ({ label: `${bits} bits`, line: { colour: bitColour(bits) } })),
    ],
    rows: [
      { height: 300, panels: drawn.slice(0, 2).map((set, i) => panel(set, i === 0)) },
      { height: 300, panels: drawn.slice(2).map((set, i) => panel(set, i === 0)) },
    ],
  });
}

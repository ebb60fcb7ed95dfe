/** The objection of arXiv 2510.06213: QiD follows the decay of the learning rate, not the tokens. */
import * as Plot from "@observablehq/plot";
import type { DataFrame } from "nodejs-polars";
import { linearRegression } from "simple-statistics";
import { loadOlmo2, loadSmollm3Wsd } from "../data.ts";
import { published } from "../laws/mod.ts";
import { tokensAxis } from "./axes.ts";
import { exponentPanel } from "./exponent_panel.ts";
import { type Figure, figure } from "./layout.ts";
import { curve, labels, points } from "./marks.ts";
import type { Panel } from "./panel.ts";
import { distinct } from "./pythia.ts";
import { rowsOf } from "./rows.ts";
import { bitColour, fontSizes, ink, lawDashes, rule, sizeLabel } from "./style.ts";

/** Options of {@link learningRateDecay}. */
export interface LearningRateDecayOptions {
  /** Columns model, nominal_size, tokens, relative_increase; `loadOlmo2()` if left out. */
  olmo2?: DataFrame;
  /** The exponent to compare with; the published one of Eq. 5 if left out. */
  exponent?: number;
}

interface Slope {
  value: number;
  lower: number;
  upper: number;
  at(tokens: number): number;
}

/** The slope of ln y over ln x by least squares, with two standard errors on each side. */
function logSlope(rows: readonly { x: number; y: number }[]): Slope {
  const pairs = rows.map(({ x, y }) => [Math.log(x), Math.log(y)]);
  const { m, b } = linearRegression(pairs);
  const mean = pairs.reduce((sum, [x]) => sum + x!, 0) / pairs.length;
  const spread = pairs.reduce((sum, [x]) => sum + (x! - mean) ** 2, 0);
  const residual = pairs.reduce((sum, [x, y]) => sum + (y! - m * x! - b) ** 2, 0);
  const error = Math.sqrt(residual / (pairs.length - 2) / spread);
  return {
    value: m,
    lower: m - 2 * error,
    upper: m + 2 * error,
    at: (tokens) => Math.exp(m * Math.log(tokens) + b),
  };
}

/** Draws OLMo 2's error over training, its local exponents, and the error before and after a decay. */
export function learningRateDecay(options: LearningRateDecayOptions = {}): Figure {
  const exponent = options.exponent ?? published.token.tokenExponent;
  const rows = rowsOf(
    (options.olmo2 ?? loadOlmo2() as DataFrame).sort(["nominal_size", "tokens"]),
    ["tokens", "relative_increase"],
    ["model"],
  ).map(({ model, tokens, relative_increase }) => ({
    label: sizeLabel(model),
    x: tokens,
    y: 100 * relative_increase,
  }));
  const models = distinct(rows, "label").map((label) => {
    const own = rows.filter((row) => row.label === label);
    const half = Math.floor(own.length / 2);
    const parts = [own.slice(0, half), own.slice(half)];
    return { label, own, halves: parts.map((part) => ({ part, slope: logSlope(part) })) };
  });
  const errorPanel: Panel = {
    heading: "OLMo 2",
    x: tokensAxis({ domain: [7e10, 9e12], ticks: [1e11, 1e12, 5e12] }),
    y: {
      label: "Increase of cross-entropy (%)",
      domain: [1, 10],
      log: true,
      ticks: [1, 2, 3, 5, 10],
    },
    left: 48,
    right: 26,
    marks: () =>
      models.flatMap(({ label, own, halves }) => [
        ...points(own, { provenance: "digitised", size: label, radius: 3, colour: rule }),
        ...halves.map(({ part, slope }) =>
          curve(part.map(({ x }) => ({ x, y: slope.at(x) })), { width: 2 })
        ),
        labels([{ ...own.at(-1)!, text: label }], { dx: 9 }),
      ]),
  };
  const slopePanel = exponentPanel(
    models.flatMap(({ label, halves }) =>
      halves.map(({ slope }, i) => ({
        label: `${label}, ${i === 0 ? "1st" : "2nd"} half`,
        value: slope.value,
        interval: [slope.lower, slope.upper] as const,
        look: { provenance: "digitised", size: label } as const,
      }))
    ),
    {
      heading: "Local exponent",
      label: "Exponent of *D* (dimensionless)",
      domain: [0, 1.6],
      ticks: [0, 0.5, 1, 1.5],
      reference: exponent,
      digits: 2,
      left: 84,
    },
  );
  const decays = loadSmollm3Wsd().sort(["nominal_size", "bits"]).toRecords().map((row) => ({
    model: String(row.model),
    bits: row.bits === null ? undefined : Number(row.bits),
    decayed: row.phase === "decayed",
    low: 100 * Number(row.increase_low),
    high: 100 * Number(row.increase_high),
  }));
  const decayPanel: Panel = {
    heading: "Learning rate",
    x: {
      label: "Phase of the schedule",
      domain: [0.6, 2.4],
      ticks: [1, 2],
      format: (tick) => tick === 1 ? "constant" : "decayed",
      grid: false,
    },
    y: {
      label: "Increase of cross-entropy (%)",
      domain: [0.3, 20],
      log: true,
      ticks: [0.3, 0.5, 1, 2, 5, 10, 20],
    },
    left: 50,
    right: 4,
    marks: () =>
      Object.values(Object.groupBy(decays, ({ model, bits }) => `${model} ${bits}`)).flatMap(
        (series) => {
          const { model, bits } = series![0]!;
          const colour = bits === undefined ? ink : bitColour(bits);
          const ends = series!.map(({ decayed, low, high }) => ({
            x: decayed ? 2 : 1,
            y: Math.sqrt(low * high),
            low,
            high,
          })).sort((a, b) => a.x - b.x);
          const bitText = bits === undefined ? "" : `, ${bits} bits`;
          return [
            Plot.ruleX(ends.filter(({ low, high }) => high > low), {
              x: "x",
              y1: "low",
              y2: "high",
              stroke: colour,
              strokeWidth: 1.6,
            }),
            curve(ends, { colour, width: 1 }),
            ...points(ends, { provenance: "digitised", colour, size: sizeLabel(model) }),
            labels([{ x: 2.35, y: ends[1]!.y, text: `${model}${bitText}` }], {
              anchor: "end",
              dy: bits === undefined ? 16 : -14,
              size: fontSizes.tick,
              colour,
            }),
          ];
        },
      ),
  };
  return figure({
    name: "learning-rate-decay",
    title: "An objection: quantization error follows the learning rate, not only the tokens",
    caption: "All points are **digitised** from figures of Catalan-Tatjer et al. (2025, arXiv " +
      "2510.06213): the relative increase of cross-entropy under GPTQ. Left: OLMo 2 in its first " +
      "stage of training (bit width not printed, 3 is likely), with power laws **predicted** by " +
      "least squares of logarithms for each half of the checkpoints. Middle: their exponents, with two " +
      `standard errors; dashed, the **published** β = ${exponent} of Ouyang et al. (2024). Right: ` +
      "ranges of the error at a constant learning rate and after its decay. SmolLM3-3B stays between " +
      "4.0 and 4.9 % at 3 bits from 1T to 10T tokens, where β would multiply it by " +
      `${(10 ** exponent).toFixed(1)}, and doubles in the decay that ends at 11.2T.`,
    legend: [
      ...models.map(({ label }) => ({
        label,
        point: { provenance: "digitised", size: label, colour: rule } as const,
      })),
      { label: "marks: digitised" },
      { label: "predicted: power law of a half", line: { width: 2 } },
      { label: "published β", line: { dash: lawDashes.published, width: 1 } },
    ],
    rows: [{ height: 330, panels: [errorPanel, slopePanel, decayPanel] }],
  });
}

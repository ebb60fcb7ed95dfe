/** Figure 8 of Ouyang et al. (2024) from the miniature suite: QiD on two test texts. */
import pl, { type DataFrame } from "nodejs-polars";
import { medianSorted } from "simple-statistics";
import { fit } from "../../laws/mod.ts";
import { loadSuiteQid } from "../../suite_tables.ts";
import { curvesLaw } from "../curves_law.ts";
import { exponentPanel } from "../exponent_panel.ts";
import { type Figure, figure } from "../layout.ts";
import { curve, labels, points } from "../marks.ts";
import type { Panel } from "../panel.ts";
import { distinct, estimate } from "../pythia.ts";
import { bitColour, fontSizes, rule } from "../style.ts";
import { logTickRange } from "../tick_range.ts";
import {
  bytesAxis,
  suiteLegend,
  suiteQidAxis,
  type SuiteRow,
  suiteRows,
  suiteSource,
  suiteSymbols,
} from "./series.ts";

/** Options of {@link suiteFigure8}. */
export interface SuiteFigure8Options {
  /** Rows of `loadSuiteQid()`, on the text of the same kind as the training text; these if left out. */
  inDomain?: DataFrame;
  /** Rows of `loadSuiteQid({ test: "out_of_domain" })`; these if left out. */
  outOfDomain?: DataFrame;
}

/** A checkpoint quantized by GPTQ, measured on both texts. */
export interface TextPair extends SuiteRow {
  /** QiD out of domain, nats per byte; `qid` is that in domain. */
  readonly other: number;
  /** Loss before quantization out of domain. */
  readonly otherLoss16: number;
}

/** The checkpoints of the main series with their QiD on both texts, by size, bits and tokens. */
export function textPairs(
  inDomain: DataFrame = loadSuiteQid() as DataFrame,
  outOfDomain: DataFrame = loadSuiteQid({ test: "out_of_domain" }) as DataFrame,
): TextPair[] {
  const key = ({ model, tokens, bits }: SuiteRow) => `${model} ${tokens} ${bits}`;
  const others = new Map(suiteRows(outOfDomain).map((row) => [key(row), row]));
  return suiteRows(inDomain).flatMap((row) => {
    const other = others.get(key(row));
    return other === undefined ? [] : [{ ...row, other: other.qid, otherLoss16: other.loss16 }];
  });
}

/** Smaller degradations are not drawn. */
const leastQid = 1e-4;

/** Draws QiD over training on both texts, one against the other, and the token exponents of each. */
export function suiteFigure8(options: SuiteFigure8Options = {}): Figure {
  const texts = [
    { text: "in domain", dash: undefined, frame: options.inDomain ?? loadSuiteQid() },
    {
      text: "out of domain",
      dash: "7 4",
      frame: options.outOfDomain ?? loadSuiteQid({ test: "out_of_domain" }),
    },
  ].map((one) => ({ ...one, frame: one.frame as DataFrame, rows: suiteRows(one.frame) }));
  const pairs = textPairs(texts[0]!.frame, texts[1]!.frame);
  const positive = pairs.filter(({ qid, other }) => qid > 0 && other > 0);
  const symbol = suiteSymbols(pairs);
  const sizes = distinct(pairs, "label");
  const drawn = sizes.filter((_, i) => i === 0 || i === sizes.length - 1);
  const large = (qid: number) => qid >= leastQid;
  const axis = logTickRange(positive.flatMap(({ qid, other }) => [qid, other]).filter(large));
  const curves = (bits: number): Panel => ({
    heading: `${bits} bits`,
    x: bytesAxis(),
    y: suiteQidAxis({ ...axis, log: true, ...(bits === 2 ? {} : { label: "" }) }),
    left: bits === 2 ? 58 : 46,
    right: 36,
    marks: (frame) => {
      const series = drawn.flatMap((label) =>
        texts.map(({ dash, rows }) => ({
          label,
          dash,
          at: rows.filter((row) => row.label === label && row.bits === bits && large(row.qid))
            .map(({ tokens, qid }) => ({ x: tokens, y: qid })),
        }))
      );
      const named = series.filter(({ dash }) => dash === undefined);
      const places = frame.spread(named.map(({ at }) => at.at(-1)!.y), 13);
      return [
        ...series.map(({ at, dash }) =>
          curve(at, { colour: bitColour(bits), dash, width: dash === undefined ? 1 : 1.6 })
        ),
        ...series.flatMap(({ at, label, dash }) =>
          points(at, {
            provenance: "measured",
            colour: bitColour(bits),
            symbol: symbol(label),
            radius: dash === undefined ? 3 : 2.2,
          })
        ),
        labels(named.map(({ at, label }, i) => ({ x: at.at(-1)!.x, y: places[i]!, text: label })), {
          dx: 6,
          size: fontSizes.tick,
          colour: bitColour(bits),
        }),
      ];
    },
  });
  const against: Panel = {
    heading: "One text against the other",
    x: { label: "QiD in domain (nats per byte)", log: true, ...axis },
    y: { label: "QiD out of domain (nats per byte)", log: true, ...axis },
    left: 58,
    marks: () => [
      curve(axis.domain.map((x) => ({ x, y: x })), { colour: rule, width: 1 }),
      ...positive.filter(({ qid, other }) => large(Math.min(qid, other))).flatMap((
        { qid, other, bits, label },
      ) =>
        points([{ x: qid, y: other }], {
          provenance: "measured",
          colour: bitColour(bits),
          symbol: symbol(label),
          radius: 2.8,
        })
      ),
    ],
  };
  const exponents = exponentPanel(
    [2, 3, 4].flatMap((bits) =>
      texts.map(({ text, frame }) => {
        const part = frame.filter(pl.col("bits").eq(bits));
        const { value, lower, upper } = estimate(
          fit(curvesLaw("tokens", part), part),
          "tokenExponent",
        );
        return {
          label: `${bits} bits, ${text}`,
          value,
          interval: [lower, upper] as const,
          look: { provenance: "measured", colour: bitColour(bits) } as const,
        };
      })
    ),
    {
      heading: "Exponent β on each text",
      label: "β (dimensionless)",
      domain: [0, 1.5],
      ticks: [0, 0.5, 1, 1.5],
      digits: 2,
      left: 122,
    },
  );
  const ratios = [2, 3, 4].map((bits) => {
    const sorted = positive.filter((row) => row.bits === bits)
      .map(({ qid, other }) => other / qid).sort((a, b) => a - b);
    return `${medianSorted(sorted).toFixed(2)} at ${bits} bits`;
  });
  return figure({
    name: "suite-figure-8",
    title: "QiD on two test texts: the miniature suite",
    caption:
      `**After Figure 8 of Ouyang et al. (2024).** ${suiteSource} The second text is out of ` +
      "domain: novels, plays and poems of Project Gutenberg, of which no paragraph stands in the " +
      `training text. Above: ${
        drawn.length > 1 ? "the smallest and the largest size" : "the only size measured so far"
      }, above 0.0001. Below left: every checkpoint whose QiD is above 0.0001 on both texts; the line is equality. Median of QiD out of ` +
      `domain over QiD in domain: ${
        ratios.join(", ")
      }. Below right: one β for all sizes, a scale for ` +
      "each size (least squares of QiD); bars are two standard errors, checkpoints taken as independent.",
    legend: [
      ...suiteLegend(pairs),
      { label: "in domain", line: { width: 1 } },
      { label: "out of domain", line: { dash: "7 4" } },
      { label: "marks: measured" },
    ],
    rows: [
      { height: 320, panels: [2, 3, 4].map(curves) },
      { height: 330, panels: [against, exponents] },
    ],
  });
}

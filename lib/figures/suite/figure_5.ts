/** Figure 5 of Ouyang et al. (2024) from the miniature suite: QiD against bit width, with the bit-width law (Eq. 7). */
import type { DataFrame } from "nodejs-polars";
import { fit, predict, published } from "../../laws/mod.ts";
import { loadSuiteQid } from "../../suite_tables.ts";
import { curvesLaw } from "../curves_law.ts";
import { type Figure, figure } from "../layout.ts";
import { curve, labels, logCurve, points } from "../marks.ts";
import type { Panel } from "../panel.ts";
import { distinct } from "../pythia.ts";
import { bitColour, fontSizes, ink, lawDashes, rule } from "../style.ts";
import { suiteLegend, suiteQidAxis, suiteRows, suiteSource, suiteSymbols } from "./series.ts";

/** Options of {@link suiteFigure5}. */
export interface SuiteFigure5Options {
  /** Rows of `loadSuiteQid({ bits: [2, 3, 4, 8] })`; these if left out. */
  frame?: DataFrame;
}

/** Draws measured QiD over bits at the last common token count, and the exponents between neighbouring bit widths. */
export function suiteFigure5(options: SuiteFigure5Options = {}): Figure {
  const frame: DataFrame = options.frame ?? loadSuiteQid({ bits: [2, 3, 4, 8] });
  const rows = suiteRows(frame);
  const symbol = suiteSymbols(rows);
  const sizes = distinct(rows, "label");
  const of = (label: string) => rows.filter((row) => row.label === label);
  const common = Math.min(
    ...sizes.map((label) => Math.max(...of(label).map(({ tokens }) => tokens))),
  );
  const last = (label: string) => of(label).filter(({ tokens }) => tokens === common);
  const law = curvesLaw("bits", frame);
  const fitted = fit(law, frame);
  const gamma = fitted.parameters.bitExponent!;
  const domain: [number, number] = [1.8, 9];
  const left: Panel = {
    heading: `At ${Math.round(common / 2 ** 20)}M bytes`,
    x: {
      label: "Bit width *P* (bits)",
      domain,
      log: true,
      ticks: [2, 3, 4, 8],
    },
    y: suiteQidAxis({ domain: [1e-5, 2], log: true, ticks: [1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1] }),
    left: 56,
    right: 12,
    marks: () => [
      ...sizes.map((label) =>
        logCurve(
          domain,
          (bits) =>
            predict(law, fitted.parameters, { size: of(label)[0]!.size, tokens: common, bits }),
          {
            colour: rule,
            width: 1,
          },
        )
      ),
      ...sizes.flatMap((label) => [
        curve(
          last(label).filter(({ qid }) => qid > 0).map(({ bits, qid }) => ({ x: bits, y: qid })),
          {
            width: 1,
            dash: "1 2",
          },
        ),
        ...last(label).filter(({ qid }) => qid > 0).flatMap(({ bits, qid }) =>
          points([{ x: bits, y: qid }], {
            provenance: "measured",
            colour: bitColour(bits),
            symbol: symbol(label),
          })
        ),
      ]),
    ],
  };
  const pairs = [[2, 3], [3, 4], [4, 8]] as const;
  const local = pairs.map(([low, high]) => ({
    low,
    high,
    values: rows.filter(({ bits, qid, qid_se }) => bits === low && qid > 3 * qid_se).flatMap(
      (row) => {
        const other = rows.find(({ model, tokens, bits }) =>
          model === row.model && tokens === row.tokens && bits === high
        );
        if (other === undefined || !(other.qid > 3 * other.qid_se)) return [];
        const value = Math.log(row.qid / other.qid) / Math.log(high / low);
        return [{ label: row.label, tokens: row.tokens, value }];
      },
    ),
  }));
  const right: Panel = {
    heading: "Local exponent γ",
    x: {
      label: "Between bit widths (bits)",
      domain: [0.5, 3.5],
      ticks: [1, 2, 3],
      format: (tick) => pairs[tick - 1]!.join(" and "),
      grid: false,
    },
    y: { label: "γ (dimensionless)", domain: [0, 9], ticks: [0, 2, 4, 6, 8] },
    left: 52,
    right: 12,
    marks: () => [
      curve(
        [{ x: 0.5, y: published.bits.bitExponent }, { x: 3.5, y: published.bits.bitExponent }],
        {
          dash: lawDashes.published,
          width: 1,
        },
      ),
      curve([{ x: 0.5, y: gamma }, { x: 3.5, y: gamma }], { colour: rule, width: 1 }),
      ...local.flatMap(({ values, low }, i) =>
        values.filter(({ value }) => value > 0 && value < 9).flatMap(({ label, tokens, value }) =>
          points([{
            // Later checkpoints stand further to the right.
            x: i + 1 + 0.3 * (Math.log2(tokens / 2 ** 19) / 7 * 2 - 1),
            y: value,
          }], {
            provenance: "measured",
            colour: bitColour(low),
            symbol: symbol(label),
            radius: 2.6,
          })
        )
      ),
      labels([{ x: 0.5, y: published.bits.bitExponent, text: "published" }], {
        dx: 4,
        dy: -9,
        size: fontSizes.tick,
        colour: ink,
      }),
    ],
  };
  return figure({
    name: "suite-figure-5",
    title: "QiD falls with bits: the miniature suite",
    caption:
      `**After Figure 5 of Ouyang et al. (2024).** ${suiteSource} Left: QiD over bits; grey lines ` +
      `are **predicted**, one γ = ${
        gamma.toFixed(2)
      } for all curves with a scale for each (least squares of ` +
      "QiD, ruled by 2 and 3 bits). Right: γ between neighbouring bit widths for every checkpoint whose two QiDs " +
      "are both above three standard errors, early checkpoints at the left of each group and late ones at " +
      `the right; dashed, the **published** ${published.bits.bitExponent}.`,
    legend: [
      ...suiteLegend(rows),
      { label: "marks: measured" },
      { label: "predicted: one γ", line: { colour: rule, width: 1 } },
      { label: "published γ", line: { dash: lawDashes.published, width: 1 } },
    ],
    rows: [{ height: 340, panels: [left, right] }],
  });
}

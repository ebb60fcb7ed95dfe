/** Predictions that were written down before anything of it was measured, and what was measured then. */
import * as Plot from "@observablehq/plot";
import type { DataFrame } from "nodejs-polars";
import { loadPredictions } from "../../suite_predictions.ts";
import { type Figure, figure } from "../layout.ts";
import { curve, labels, points } from "../marks.ts";
import type { Panel } from "../panel.ts";
import { distinct } from "../pythia.ts";
import { bitColour, fontSizes, lawDashes, rule } from "../style.ts";
import {
  bytesAxis,
  suiteLabel,
  suiteQidAxis,
  suiteRows,
  suiteSource,
  suiteSymbols,
} from "./series.ts";

/** Options of {@link suitePrediction}. */
export interface SuitePredictionOptions {
  /** Rows of `loadPredictions()`; these if left out. */
  predictions?: DataFrame;
  /** Rows of `loadSuiteQid()`; these if left out. */
  frame?: DataFrame;
}

/** Smaller degradations are within their standard error, and not drawn. */
const least = 3e-4;

/** A prediction, with what was measured since. */
export interface Foretold {
  label: string;
  size: number;
  tokens: number;
  bits: number;
  law: string;
  space: string;
  largest_size_seen: number;
  tokens_seen: number;
  predicted: number;
  lower: number;
  upper: number;
  /** Undefined while it is not measured. */
  measured?: number;
}

/**
 * The predictions of one kind: of sizes of which the law had seen nothing, or of the later bytes of a run of which it
 * had seen the earlier. Of several for one checkpoint, the last that was written: that which had seen most rows.
 */
export function foretold(
  kind: "size" | "tokens",
  { predictions = loadPredictions() as DataFrame, frame }: SuitePredictionOptions = {},
): Foretold[] {
  const measured = new Map(
    suiteRows(frame).map((row) => [`${row.model} ${row.tokens} ${row.bits}`, row.qid]),
  );
  const rows = predictions.sort("rows_seen").toRecords().filter(({ tokens_seen }) =>
    (Number(tokens_seen) > 0) === (kind === "tokens")
  );
  const latest = new Map(
    rows.map((row) => [[row.size, row.tokens, row.bits, row.law, row.space].join(), row]),
  );
  return [...latest.values()].map((row) => ({
    label: suiteLabel(Number(row.size)),
    size: Number(row.size),
    tokens: Number(row.tokens),
    bits: Number(row.bits),
    law: String(row.law),
    space: String(row.space),
    largest_size_seen: Number(row.largest_size_seen),
    tokens_seen: Number(row.tokens_seen),
    predicted: Number(row.qid),
    lower: Number(row.lower),
    upper: Number(row.upper),
    measured: measured.get(`${row.model} ${row.tokens} ${row.bits}`),
  })).sort((a, b) => a.size - b.size || a.bits - b.bits || a.tokens - b.tokens);
}

/** Draws the predictions of unseen sizes over bytes, with what was measured, and their ratios. */
export function suitePrediction(options: SuitePredictionOptions = {}): Figure {
  const all = foretold("size", options).filter(({ space }) => space === "raw");
  const late = foretold("tokens", options).filter(({ space }) => space === "raw");
  const known = suiteRows(options.frame);
  const sizes = distinct(all, "label");
  const symbol = suiteSymbols([
    ...known,
    ...all.filter(({ size }) => !known.some((row) => row.size === size))
      .map((row) => ({ ...known[0]!, label: row.label, size: row.size })),
  ]);
  const curves = (bits: number): Panel => ({
    heading: `${bits} bits`,
    x: bytesAxis(),
    y: suiteQidAxis({
      domain: [least, 1],
      log: true,
      ticks: [1e-3, 1e-2, 1e-1, 1],
      ...(bits === 2 ? {} : { label: "" }),
    }),
    left: bits === 2 ? 52 : 40,
    right: 36,
    marks: (frame) => {
      const of = (label: string, law: string) =>
        all.filter((row) => row.label === label && row.bits === bits && row.law === law);
      const line = (rows: Foretold[]) =>
        rows.map(({ tokens, predicted }) => ({ x: tokens, y: predicted }));
      const places = frame.spread(
        sizes.map((label) => of(label, "per-bit-width").at(-1)!.predicted),
        13,
      );
      return [
        ...sizes.flatMap((label) => [
          Plot.ruleX(of(label, "per-bit-width").filter(({ lower }) => lower > 0), {
            x: "tokens",
            y1: "lower",
            y2: "upper",
            stroke: bitColour(bits),
            clip: "frame",
          }),
          curve(line(of(label, "per-bit-width")), { colour: bitColour(bits), width: 1 }),
          curve(line(of(label, "unified")), { dash: lawDashes.published, width: 0.8 }),
          ...points(
            of(label, "per-bit-width").filter(({ measured }) =>
              measured !== undefined && measured > least
            )
              .map(({ tokens, measured }) => ({ x: tokens, y: measured! })),
            { provenance: "measured", colour: bitColour(bits), symbol: symbol(label), radius: 3.4 },
          ),
        ]),
        labels(
          sizes.map((label, i) => ({
            x: of(label, "per-bit-width").at(-1)!.tokens,
            y: places[i]!,
            text: label,
          })),
          { dx: 6, size: fontSizes.tick, colour: bitColour(bits) },
        ),
      ];
    },
  });
  const ratios = (rows: readonly Foretold[], law: string, heading: string): Panel => ({
    heading,
    x: bytesAxis(),
    y: {
      label: law === "per-bit-width" ? "Predicted / measured (dimensionless)" : "",
      domain: [0.3, 3],
      log: true,
      ticks: [0.3, 0.5, 1, 2, 3],
    },
    left: law === "per-bit-width" ? 52 : 40,
    right: 10,
    marks: () => [
      Plot.ruleY([1], { stroke: rule }),
      ...rows.filter((row) => row.law === law && row.measured !== undefined && row.measured > least)
        .map((row) => ({ ...row, ratio: row.predicted / row.measured! }))
        .filter(({ ratio }) => ratio > 0.3 && ratio < 3)
        .flatMap((row) =>
          points([{ x: row.tokens, y: row.ratio }], {
            provenance: "measured",
            colour: bitColour(row.bits),
            symbol: symbol(row.label),
            radius: 3.4,
          })
        ),
    ],
  });
  const open = sizes.filter((label) =>
    !all.some((row) => row.label === label && row.measured !== undefined)
  );
  return figure({
    name: "suite-prediction",
    title: "Written down before it was measured: the miniature suite",
    caption:
      `${suiteSource} Above: QiD of sizes of which the law had seen nothing, as **predicted** from smaller ones, with ` +
      "95 % bootstrap intervals of the law alone (bars), and what was measured afterwards (marks). Below: prediction over measurement " +
      "for these sizes and for the last factor of two of training of a run that the law had seen until then; ratios outside 0.3 to 3 and QiD below 0.0003 are left out." +
      (open.length > 0 ? ` Not measured yet: ${open.join(", ")}.` : ""),
    legend: [
      ...sizes.map((label) => ({
        label,
        point: { provenance: "measured", symbol: symbol(label) } as const,
      })),
      { label: "marks: measured" },
      { label: "predicted: law of the bit width", line: { width: 1 } },
      { label: "predicted: unified law", line: { dash: lawDashes.published, width: 0.8 } },
    ],
    rows: [
      { height: 310, panels: [2, 3, 4].map(curves) },
      {
        height: 240,
        panels: [
          ratios(all, "per-bit-width", "Sizes, by bit width"),
          ratios(all, "unified", "Sizes, unified law"),
          ratios(late, "per-bit-width", "Last bytes, by bit width"),
        ],
      },
    ],
  });
}

/** A panel of exponents: one row an estimate, with its interval. */
import * as Plot from "@observablehq/plot";
import { curve, intervals, labels, type PointLook, points } from "./marks.ts";
import type { Panel } from "./panel.ts";
import { fontSizes, lawDashes, muted, rule } from "./style.ts";

/** One row of an exponent panel. */
export interface ExponentRow {
  label: string;
  /** Nothing where the exponent is not determined: the row says so. */
  value?: number;
  /** The ends of the interval; a value without one has no bar. */
  interval?: readonly [number, number];
  /** A second interval, drawn as a dotted bar below. */
  outer?: readonly [number, number];
  look: PointLook;
}

/** What an exponent panel shows beside its rows. */
export interface ExponentPanelOptions {
  /** Name and symbol, e.g. "Exponent β". */
  heading: string;
  /** Label of the axis. */
  label: string;
  domain: readonly [number, number];
  ticks: readonly number[];
  /** A value marked by a dashed line. */
  reference?: number;
  /** Digits after the point in the numbers above the rows; no numbers if left out. */
  digits?: number;
  /** False leaves the labels of the rows out. */
  named?: boolean;
  /** Space on the left, in pixels. */
  left: number;
}

/** A panel with one row for each estimate, from the top down. */
export function exponentPanel(
  rows: readonly ExponentRow[],
  options: ExponentPanelOptions,
): Panel {
  const placed = rows.map((row, i) => ({ ...row, y: rows.length - i }));
  return {
    heading: options.heading,
    x: { label: options.label, domain: options.domain, ticks: options.ticks },
    y: {
      label: "",
      domain: [0.4, rows.length + 0.6],
      ticks: placed.map(({ y }) => y),
      format: (tick) => options.named === false ? "" : rows[rows.length - tick]!.label,
      grid: false,
    },
    left: options.left,
    right: 8,
    marks: () => [
      options.reference === undefined
        ? null
        : Plot.ruleX([options.reference], { stroke: rule, strokeDasharray: lawDashes.published }),
      labels(
        placed.filter(({ value }) => value === undefined)
          .map(({ y }) => ({ x: (options.domain[0] + options.domain[1]) / 2, y, text: "—" })),
        { anchor: "middle", size: fontSizes.tick, colour: muted },
      ),
      ...placed.flatMap(({ y, value, interval, outer, look }) =>
        value === undefined ? [] : [
          ...(interval === undefined ? [] : intervals(
            [{ y, lower: interval[0], upper: interval[1] }],
            { colour: look.colour, cap: 0.14 },
          )),
          outer === undefined
            ? null
            : curve(outer.map((x) => ({ x, y: y - 0.27 })), { colour: look.colour, dash: "1 2" }),
          ...points([{ x: value, y }], look),
        ]
      ),
      options.digits === undefined ? null : labels(
        placed.flatMap(({ value, y }) =>
          value === undefined
            ? []
            : [{ x: value, y, text: value.toFixed(options.digits).replace("-", "−") }]
        ),
        { anchor: "middle", dy: -13, size: fontSizes.tick },
      ),
    ],
  };
}

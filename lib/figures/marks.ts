/** Marks that say where a number comes from and what it belongs to, in the shared style. */
import * as Plot from "@observablehq/plot";
import { fontSizes, ink, paper, type Provenance, sizeSymbol } from "./style.ts";

/** A place in the units of the axes. */
export interface XY {
  x: number;
  y: number;
}

/** The look of points: provenance, colour (of a bit width) and mark (of a model size). */
export interface PointLook {
  provenance: Provenance;
  colour?: string;
  /** Label of a model size, e.g. "12B". */
  size?: string;
  /** A mark of its own, where no model size is meant; a circle if both are left out. */
  symbol?: Plot.SymbolType;
  radius?: number;
}

/** Points in the look of their provenance. */
export function points(rows: readonly XY[], look: PointLook): Plot.Markish[] {
  const { provenance, colour = ink, size, symbol = "circle", radius = 4 } = look;
  const filled = provenance === "measured";
  const at = { x: "x", y: "y" } as const;
  const marks: Plot.Markish[] = [Plot.dot(rows, {
    ...at,
    r: radius,
    symbol: size === undefined ? symbol : sizeSymbol(size),
    fill: filled ? colour : paper,
    stroke: filled ? paper : colour,
    strokeWidth: filled ? 0.6 : provenance === "predicted" ? 1.7 : 1.4,
    strokeDasharray: provenance === "predicted" ? "1.6 1.4" : undefined,
  })];
  if (provenance === "published") marks.push(Plot.dot(rows, { ...at, r: 1.3, fill: colour }));
  return marks;
}

/** The look of a curve. */
export interface CurveLook {
  colour?: string;
  dash?: string;
  width?: number;
}

/** A curve through rows in their order, cut off at the frame. */
export function curve(rows: readonly XY[], look: CurveLook = {}): Plot.Markish {
  return Plot.line(rows, {
    x: "x",
    y: "y",
    stroke: look.colour ?? ink,
    strokeWidth: look.width ?? 1.6,
    strokeDasharray: look.dash,
    clip: "frame",
  });
}

/** The curve of a function over a range of x, at points evenly spaced in the logarithm of x. */
export function logCurve(
  range: readonly [number, number],
  value: (x: number) => number,
  look: CurveLook = {},
): Plot.Markish {
  return curve(logSpace(range, 96).map((x) => ({ x, y: value(x) })), look);
}

/** `count` numbers from the lower to the upper end of a range, evenly spaced in the logarithm. */
function logSpace([lower, upper]: readonly [number, number], count: number): number[] {
  const ratio = Math.log(upper / lower) / (count - 1);
  return Array.from({ length: count }, (_, i) => lower * Math.exp(ratio * i));
}

/** Where a label stands beside its place. */
export interface LabelLook {
  colour?: string;
  anchor?: "start" | "middle" | "end";
  dx?: number;
  dy?: number;
  size?: number;
  bold?: boolean;
  /** Colour of the rim; white if left out. */
  rim?: string;
}

/** Labels with a rim in the colour of the background, so that they can be read over lines. */
export function labels(rows: readonly (XY & { text: string })[], look: LabelLook = {}) {
  return Plot.text(rows, {
    x: "x",
    y: "y",
    text: "text",
    fill: look.colour ?? ink,
    stroke: look.rim ?? paper,
    strokeWidth: 3,
    textAnchor: look.anchor ?? "start",
    dx: look.dx ?? 0,
    dy: look.dy ?? 0,
    fontSize: look.size ?? fontSizes.text,
    fontWeight: look.bold ? "bold" : undefined,
  });
}

/** An estimate with its interval. */
export interface Interval {
  y: number;
  lower: number;
  upper: number;
}

/** Horizontal intervals with end caps `cap` units of y high. */
export function intervals(
  rows: readonly Interval[],
  { colour = ink, cap }: { colour?: string; cap: number },
): Plot.Markish[] {
  const look = { stroke: colour, strokeWidth: 1.6, clip: "frame" } as const;
  const ends = rows.flatMap(({ y, lower, upper }) => [{ y, x: lower }, { y, x: upper }]);
  return [
    Plot.ruleY(rows, { y: "y", x1: "lower", x2: "upper", ...look }),
    Plot.ruleX(ends, { x: "x", y1: (d) => d.y - cap, y2: (d) => d.y + cap, ...look }),
  ];
}

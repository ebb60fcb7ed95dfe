/** Where 4-bit formats put their levels. */
import * as Plot from "@observablehq/plot";
import { quantize } from "../quantize/mod.ts";
import { type Figure, figure } from "./layout.ts";
import { curve, labels } from "./marks.ts";
import type { Panel } from "./panel.ts";
import { bitColour, rule, zone } from "./style.ts";

/** Options of {@link sixteenLevels}. */
export interface SixteenLevelsOptions {
  /**
   * Largest absolute weights of a block, from 1 to below 2, one panel each; 1 and 1.9 if left out.
   */
  largest?: readonly number[];
}

const count = 4001;
/** A format's name, and its spec with the whole block as one. */
const formats = [
  ["int4, symmetric", "rtn:symmetric=true,scales=f32"],
  ["NF4", `nf4:block=${count}`],
  ["FP4 (bitsandbytes)", `fp4:block=${count}`],
  ["MXINT4", `mxint4:block=${count}`],
  ["MXFP4", `mxfp4:block=${count}`],
] as const;
const top = formats.length + 0.6;

/** Draws the levels that each 4-bit format has for a block of weights from -largest to largest. */
export function sixteenLevels(options: SixteenLevelsOptions = {}): Figure {
  const { largest = [1, 1.9] } = options;
  const wrong = largest.find((value) => !(value >= 1 && value < 2));
  if (wrong !== undefined) {
    throw new RangeError(`Cannot draw levels: largest must be from 1 to below 2: got ${wrong}`);
  }
  return figure({
    name: "sixteen-levels",
    title: "Sixteen levels, five ways to place them",
    caption:
      "**Measured**: the levels that weights from −max to +max are rounded to. At the right: how many of " +
      "the 16 are in use. The scale of integers, NF4 and FP4 follows the largest weight of a block; that " +
      "of MX formats is a power of two, here the same for all largest weights from 1 to below 2, so that " +
      "some levels lie out of reach, or the largest weights out of the levels. Grey, **predicted**: the " +
      "density of normal weights whose largest is 2.6 standard deviations. (−max is a tie for the integers.)",
    legend: [
      { label: "level, measured", line: { colour: bitColour(4), width: 2 } },
      { label: "largest weight", line: { colour: rule, dash: "2 3", width: 1 } },
      { label: "density of normal weights", area: zone },
    ],
    rows: [{ height: 310, panels: largest.map((value, i) => panel(value, i === 0)) }],
  });
}

function panel(largest: number, first: boolean): Panel {
  const middle = (count - 1) / 2;
  const data = Float32Array.from({ length: count }, (_, i) => largest * (i - middle) / middle);
  const rows = formats.map(([name, spec], i) => ({
    name,
    y: formats.length - i,
    levels: [...new Set(quantize({ rows: 1, columns: count, data }, spec).weights)]
      .map((level) => level / largest),
  }));
  const density = Array.from({ length: 111 }, (_, i) => {
    const x = -1.1 + i / 50;
    return { x, y: 0.62 * Math.exp(-((2.6 * x) ** 2) / 2) };
  });
  return {
    heading: `Largest weight ${largest}`,
    x: {
      label: "Level (units of max |*w*|)",
      domain: [-1.12, 1.12],
      ticks: [-1, -0.5, 0, 0.5, 1],
      grid: false,
    },
    y: {
      label: "",
      domain: [0, top],
      ticks: rows.map(({ y }) => y),
      format: (y) => first ? rows.find((row) => row.y === y)!.name : "",
      grid: false,
    },
    left: first ? 126 : 16,
    right: 26,
    marks: () => [
      Plot.areaY(density, { x: "x", y1: 0, y2: "y", fill: zone, clip: "frame" }),
      ...[-1, 1].map((x) =>
        curve([{ x, y: 0 }, { x, y: top }], { colour: rule, dash: "2 3", width: 1 })
      ),
      ...rows.flatMap(({ y, levels }) => [
        curve([{ x: -1.12, y }, { x: 1.12, y }], { colour: rule, width: 0.6 }),
        Plot.ruleX(levels, { y1: y - 0.28, y2: y + 0.28, stroke: bitColour(4), strokeWidth: 2 }),
        labels([{ x: 1.12, y, text: String(levels.length) }], { dx: 8 }),
      ]),
    ],
  };
}

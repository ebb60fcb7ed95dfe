/** The legend of a figure: samples drawn with the same marks as the data. */
import * as Plot from "@observablehq/plot";
import { curve, type CurveLook, type PointLook, points } from "./marks.ts";
import { fontFamily, fontSizes, ink } from "./style.ts";
import { element, svgDocument, textElement } from "./svg.ts";
import { parseRuns, runsWidth } from "./text.ts";

/** One entry: a label, beside a sample of a line, a point, both, a shaded area, or nothing. */
export interface LegendEntry {
  label: string;
  line?: CurveLook;
  point?: PointLook;
  area?: string;
}

const rowHeight = 20;
const sampleGap = 6;
const entryGap = 18;

/** Draws entries in rows of at most `width` pixels; the origin is the upper left corner. */
export function drawLegend(
  entries: readonly LegendEntry[],
  width: number,
): { group: Element; height: number } {
  let x = 0;
  let row = 0;
  const placed = entries.map((entry) => {
    const sample = entry.line || entry.area ? 30 : entry.point ? 12 : 0;
    const indent = sample === 0 ? 0 : sample + sampleGap;
    const total = indent + runsWidth(parseRuns(entry.label), fontSizes.text) * 1.02;
    if (x > 0 && x + total > width) {
      x = 0;
      row += 1;
    }
    const place = { entry, x, sample, indent, y: row * rowHeight + rowHeight / 2 };
    x += total + entryGap;
    return place;
  });
  const height = (row + 1) * rowHeight;
  const plot = Plot.plot({
    document: svgDocument,
    width,
    height,
    margin: 0,
    x: { type: "identity" },
    y: { type: "identity" },
    axis: null,
    marks: placed.flatMap(({ entry, x, sample, y }) => [
      entry.area === undefined
        ? null
        : Plot.rect([0], { x1: x, x2: x + sample, y1: y - 6, y2: y + 6, fill: entry.area }),
      entry.line === undefined ? null : curve([{ x, y }, { x: x + sample, y }], entry.line),
      entry.point === undefined ? null : points([{ x: x + sample / 2, y }], entry.point),
    ]),
  });
  const group = element("g", {
    fill: ink,
    "font-family": fontFamily,
    "font-size": fontSizes.text,
    "text-anchor": "start",
  });
  group.append(...Array.from(plot.childNodes));
  for (const { entry, x, indent, y } of placed) {
    group.append(textElement(entry.label, { x: x + indent, y: y + 4 }));
  }
  return { group, height };
}

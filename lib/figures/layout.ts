/** The page of a figure: title, legend, rows of panels, caption. */
import { drawLegend, type LegendEntry } from "./legend.ts";
import { drawPanel, type Panel } from "./panel.ts";
import { fontFamily, fontSizes, ink, muted, paper } from "./style.ts";
import { element, serialise, textElement } from "./svg.ts";
import { plainText, wrapRuns } from "./text.ts";

/** A finished figure. */
export interface Figure {
  /** File stem in `figures/`. */
  name: string;
  title: string;
  caption: string;
  /** A complete SVG document. */
  svg: string;
}

/** A row of panels whose frames share one width and one height. */
export interface PanelRow {
  /** Height in pixels, margins included. */
  height: number;
  panels: readonly Panel[];
}

/** What a figure is made of. Title, labels and caption take the markup of text.ts. */
export interface FigureParts {
  name: string;
  title: string;
  caption: string;
  legend: readonly LegendEntry[];
  rows: readonly PanelRow[];
  /** Width of the figure in pixels at 100 %; 760 if left out. */
  width?: number;
}

const edge = 16;
const panelGap = 14;
const captionLine = 17;

/** Puts the parts of a figure on one page and writes it as an SVG document. */
export function figure(parts: FigureParts): Figure {
  const width = parts.width ?? 760;
  const inner = width - 2 * edge;
  const children: Element[] = [];
  let y = edge;

  const place = (child: Element, x: number, top: number) => {
    child.setAttribute("transform", `translate(${x},${top})`);
    children.push(child);
  };

  const title = wrapRuns(parts.title, fontSizes.title * 1.07, inner * 0.98);
  for (const line of title) {
    y += 18;
    children.push(textElement(line, {
      x: edge,
      y: y - 4,
      "font-family": fontFamily,
      "font-size": fontSizes.title,
      "font-weight": "bold",
      fill: ink,
    }));
  }
  y += 10;
  if (parts.legend.length > 0) {
    const legend = drawLegend(parts.legend, inner);
    place(legend.group, edge, y);
    y += legend.height + 12;
  }
  for (const row of parts.rows) {
    for (const { panel, x, box } of rowBoxes(row, inner)) place(drawPanel(panel, box), edge + x, y);
    y += row.height + 10;
  }
  // A line does not break around these signs.
  const unbroken = parts.caption.replaceAll(/ ([=±]) /g, "\u00a0$1\u00a0");
  for (const line of wrapRuns(unbroken, fontSizes.text, inner * 0.97)) {
    y += captionLine;
    children.push(textElement(line, {
      x: edge,
      y: y - 5,
      "font-family": fontFamily,
      "font-size": fontSizes.text,
      fill: muted,
    }));
  }
  const height = Math.ceil(y + edge);
  const caption = plainText(parts.caption);
  const plainTitle = plainText(parts.title);
  const svg = element(
    "svg",
    {
      width,
      height,
      viewBox: `0 0 ${width} ${height}`,
      role: "img",
      "aria-labelledby": "title description",
    },
    element("title", { id: "title" }, plainTitle),
    element("desc", { id: "description" }, caption),
    element("rect", { width, height, fill: paper }),
    ...children,
  );
  return { name: parts.name, title: plainTitle, caption, svg: serialise(svg, parts.name) };
}

/** Shares the width among panels so that their frames are equally wide. */
function rowBoxes({ panels, height }: PanelRow, width: number) {
  const margins = panels.map(({ left = 52, right = 12 }) => ({ left, right }));
  const taken = margins.reduce((sum, { left, right }) => sum + left + right, 0);
  const frame = (width - taken - panelGap * (panels.length - 1)) / panels.length;
  let x = 0;
  return panels.map((panel, i) => {
    const { left, right } = margins[i]!;
    const box = { left, right, width: left + frame + right, height };
    const placed = { panel, x, box };
    x += box.width + panelGap;
    return placed;
  });
}

/** One panel of a figure: a frame with axes, drawn by Plot. */
import * as Plot from "@observablehq/plot";
import { fontFamily, fontSizes, grid, ink } from "./style.ts";
import { element, svgDocument, textElement } from "./svg.ts";

/** One axis of a panel. */
export interface Axis {
  /** Quantity, symbol and unit, e.g. "QiD (nats per token)". */
  label: string;
  domain: readonly [number, number];
  log?: boolean;
  ticks: readonly number[];
  format?: (tick: number) => string;
  /** False leaves the grid lines of the axis out. */
  grid?: boolean;
}

/** The frame of a panel in pixels. */
export interface Frame {
  width: number;
  height: number;
  /** Moves values of the y axis apart until they are `gap` pixels from one another. */
  spread(values: readonly number[], gap: number): number[];
}

/** One panel of a figure. */
export interface Panel {
  heading?: string;
  x: Axis;
  y: Axis;
  /** What the panel shows, drawn in this order. */
  marks: (frame: Frame) => Plot.Markish[];
  /** Space for tick labels and axis label on the left, in pixels. */
  left?: number;
  /** Space for labels on the right, in pixels. */
  right?: number;
}

/** Pixels above the frame, with and without a heading, and below it (ticks and label). */
const margins = { heading: 26, top: 10, bottom: 46 } as const;

/** The size of a panel with its margins. */
export interface PanelBox {
  left: number;
  right: number;
  width: number;
  height: number;
}

/** Draws a panel into a group with its origin at the upper left corner of the box. */
export function drawPanel(panel: Panel, box: PanelBox): Element {
  const { bottom } = margins;
  const top = panel.heading === undefined ? margins.top : margins.heading;
  const frame = {
    width: box.width - box.left - box.right,
    height: box.height - top - bottom,
    spread: (values: readonly number[], gap: number) =>
      spreadOn(panel.y, box.height - top - bottom, values, gap),
  };
  const plot = Plot.plot({
    document: svgDocument,
    width: box.width,
    height: box.height,
    marginLeft: box.left,
    marginRight: box.right,
    marginTop: top,
    marginBottom: bottom,
    x: scale(panel.x),
    y: scale(panel.y),
    marks: [
      panel.x.grid === false ? null : Plot.gridX(panel.x.ticks, gridLook),
      panel.y.grid === false ? null : Plot.gridY(panel.y.ticks, gridLook),
      Plot.frame({ anchor: "bottom", stroke: ink }),
      Plot.frame({ anchor: "left", stroke: ink }),
      Plot.axisX(panel.x.ticks, axisLook(panel.x)),
      Plot.axisY(panel.y.ticks, axisLook(panel.y)),
      ...panel.marks(frame),
    ],
  });
  const group = element("g", {
    fill: ink,
    "font-family": fontFamily,
    "font-size": fontSizes.tick,
    "text-anchor": "middle",
  });
  group.append(...Array.from(plot.childNodes));
  const middle = top + frame.height / 2;
  const label = { "font-size": fontSizes.label };
  group.append(
    textElement(panel.x.label, {
      x: box.left + frame.width / 2,
      y: box.height - 8,
      ...label,
    }),
  );
  if (panel.y.label !== "") {
    group.append(
      textElement(panel.y.label, { transform: `translate(14,${middle}) rotate(-90)`, ...label }),
    );
  }
  if (panel.heading !== undefined) {
    group.append(textElement(panel.heading, {
      x: box.left,
      y: 14,
      "font-size": fontSizes.heading,
      "font-weight": "bold",
      "text-anchor": "start",
    }));
  }
  return group;
}

const gridLook = { stroke: grid, strokeOpacity: 1 };

function axisLook({ format }: Axis) {
  return {
    label: null,
    fontSize: fontSizes.tick,
    tickSize: 4,
    // As a channel, not a tickFormat: on a log scale Plot hides some labels of a tickFormat.
    text: format ?? ((tick: number) => String(tick).replace("-", "−")),
  };
}

function scale({ domain, log }: Axis): Plot.ScaleOptions {
  return { type: log ? "log" : "linear", domain: [...domain] };
}

/** Pushes values apart on an axis of `height` pixels, keeping their order and staying inside it. */
function spreadOn(
  axis: Axis,
  height: number,
  values: readonly number[],
  gap: number,
): number[] {
  const position = axis.log ? Math.log : (value: number) => value;
  const value = axis.log ? Math.exp : (position: number) => position;
  const [low, high] = [position(axis.domain[0]), position(axis.domain[1])];
  const perPixel = (high - low) / height;
  const order = values.map((_, i) => i).sort((a, b) => values[a]! - values[b]!);
  const places = order.map((i) => (position(values[i]!) - low) / perPixel);
  // Neighbours closer than the gap share the room around their middle, in groups that grow.
  const groups: { sum: number; count: number }[] = [];
  places.forEach((place) => {
    groups.push({ sum: place, count: 1 });
    while (groups.length > 1) {
      const [before, last] = groups.slice(-2) as [typeof groups[0], typeof groups[0]];
      const room = gap * (before.count + last.count) / 2;
      if (last.sum / last.count - before.sum / before.count >= room) break;
      groups.splice(-2, 2, { sum: before.sum + last.sum, count: before.count + last.count });
    }
  });
  const spread = groups.flatMap(({ sum, count }) =>
    Array.from({ length: count }, (_, i) => sum / count + gap * (i - (count - 1) / 2))
  );
  const out = new Array<number>(values.length);
  order.forEach((i, rank) => out[i] = value(low + spread[rank]! * perPixel));
  return out;
}

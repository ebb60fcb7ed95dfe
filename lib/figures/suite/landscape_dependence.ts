/** How the forest's prediction moves with each of its most important features. */
import {
  type DependencePoint,
  dependenceTable,
  type Importance,
  importanceTable,
} from "../../predictor/mod.ts";
import { type Figure, figure } from "../layout.ts";
import { curve, points } from "../marks.ts";
import type { Panel } from "../panel.ts";

/** Options of {@link landscapeDependence}. */
export interface LandscapeDependenceOptions {
  readonly dependence?: readonly DependencePoint[];
  readonly importance?: readonly Importance[];
}

/** Draws partial dependence on the eight most important features. */
export function landscapeDependence(options: LandscapeDependenceOptions = {}): Figure {
  const all = options.dependence ?? dependenceTable();
  const order = (options.importance ?? importanceTable()).filter(({ kind }) => kind === "feature")
    .toSorted((a, b) => b.rise - a.rise).slice(0, 8);
  const shown = all.filter(({ feature }) => order.some(({ name }) => name === feature));
  const qids = shown.map(({ qid }) => qid);
  const panel = (name: string, first: boolean): Panel => {
    const own = all.filter(({ feature }) => feature === name).sort((a, b) => a.value - b.value);
    const values = own.map(({ value }) => value);
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const at = own.map(({ value, qid }) => ({ x: value, y: qid }));
    const digits = high - low < 2 ? 2 : high - low < 12 ? 1 : 0;
    return {
      heading: own[0]!.title,
      x: {
        label: "",
        domain: [low - 0.05 * (high - low || 1), high + 0.05 * (high - low || 1)],
        ticks: low === high ? [low] : [low, (low + high) / 2, high],
        format: (tick) => tick.toFixed(digits).replace("-", "−"),
      },
      y: {
        label: first ? "QiD (nats per byte)" : "",
        domain: [Math.min(...qids) / 1.3, Math.max(...qids) * 1.3],
        ticks: [1e-3, 1e-2, 0.1, 1].filter((tick) =>
          tick > Math.min(...qids) / 1.3 && tick < Math.max(...qids) * 1.3
        ),
        log: true,
      },
      left: first ? 56 : 38,
      right: 10,
      marks: () => [curve(at), ...points(at, { provenance: "predicted", radius: 3 })],
    };
  };
  return figure({
    name: "landscape-dependence",
    title: "How the prediction moves with each feature",
    caption:
      "**Predicted** by the forest of QiD with the features of both papers: partial dependence on the eight most important " +
      "ones. Every row is given the same value of one feature, and keeps the others; the mean is taken on the forest's scale, " +
      "asinh(QiD / 0.001). *N*, *D*, rises and curvatures are natural logarithms.",
    legend: [],
    rows: [0, 4].map((start) => ({
      height: 200,
      panels: order.slice(start, start + 4).map(({ name }, i) => panel(name, i === 0)),
    })).filter(({ panels }) => panels.length > 0),
  });
}

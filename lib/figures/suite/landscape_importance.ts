/** What the forest goes by: permutation importance, of features and of groups of them. */
import { type Importance, importanceTable } from "../../predictor/mod.ts";
import { type Figure, figure } from "../layout.ts";
import { intervals, points } from "../marks.ts";
import type { Panel } from "../panel.ts";
import { tickRange } from "../tick_range.ts";

/** Options of {@link landscapeImportance}. */
export interface LandscapeImportanceOptions {
  /** The table of `importanceTable()`; that if left out. */
  readonly table?: readonly Importance[];
}

/** Draws how much the error of held-out predictions rises when a feature, or a group of them, is shuffled. */
export function landscapeImportance(options: LandscapeImportanceOptions = {}): Figure {
  const table = [...(options.table ?? importanceTable())].sort((a, b) => b.rise - a.rise);
  const panel = (kind: Importance["kind"], heading: string, left: number): Panel => {
    const rows = table.filter((row) => row.kind === kind);
    const ends = rows.map((row, i) => ({
      ...row,
      y: rows.length - 1 - i,
      lower: row.rise - 2 * row.standardError,
      upper: row.rise + 2 * row.standardError,
    }));
    const range = tickRange(ends.flatMap(({ lower, upper }) => [lower, upper]));
    return {
      heading,
      x: { label: "Rise of the mean error (nats per byte)", ...range },
      y: {
        label: "",
        domain: [-0.6, rows.length - 0.4],
        ticks: ends.map(({ y }) => y),
        format: (y) => ends.find((row) => row.y === y)?.title ?? "",
      },
      left,
      right: 10,
      marks: () => [
        ...intervals(ends, { cap: rows.length / 60 }),
        ...points(ends.map(({ rise, y }) => ({ x: rise, y })), { provenance: "measured" }),
      ],
    };
  };
  return figure({
    name: "landscape-importance",
    title: "What the predictor goes by",
    caption:
      "**Measured** on the miniature suite: permutation importance in the forest of QiD that has the features of both papers. " +
      "How much the mean absolute error on sizes that a forest never saw rises when one feature takes the values of other rows, " +
      "and when all features of a group do together; bars are two standard errors over five shuffles. Features that say the " +
      "same share what they are worth, so the groups say more.",
    legend: [],
    rows: [{
      height: 400,
      panels: [panel("group", "Groups", 78), panel("feature", "Features", 150)],
    }],
  });
}

/** The two papers side by side: what a predictor is worth that knows either paper's variables, or both. */
import {
  type HeldOut,
  heldOutPredictions,
  type HeldOutRow,
  heldOutScores,
} from "../../predictor/mod.ts";
import { type Figure, figure } from "../layout.ts";
import { intervals, points } from "../marks.ts";
import type { Panel } from "../panel.ts";

/** Options of {@link landscapeBoth}. */
export interface LandscapeBothOptions {
  /** Held-out predictions; those from the tables if left out. */
  readonly predictions?: Readonly<Record<HeldOut, readonly HeldOutRow[]>>;
}

/** What each predictor is called here, from what only paper B knows to what both know. */
const titles: Readonly<Record<string, string>> = {
  "forest of the loss": "forest of the loss, B",
  "forest of QiD": "forest of QiD, B",
  "profile read at the SQNR": "profile at the SQNR",
  "forest of QiD: paper B without the landscape": "B without landscape",
  "forest of QiD: N, D, P": "forest of N, D, P",
  "forest of QiD: both papers": "forest of QiD, both",
  "unified law of paper A": "unified law",
};

/** Draws the mean absolute error of each set of features, for sizes and for stages held out. */
export function landscapeBoth(options: LandscapeBothOptions = {}): Figure {
  const names = Object.keys(titles);
  const panel = (heldOut: HeldOut, heading: string): Panel => {
    const all = options.predictions?.[heldOut] ?? heldOutPredictions(heldOut);
    const rows = names.flatMap((name, i) => {
      const own = all.filter(({ predictor }) => predictor === name);
      if (own.length < 2) return [];
      const { mae } = heldOutScores(own);
      return [{ ...mae, y: names.length - 1 - i }];
    });
    const ends = rows.flatMap(({ lower, upper }) => [lower, upper]).filter((end) => end > 0);
    const domain = [Math.min(...ends) / 1.3, Math.max(...ends) * 1.3] as const;
    return {
      heading,
      x: {
        label: "Mean absolute error (nats per byte)",
        domain,
        ticks: [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2].filter((tick) =>
          tick > domain[0] && tick < domain[1]
        ),
        log: true,
      },
      y: {
        label: "",
        domain: [-0.6, names.length - 0.4],
        ticks: names.map((_, i) => names.length - 1 - i),
        format: (y) => heldOut === "size" ? titles[names[names.length - 1 - y]!]! : "",
      },
      left: heldOut === "size" ? 140 : 12,
      right: 12,
      marks: () => [
        ...intervals(rows, { cap: 0.12 }),
        ...points(rows.map(({ value, y }) => ({ x: value, y })), {
          provenance: "measured",
          radius: 4.6,
        }),
      ],
    };
  };
  return figure({
    name: "landscape-both-papers",
    title: "The two papers side by side",
    caption:
      "**Measured** on the miniature suite: mean absolute error of **predicted** losses after quantization, with 95 % intervals " +
      "from resampling checkpoints. Left: each size is predicted from the others. Right: the early, middle and late third of " +
      "training from the other two. Paper B's features have no token count *D*; paper A's law and the forest of *N*, *D*, *P* " +
      "know nothing of weights or landscape. The profile at the SQNR is the radial profile, read at the format's noise, times a " +
      "factor for each algorithm. A law that the remaining rows cannot determine is left out.",
    legend: [],
    rows: [{
      height: 280,
      panels: [panel("size", "Sizes never seen"), panel("stage", "Stages never seen")],
    }],
  });
}

/** The radial profile of the loss (Xu et al. 2024): how it rises with the distance from the weights. */
import { type Landscape, landscapes } from "../../predictor/mod.ts";
import { type Figure, figure } from "../layout.ts";
import { curve, labels, points } from "../marks.ts";
import type { Panel } from "../panel.ts";
import { ink, rule } from "../style.ts";
import { tickRange } from "../tick_range.ts";
import { lastRows, sharedRows } from "./landscape.ts";
import { bytesAxis, megabytes, suiteLabel, suiteLegend, suiteSymbols } from "./series.ts";

/** Options of {@link landscapeProfiles}. */
export interface LandscapeProfilesOptions {
  /** Checkpoints of `landscapes()`; those on the in-domain text if left out. */
  readonly checkpoints?: ReturnType<typeof landscapes>;
}

/** Draws the mean rise of the loss over the radius, and the first step of the profile over training. */
export function landscapeProfiles(options: LandscapeProfilesOptions = {}): Figure {
  const rows = (options.checkpoints ?? landscapes())
    .map((row) => ({ ...row, label: suiteLabel(row.size) }));
  const symbol = suiteSymbols(rows);
  const last = lastRows(rows);
  const shared = sharedRows(rows);
  const radius = (noise: number) => 10 ** (-noise / 20);
  const profileOf = ({ noiseLevels, rises }: Landscape) =>
    rises.map((rise, i) => ({ x: radius(noiseLevels[i]!), y: rise }));
  const all = shared.flatMap(({ landscape }) => profileOf(landscape));
  const x = {
    label: "Radius (share of the norm)",
    domain: [0.025, 0.65] as const,
    ticks: [0.03, 0.1, 0.3],
    log: true,
  };
  const highest = Math.max(...all.map(({ y }) => y));
  const lines = shared.map((row) => ({ ...row, at: profileOf(row.landscape) }));
  const marks = () =>
    lines.flatMap(({ at, label }) => [
      curve(at, { width: 1.2 }),
      ...points(at, { provenance: "measured", symbol: symbol(label), radius: 3.4 }),
    ]);
  const linear: Panel = {
    heading: "Rise of the loss",
    x,
    y: {
      label: "Rise of the loss (nats per byte)",
      domain: [0, highest * 1.05],
      ticks: tickRange([0, highest]).ticks.filter((tick) => tick <= highest),
    },
    left: 48,
    marks,
  };
  const logarithmic: Panel = {
    heading: "The same, and second order",
    x,
    y: {
      label: "",
      domain: [Math.min(...all.map(({ y }) => y)) / 1.6, highest * 1.6],
      ticks: [1e-4, 1e-3, 1e-2, 1e-1, 1].filter((tick) =>
        tick > Math.min(...all.map(({ y }) => y)) / 1.6
      ),
      log: true,
    },
    left: 46,
    marks: () => [
      ...shared.map(({ landscape }) =>
        curve(
          [0.025, 0.65].map((r) => ({ x: r, y: landscape.secondDerivative * r ** 2 / 2 })),
          { colour: rule, dash: "4 3", width: 1 },
        )
      ),
      ...marks(),
    ],
  };
  const steps = rows.map(({ landscape }) => landscape.firstStep);
  const range = tickRange([Math.min(...steps) - 0.5, Math.max(...steps) + 0.5]);
  const step: Panel = {
    heading: "First step, over training",
    x: bytesAxis({ domain: [7e5, 9.5e7] }),
    y: {
      label: "Noise at a rise of 0.05 nats (dB)",
      domain: [Math.min(...steps) - 0.5, Math.max(...steps) + 0.5],
      ticks: range.ticks.filter((tick) =>
        tick > Math.min(...steps) - 0.5 && tick < Math.max(...steps) + 0.5
      ),
    },
    left: 46,
    right: 34,
    marks: (frame) => {
      const places = frame.spread(last.map(({ landscape }) => landscape.firstStep), 13);
      return [
        ...last.flatMap(({ label }) => {
          const at = rows.filter((row) => row.label === label)
            .sort((a, b) => a.tokens - b.tokens)
            .map(({ tokens, landscape }) => ({ x: tokens, y: landscape.firstStep }));
          return [
            curve(at, { width: 1.2 }),
            ...points(at, { provenance: "measured", symbol: symbol(label), radius: 3.4 }),
          ];
        }),
        labels(
          last.map(({ tokens, label }, i) => ({ x: tokens, y: places[i]!, text: label })),
          { dx: 7, size: 11, colour: ink },
        ),
      ];
    },
  };
  return figure({
    name: "landscape-profiles",
    title: "How the loss rises around the weights",
    caption:
      "**After Xu et al. (2024).** **Measured** on the kept checkpoints of the miniature suite: the mean rise of the loss " +
      "along random directions in the linear maps, as long in each as its weights, on both sides of them. A radius of 0.1 is " +
      `noise of 20 dB, one of 0.5 is 6 dB, about that of a 2-bit format. Left and middle: all sizes after ${
        megabytes(shared[0]!.tokens)
      } bytes (M: 2^{20}); ` +
      "dashed: half the measured second derivative times the squared radius. Right: the noise at which the loss has risen by " +
      "0.05 nats per byte; higher is less robust.",
    legend: [
      ...suiteLegend(rows),
      { label: "second order", line: { colour: rule, dash: "4 3", width: 1 } },
    ],
    rows: [{ height: 330, panels: [linear, logarithmic, step] }],
  });
}

/** Figure 14 of Ouyang et al. (2024) from the miniature suite: BitNet against full precision over training. */
import { type Figure, figure } from "../layout.ts";
import { curve, points } from "../marks.ts";
import type { Panel } from "../panel.ts";
import { bitColour, ink, rule } from "../style.ts";
import { tickRange } from "../tick_range.ts";
import {
  type BitnetContrast,
  bitnetContrasts,
  type BitnetRun,
  bitnetRuns,
  headings,
  lossGap,
  type LossPoint,
  type WeightsKind,
} from "./bitnet_curves.ts";
import { bytesAxis, suiteLabel } from "./series.ts";

/** Options of {@link suiteFigure14}. */
export interface SuiteFigure14Options {
  /** The runs of the study; `bitnetRuns()` if left out. */
  runs?: readonly BitnetRun[];
}

/** Below 2 bits there is no colour of its own. */
const looks: Readonly<Record<WeightsKind, { text: string; colour: string; dash?: string }>> = {
  none: { text: "full precision", colour: ink },
  "b1.58": { text: "BitNet b1.58", colour: bitColour(2) },
  b1: { text: "BitNet b1", colour: bitColour(2), dash: "7 4" },
};

/** The first bytes drawn: before them all losses are those of guessing. */
const from = 2.5e5;

/** Draws the training losses and the gap to full precision, at equal rates and at BitNet's own. */
export function suiteFigure14(options: SuiteFigure14Options = {}): Figure {
  const runs = options.runs ?? bitnetRuns();
  const contrasts = bitnetContrasts(runs);
  const sizes = [...new Set(contrasts.map(({ size }) => size))];
  const late = (points: readonly LossPoint[]) => points.filter(({ tokens }) => tokens >= from);
  const xy = (points: readonly LossPoint[]) =>
    points.map(({ tokens, loss }) => ({ x: tokens, y: loss }));
  const bytes = bytesAxis({ domain: [from, 2.2e7] });
  const losses = contrasts.flatMap(({ full, binary }) =>
    [full, ...binary].flatMap(({ training }) => late(training).map(({ loss }) => loss))
  );
  const lossDomain = [
    Math.floor(5 * Math.min(...losses)) / 5,
    Math.ceil(5 * Math.max(...losses)) / 5,
  ];
  const lossTicks = tickRange(losses).ticks.filter((tick) =>
    tick >= lossDomain[0]! && tick <= lossDomain[1]!
  );
  const gapsOf =
    (pick: (run: BitnetRun) => readonly LossPoint[]) => ({ full, binary }: BitnetContrast) =>
      binary.map((run) => ({ run, gap: late(lossGap(pick(run), pick(full))) }));
  const trainingGaps = gapsOf(({ training }) => training);
  const heldOutGaps = gapsOf(({ heldOut }) => heldOut);
  const gapAxis = tickRange(
    contrasts.flatMap((one) => [...trainingGaps(one), ...heldOutGaps(one)])
      .flatMap(({ gap }) => gap.map(({ loss }) => loss)),
  );
  const lossPanel = ({ heading, full, binary, size }: BitnetContrast, i: number): Panel => ({
    heading: `N = ${suiteLabel(size)}, ${heading}`,
    x: bytes,
    y: {
      label: i === 0 ? "Training loss (nats per byte)" : "",
      domain: [lossDomain[0]!, lossDomain[1]!],
      ticks: lossTicks,
      format: (tick) => tick.toFixed(1),
    },
    left: i === 0 ? 60 : 44,
    right: 8,
    marks: () =>
      [full, ...binary].map(({ training, weights }) =>
        curve(xy(late(training)), { ...looks[weights], width: 1.4 })
      ),
  });
  const gapPanel = (contrast: BitnetContrast, i: number): Panel => ({
    heading: `Gap, ${contrast.heading}`,
    x: bytes,
    y: { label: i === 0 ? "Loss − full precision (nats per byte)" : "", ...gapAxis },
    left: i === 0 ? 60 : 44,
    right: 8,
    marks: () => [
      curve([{ x: from, y: 0 }, { x: 2.2e7, y: 0 }], { colour: rule, width: 1 }),
      ...trainingGaps(contrast).map(({ run, gap }) =>
        curve(xy(gap), { ...looks[run.weights], width: 1.4 })
      ),
      ...heldOutGaps(contrast).flatMap(({ run, gap }) =>
        points(xy(gap), {
          provenance: "measured",
          colour: looks[run.weights].colour,
          symbol: run.weights === "b1" ? "square" : "circle",
          radius: 2.8,
        })
      ),
    ],
  });
  const ends = contrasts.flatMap((contrast) => {
    const gaps = trainingGaps(contrast).map(({ run, gap }) =>
      `${looks[run.weights].text.replace("BitNet ", "")} ${signed(gap.at(-1)!.loss)}`
    );
    return [`${gaps.join(", ")} at N = ${suiteLabel(contrast.size)} with ${contrast.heading}`];
  });
  const missing = sizes.flatMap((size) =>
    headings
      .filter((heading) => !contrasts.some((one) => one.size === size && one.heading === heading))
      .map((heading) => `N = ${suiteLabel(size)}, ${heading}`)
  );
  return figure({
    name: "suite-figure-14",
    title: "BitNet against full precision over training: the miniature suite",
    caption:
      "**After Figure 14 of Ouyang et al. (2024).** **Measured** on runs of the miniature suite that read the same text in " +
      "the same order under one cosine, which ends with them. BitNet's weights have three values (b1.58) or two " +
      "(b1), its activations 8 bits. Above: training loss, means over stretches of steps. Below: the same less that of full " +
      "precision; below 0 BitNet is ahead. Marks: the gap on held-out text of the same kind. Peak learning rates are " +
      `those of full precision, BitNet's own (${
        rateFactor(runs).toFixed(1)
      } times that), or each its own. At the end the gap in training loss is ${ends.join("; ")}.${
        missing.length > 0 ? ` Not in the tables yet: ${missing.join("; ")}.` : ""
      }`,
    legend: [
      ...Object.values(looks).map(({ text, colour, dash }) => ({
        label: text,
        line: { colour, dash },
      })),
      { label: "measured on held-out text", point: { provenance: "measured" as const } },
    ],
    rows: sizes.flatMap((size) => {
      const own = contrasts.filter((contrast) => contrast.size === size);
      return [
        { height: 280, panels: own.map(lossPanel) },
        { height: 280, panels: own.map(gapPanel) },
      ];
    }),
  });
}

function signed(value: number): string {
  return `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(3)}`;
}

/** BitNet's own peak rate over that of full precision, at the first width. */
function rateFactor(runs: readonly BitnetRun[]): number {
  const rates = runs.filter(({ width }) => width === runs[0]!.width).map(({ peakRate }) =>
    peakRate
  );
  return Math.max(...rates) / Math.min(...rates);
}

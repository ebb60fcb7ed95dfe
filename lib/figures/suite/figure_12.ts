/** Figure 12 of Ouyang et al. (2024) from the miniature suite: how far weights move, early and late, beside the step of quantization. */
import * as Plot from "@observablehq/plot";
import pl, { type DataFrame } from "nodejs-polars";
import { loadSuiteQid } from "../../suite_tables.ts";
import { type Figure, figure } from "../layout.ts";
import { curve, labels, points } from "../marks.ts";
import type { Panel } from "../panel.ts";
import { distinct } from "../pythia.ts";
import { bitColour, fontSizes, ink, muted, paper } from "../style.ts";
import { logTickRange } from "../tick_range.ts";
import { type Movement, movements } from "./movement.ts";
import { bytesAxis, suiteLabel, suiteQidAxis, suiteRows } from "./series.ts";

/** Options of {@link suiteFigure12}. */
export interface SuiteFigure12Options {
  /** The movements to draw; those of the main series and the study of schedules if left out. */
  moved?: readonly Movement[];
  /** QiD of the same checkpoints; `movedQid()` if left out. */
  qid?: DataFrame;
}

/** QiD of the runs that move: rows of `loadSuiteQid()` for the main series and the study of schedules. */
export function movedQid(): DataFrame {
  return pl.concat([loadSuiteQid(), loadSuiteQid({ series: "schedule" })] as DataFrame[]);
}

const bitWidths = [2, 3, 4] as const;

/** Draws the changes of weights over equal distances as boxes, and their size relative to the step of quantization. */
export function suiteFigure12(options: SuiteFigure12Options = {}): Figure {
  const moved = options.moved ?? movements();
  const main = moved.filter(({ series }) => series === "main");
  const sizes = distinct(main, "size").sort((a, b) => a - b);
  const reach = 1.08 * Math.max(
    ...main.flatMap(({ all }) => [all.quantiles.q95, -all.quantiles.q05, all.steps[2] / 2]),
  );
  const boxes = (size: number, i: number): Panel => {
    const own = main.filter((one) => one.size === size);
    const at = own.map((one, x) => ({ x: x + 1, ...one.all, ...one.all.quantiles }));
    return {
      heading: `N = ${suiteLabel(size)}`,
      x: {
        label: "*D* at the end (2^{20} bytes)",
        domain: [0.4, Math.max(...sizes.map((size) => countOf(main, size))) + 0.6],
        ticks: own.map((_, x) => x + 1),
        format: (tick) => String(Math.round(own[tick - 1]!.to / 2 ** 20 * 10) / 10),
        grid: false,
      },
      y: {
        label: i % 3 === 0 ? "Change of a weight (dimensionless)" : "",
        domain: [-reach, reach],
        ticks: [-0.1, 0, 0.1],
      },
      left: 52,
      right: 8,
      marks: () => [
        ...bitWidths.flatMap((bits) =>
          [-1, 1].map((sign) =>
            Plot.ruleY(at, {
              x1: ({ x }) => x - 0.42,
              x2: ({ x }) => x + 0.42,
              y: ({ steps }) => sign * steps[bits] / 2,
              stroke: bitColour(bits),
              strokeWidth: 2,
            })
          )
        ),
        Plot.ruleX(at, { x: "x", y1: "q05", y2: "q95", stroke: ink, strokeWidth: 1 }),
        Plot.rect(at, {
          x1: ({ x }) => x - 0.2,
          x2: ({ x }) => x + 0.2,
          y1: "q25",
          y2: "q75",
          fill: muted,
          stroke: ink,
        }),
        Plot.ruleY(at, {
          x1: ({ x }) => x - 0.2,
          x2: ({ x }) => x + 0.2,
          y: "q50",
          stroke: paper,
          strokeWidth: 1,
        }),
      ],
    };
  };
  const relative = moved.flatMap(({ kinds }) => kinds.map(({ rms, steps }) => rms / steps[4]));
  const kindNames = distinct(main.flatMap(({ kinds }) => kinds), "kind");
  const over = (heading: string, lines: Line[], first: boolean): Panel => ({
    heading,
    x: bytesAxis({ domain: [1e6, 8.4e7] }),
    y: {
      label: first ? "Rms change / 4-bit step (dimensionless)" : "",
      ...logTickRange(relative),
      log: true,
    },
    left: first ? 56 : 44,
    right: 66,
    marks: (frame) => {
      const places = frame.spread(lines.map(({ at }) => at.at(-1)!.y), 13);
      return [
        ...lines.map(({ at, dash }) => curve(at, { width: 1.3, dash })),
        ...lines.flatMap(({ at }) => points(at, { provenance: "measured", radius: 2.6 })),
        labels(
          lines.map(({ at, text }, i) => ({ x: at.at(-1)!.x, y: places[i]!, text })),
          { dx: 6, size: fontSizes.tick },
        ),
      ];
    },
  });
  const byKind = (size: number): Line[] =>
    kindNames.map((kind, i) => ({
      text: kind,
      dash: ["", "7 4", "2 3", "9 3 2 3"][i],
      at: main.filter((one) => one.size === size).map(({ to, kinds }) => {
        const { rms, steps } = kinds.find((one) => one.kind === kind)!;
        return { x: to, y: rms / steps[4] };
      }),
    }));
  const compared = Math.min(
    ...distinct(moved.filter(({ series }) => series === "schedule"), "size"),
  );
  const runs = [
    ...Map.groupBy(
      moved.filter(({ size }) => size === compared),
      ({ run }) => run,
    ).values(),
  ].map((rows) => ({
    rows,
    text: rows[0]!.schedule,
    dash: rows[0]!.series === "main" ? undefined : rows[0]!.schedule === "constant" ? "7 4" : "2 3",
  }));
  const qids = suiteRows(options.qid ?? movedQid());
  const against = runs.flatMap(({ dash, rows }) =>
    bitWidths.map((bits) => ({
      bits,
      dash,
      at: rows.flatMap(({ run, to, all }) => {
        const found = qids.find(({ model, tokens, bits: width }) =>
          model === run && tokens === to && width === bits
        );
        return found === undefined || !(found.qid > 0)
          ? []
          : [{ x: all.rms / all.steps[bits], y: found.qid }];
      }),
    }))
  );
  const test: Panel = {
    heading: `QiD against movement, N = ${suiteLabel(compared)}`,
    x: {
      label: "Rms change / step of that bit width (dimensionless)",
      ...logTickRange(against.flatMap(({ at }) => at.map(({ x }) => x))),
      log: true,
    },
    y: suiteQidAxis({
      ...logTickRange(against.flatMap(({ at }) => at.map(({ y }) => y))),
      log: true,
    }),
    left: 58,
    right: 12,
    marks: () => [
      ...against.map(({ at, bits, dash }) =>
        curve(at, { colour: bitColour(bits), dash, width: 1 })
      ),
      ...against.flatMap(({ at, bits }) =>
        points(at, { provenance: "measured", colour: bitColour(bits), radius: 2.8 })
      ),
    ],
  };
  const contrast: Panel[] = runs.length < 2 ? [] : [
    over(
      `Schedules, N = ${suiteLabel(compared)}`,
      runs.map(({ text, dash, rows }) => ({
        text: text.replace("cosine ", ""),
        dash,
        at: rows.map(({ to, all }) => ({ x: to, y: all.rms / all.steps[4] })),
      })),
      true,
    ),
    ...(against.some(({ at, dash }) => at.length > 1 && dash !== undefined) ? [test] : []),
  ];
  const drawn = sizes.filter((_, i) => i === 0 || i === sizes.length - 1);
  // At most three in a row, and as many in each as can be.
  const rowCount = Math.ceil(sizes.length / 3);
  const inRow = Math.ceil(sizes.length / rowCount);
  const rowsOfBoxes = Array.from({ length: rowCount }, (_, row) => ({
    height: 270,
    panels: sizes.slice(inRow * row, inRow * (row + 1)).map(boxes),
  }));
  const distances = main.map(({ from, to }) => (to - from) / 2 ** 20);
  return figure({
    name: "suite-figure-12",
    title: "How far weights move in half a million bytes: the miniature suite",
    caption:
      "**After Figure 12 of Ouyang et al. (2024).** **Measured** on the main series of the miniature suite: changes of " +
      "the weights of the blocks' matrices between two checkpoints about half a million bytes apart " +
      `(${Math.min(...distances).toFixed(2)} to ${
        Math.max(...distances).toFixed(2)
      } times 2^{20}; most exactly 0.50), ` +
      "labelled by the later one. Boxes: quartiles; whiskers: 5 and 95 %, of all matrices together, read from the " +
      "quantiles of each. Coloured: half a step of round-to-nearest with groups of 32, as far as rounding can " +
      "move a weight, median over groups. Below: root mean square of the change over the 4-bit step, by kind of matrix" +
      (contrast.length > 0
        ? "; and of all matrices under the main schedule (solid), a constant learning rate (dashed) and shorter cosines (dotted, with the bytes " +
          "at their ends)"
        : ". No run with another schedule is in the tables yet") +
      (contrast.length > 1
        ? ", with QiD over the same ratio, at the step of each bit width: if movement alone decided, all curves " +
          "would be one."
        : "."),
    legend: [
      { label: "measured changes", line: { width: 6, colour: muted } },
      ...bitWidths.map((bits) => ({
        label: `half a step at ${bits} bits`,
        line: { colour: bitColour(bits), width: 2 },
      })),
    ],
    rows: [
      ...rowsOfBoxes,
      {
        height: 300,
        panels: drawn.map((size, i) =>
          over(`Matrices, N = ${suiteLabel(size)}`, byKind(size), i === 0)
        ),
      },
      ...(contrast.length === 0 ? [] : [{ height: 300, panels: contrast }]),
    ],
  });
}

interface Line {
  readonly text: string;
  readonly dash: string | undefined;
  readonly at: { x: number; y: number }[];
}

function countOf(moved: readonly Movement[], size: number): number {
  return moved.filter((one) => one.size === size).length;
}

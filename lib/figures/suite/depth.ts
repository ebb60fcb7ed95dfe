/** Width or depth? QiD of models of other depths, at one width and at about one N. */
import pl, { type DataFrame } from "nodejs-polars";
import { fit, linearFit } from "../../laws/mod.ts";
import { loadSuiteQid, loadSuiteTable } from "../../suite_tables.ts";
import { sizeAxis } from "../axes.ts";
import { type Figure, figure } from "../layout.ts";
import { curve, logCurve, points } from "../marks.ts";
import type { Panel } from "../panel.ts";
import { distinct } from "../pythia.ts";
import { rowsOf } from "../rows.ts";
import { bitColour, ink, rule } from "../style.ts";
import { logTickRange } from "../tick_range.ts";
import { rateShare } from "./schedules.ts";
import { megabytes, suiteLabel, suiteQidAxis } from "./series.ts";

/** A model of the study, quantized by GPTQ at the end of its schedule. */
export interface DepthRow {
  readonly run: string;
  readonly width: number;
  readonly depth: number;
  readonly size: number;
  readonly tokens: number;
  readonly bits: number;
  readonly loss16: number;
  readonly qid: number;
}

/** Options of {@link suiteDepth}. */
export interface SuiteDepthOptions {
  /** Models of the study; `depthRows()` if left out. */
  rows?: readonly DepthRow[];
  /** Rows of `loadSuiteQid()`: the main series, whose size law is the line; these if left out. */
  main?: DataFrame;
}

/** The models of the study at their last checkpoint, with the depth 3 of its narrowest width, by depth and width. */
export function depthRows(
  study: DataFrame = loadSuiteQid({ series: "depth" }) as DataFrame,
  schedules: DataFrame = loadSuiteQid({ series: "schedule" }) as DataFrame,
): DepthRow[] {
  const read = (frame: DataFrame) =>
    rowsOf(
      frame.withColumns(pl.col("decay_to").fillNull(0)),
      ["width", "depth", "size", "tokens", "bits", "loss16", "qid", "decay_to"],
      ["model", "schedule"],
    ).filter(({ schedule, tokens, decay_to }) => schedule === "cosine" && tokens === decay_to);
  const own = read(study);
  if (own.length === 0) {
    throw new RangeError(
      "Cannot draw width or depth: needs measured models of the series depth at the end of their schedule: got none",
    );
  }
  const { width, tokens } = own.reduce((a, b) => b.width < a.width ? b : a);
  const beside = read(schedules).filter((row) => row.width === width && row.tokens === tokens);
  return [...own, ...beside]
    .sort((a, b) => a.depth - b.depth || a.width - b.width || a.bits - b.bits)
    .map(({ model, width, depth, size, tokens, bits, loss16, qid }) => ({
      ...{ run: model, width, depth, size, tokens, bits, loss16, qid },
    }));
}

/** The size law of the main series at one bit width and the study's tokens, moved to the study's models of depth 3. */
export interface DepthLine {
  readonly bits: number;
  readonly sizeExponent: number;
  /** QiD at a size, as depth 3 has it. */
  at(size: number): number;
}

/** The lines to which other depths are compared, by bits; a bit width without two main sizes or a depth 3 has none. */
export function depthLines(rows: readonly DepthRow[], main: DataFrame): DepthLine[] {
  return distinct(rows, "bits").flatMap((bits) => {
    const { tokens } = rows[0]!;
    const part = main.filter(pl.col("bits").eq(bits).and(pl.col("tokens").eq(tokens)));
    const three = rows.filter((row) => row.bits === bits && row.depth === 3 && row.qid > 0);
    if (part.height < 3 || three.length === 0) return [];
    const sizeExponent = fit("size", part).parameters.sizeExponent!;
    const logScale = three.reduce(
      (sum, { qid, size }) => sum + Math.log(qid) + sizeExponent * Math.log(size),
      0,
    ) / three.length;
    return [{
      bits,
      sizeExponent,
      at: (size) => Math.exp(logScale - sizeExponent * Math.log(size)),
    }];
  });
}

/** The law QiD = k N^-alpha L^delta of models of L blocks at one bit width: delta is 0 if N says all. */
export interface DepthLaw {
  readonly bits: number;
  readonly sizeExponent: number;
  readonly sizeError: number;
  readonly depthExponent: number;
  readonly depthError: number;
}

/** Fits the law of size and depth to the study's models at each bit width, by least squares of the logarithm. */
export function depthLaws(rows: readonly DepthRow[] = depthRows()): DepthLaw[] {
  return distinct(rows, "bits").sort((a, b) => a - b).map((bits) => {
    const own = rows.filter((row) => row.bits === bits && row.qid > 0);
    const { theta, standardErrors, usable } = linearFit(
      own.map(({ size, depth }) => [1, -Math.log(size), Math.log(depth)]),
      own.map(({ qid }) => Math.log(qid)),
    );
    if (!usable) {
      throw new RangeError(
        `Cannot tell depth from size at ${bits} bits: needs models of several depths and sizes: got ${own.length}`,
      );
    }
    return {
      bits,
      ...{ sizeExponent: theta[1]!, sizeError: standardErrors[1]! },
      ...{ depthExponent: theta[2]!, depthError: standardErrors[2]! },
    };
  });
}

const symbols: Readonly<Record<number, "square" | "triangle" | "circle" | "diamond">> = {
  1: "square",
  2: "triangle",
  3: "circle",
  6: "diamond",
};

/** Draws QiD over N by depth, QiD relative to depth 3 of the same N, and the loss before quantization. */
export function suiteDepth(options: SuiteDepthOptions = {}): Figure {
  const rows = options.rows ?? depthRows();
  const main: DataFrame = options.main ?? loadSuiteQid();
  const lines = depthLines(rows, main);
  const depths = distinct(rows, "depth");
  const narrow = Math.min(...rows.map(({ width }) => width));
  const bitWidths = distinct(rows, "bits").sort((a, b) => a - b);
  const sizes = rows.map(({ size }) => size);
  const domain: [number, number] = [Math.min(...sizes) / 1.5, Math.max(...sizes) * 1.5];
  const groups = [
    {
      dash: undefined,
      rows: rows.filter(({ width }) => width === narrow),
    },
    { dash: "2 3", rows: oneSize(rows, narrow) },
  ];
  const over = (bits: number): Panel => {
    const own = rows.filter((row) => row.bits === bits && row.qid > 0);
    const line = lines.find((one) => one.bits === bits);
    return {
      heading: `${bits} bits`,
      x: sizeAxis({
        label: "Model size *N* (parameters)",
        domain,
        ticks: [3e4, 1e5, 3e5, 1e6].filter((tick) => tick > domain[0] && tick < domain[1]),
      }),
      y: suiteQidAxis({
        ...logTickRange(own.map(({ qid }) => qid)),
        log: true,
        ...(bits === bitWidths[0] ? {} : { label: "" }),
      }),
      left: bits === bitWidths[0] ? 58 : 46,
      right: 8,
      marks: () => [
        line === undefined ? null : logCurve(domain, line.at, { colour: rule, width: 1 }),
        ...groups.map((group) =>
          curve(
            group.rows.filter((row) => row.bits === bits && row.qid > 0)
              .map(({ size, qid }) => ({ x: size, y: qid })),
            { colour: bitColour(bits), width: 1, dash: group.dash },
          )
        ),
        ...own.flatMap(({ size, qid, depth }) =>
          points([{ x: size, y: qid }], {
            provenance: "measured",
            colour: bitColour(bits),
            symbol: symbols[depth] ?? "star",
          })
        ),
      ],
    };
  };
  const byDepth = (
    heading: string,
    y: Panel["y"],
    value: (row: DepthRow) => number,
    bits: readonly number[],
  ): Panel => ({
    heading,
    x: {
      label: "Depth (blocks, dimensionless)",
      domain: [0.85, 7],
      log: true,
      ticks: depths,
    },
    y,
    left: 60,
    right: 20,
    marks: () => {
      const series = groups.flatMap((group) =>
        bits.map((width) => ({
          dash: group.dash,
          colour: bits.length === 1 ? ink : bitColour(width),
          at: group.rows.filter((row) => row.bits === width && value(row) > 0)
            .map((row) => ({ x: row.depth, y: value(row), depth: row.depth })),
        }))
      );
      return [
        ...series.map(({ at, colour, dash }) => curve(at, { colour, dash, width: 1 })),
        ...series.flatMap(({ at, colour }) =>
          at.flatMap((point) =>
            points([point], {
              provenance: "measured",
              colour,
              symbol: symbols[point.depth] ?? "star",
            })
          )
        ),
      ];
    },
  });
  const relative = (row: DepthRow) =>
    row.qid / (lines.find(({ bits }) => bits === row.bits)?.at(row.size) ?? NaN);
  const ratios = rows.map(relative).filter((value) => value > 0);
  const losses = rows.map(({ loss16 }) => loss16);
  const lossSteps = [20 * Math.min(...losses), 20 * Math.max(...losses)];
  const [lowest, highest] = [Math.floor(lossSteps[0]!), Math.ceil(lossSteps[1]!)];
  const every = highest - lowest > 8 ? 2 : 1;
  const lossTicks = Array.from({ length: highest - lowest + 1 }, (_, i) => (lowest + i) / 20);
  const bottom = [
    ...(ratios.length === 0 ? [] : [byDepth(
      "Over depth 3 of the same N",
      {
        label: "QiD / line of depth 3 (dimensionless)",
        ...logTickRange([...ratios, 0.5, 2]),
        log: true,
      },
      relative,
      bitWidths,
    )]),
    byDepth(
      "Before quantization",
      {
        label: "Test loss (nats per byte)",
        domain: [lowest / 20, highest / 20],
        ticks: lossTicks.filter((_, i) => i % every === 0),
        format: (tick) => tick.toFixed(2),
      },
      ({ loss16 }) => loss16,
      [bitWidths[0]!],
    ),
  ];
  const { tokens } = rows[0]!;
  const share = mainRate(tokens);
  return figure({
    name: "suite-depth",
    title: "Width or depth? The miniature suite",
    caption:
      `**Measured** on models of ${depths.join(", ")} blocks after ${
        megabytes(tokens)
      } bytes (M: 2^{20}), each at the end ` +
      "of its own cosine, quantized by GPTQ with groups of 32, loss on held-out text of the same kind. Solid: " +
      `all depths at width ${narrow}; dotted: widths chosen for about one N (${
        distinct(groups[1]!.rows, "size").map(suiteLabel).join(", ")
      }). ` +
      (lines.length > 0
        ? `Grey: **predicted** from the size law of the main series, which has depth 3, at the same bytes (α = ${
          lines.map(({ bits, sizeExponent }) => `${sizeExponent.toFixed(2)} at ${bits} bits`).join(
            ", ",
          )
        }), moved to the study's models of depth 3, because the main series is then still at ${
          Math.round(100 * share)
        } % of its peak learning rate. Below left: QiD over that line.`
        : "The main series does not reach these bytes yet at two sizes, so there is no line of its size law."),
    legend: [
      ...depths.map((depth) => ({
        label: `depth ${depth}`,
        point: { provenance: "measured" as const, symbol: symbols[depth] ?? "star" as const },
      })),
      { label: `width ${narrow}`, line: { width: 1 } },
      { label: "about one N", line: { width: 1, dash: "2 3" } },
      { label: "predicted for depth 3", line: { width: 1, colour: rule } },
    ],
    rows: [
      { height: 300, panels: bitWidths.map(over) },
      { height: 300, panels: bottom },
    ],
  });
}

/** The models of the study whose widths were chosen for one N, with the deepest of the narrow width, which gives it. */
function oneSize(rows: readonly DepthRow[], narrow: number): DepthRow[] {
  const deepest = Math.max(
    ...rows.filter(({ width }) => width === narrow).map(({ depth }) => depth),
  );
  return rows.filter(({ width, depth }) => width !== narrow || depth === deepest);
}

/** The learning rate of the main series after so many bytes, as a share of its peak. */
function mainRate(tokens: number): number {
  const [run] = loadSuiteTable("runs").filter(pl.col("series").eq(pl.lit("main"))).toRecords();
  return rateShare(run as unknown as Parameters<typeof rateShare>[0], tokens);
}

/** The Pareto frontier of loss against model bytes (Xu et al. 2024): which size, in which format, for a memory budget. */
import { loadSuiteTable } from "../../suite_tables.ts";
import { type Figure, figure } from "../layout.ts";
import { curve, labels, points } from "../marks.ts";
import { ink, rule } from "../style.ts";
import {
  bitsLegend,
  elementColour,
  figureRows,
  type LandscapeFigureOptions,
  type LandscapeFigureRow,
  landscapeSource,
  sharedRows,
} from "./landscape.ts";
import { suiteLegend, suiteSymbols } from "./series.ts";

/** A size in a format, with all its bytes: `bits` is that of an element, 16 for the model as it was trained. */
export interface ParetoPoint {
  readonly label: string;
  readonly size: number;
  readonly title: string;
  readonly elementBits: number;
  /** All weights: those of the linear maps in the format, the rest in 16 bits. */
  readonly bytes: number;
  /** The two tables of the vocabulary, 16 bits an entry, are in `bytes`; without them it would be this. */
  readonly bytesWithoutTables: number;
  readonly loss: number;
  /** Whether no point with as few bytes has a lower loss. */
  readonly onFrontier: boolean;
}

const vocabulary = 256;

/** All sizes in all formats by GPTQ, and as trained, by bytes. Sizes are compared at the last token count they share. */
export function paretoPoints(options: LandscapeFigureOptions = {}): ParetoPoint[] {
  const rows = figureRows(options);
  const chosen = sharedRows(rows).filter(({ algorithm }) => algorithm === "gptq");
  const widths = new Map(
    loadSuiteTable("runs").toRecords().map(({ run, width, depth }) => [
      String(run),
      { width: Number(width), depth: Number(depth) },
    ]),
  );
  const sizesOf = ({ model, size }: LandscapeFigureRow) => {
    const { width, depth } = widths.get(model)!;
    const linear = 12 * depth * width ** 2;
    return { linear, rest: size - linear, tables: 2 * vocabulary * width };
  };
  const point = (row: LandscapeFigureRow, bits: number, loss: number) => {
    const { linear, rest, tables } = sizesOf(row);
    const bytesWithoutTables = linear * bits / 8 + 2 * rest;
    return { bytes: bytesWithoutTables + 2 * tables, bytesWithoutTables, loss };
  };
  const trained = [...new Map(chosen.map((row) => [row.model, row])).values()];
  const all = [
    ...chosen.map((row) => ({
      ...{ label: row.label, size: row.size, title: row.title, elementBits: row.elementBits },
      ...point(row, row.bitsPerWeight, row.lossQuantized),
    })),
    ...trained.map((row) => ({
      ...{ label: row.label, size: row.size, title: "16 bits", elementBits: 16 },
      ...point(row, 16, row.loss16),
    })),
  ].sort((a, b) => a.bytes - b.bytes || a.loss - b.loss);
  let best = Infinity;
  return all.map((at) => {
    const onFrontier = at.loss < best;
    best = Math.min(best, at.loss);
    return { ...at, onFrontier };
  });
}

/** Draws loss over bytes with the frontier. */
export function landscapePareto(options: LandscapeFigureOptions = {}): Figure {
  const all = paretoPoints(options);
  const symbol = suiteSymbols(all);
  const frontier = all.filter(({ onFrontier }) => onFrontier);
  const top = Math.min(
    Math.max(...all.map(({ loss }) => loss)),
    2.4 * Math.min(...all.map(({ loss }) => loss)),
  );
  const shown = all.filter(({ loss }) => loss <= top);
  const bytes = all.map(({ bytes }) => bytes);
  const [low, high] = [Math.min(...bytes) / 1.15, Math.max(...bytes) * 1.25];
  const losses = shown.map(({ loss }) => loss);
  const lowest = Math.min(...losses);
  const floor = lowest - 0.32 * (top - lowest);
  const steps = frontier.flatMap(({ bytes, loss }, i) => [
    ...(i > 0 ? [{ x: bytes, y: frontier[i - 1]!.loss }] : []),
    { x: bytes, y: loss },
  ]);
  const named = frontier.filter((at, i) =>
    at.loss <= top && i > 0 &&
    (i === frontier.length - 1 || at.label !== frontier[i - 1]!.label)
  );
  // Each label has a row of its own below the frontier, and a line up to its point.
  const row = (i: number) => lowest - (lowest - floor) * (i + 1) / (named.length + 1);
  return figure({
    name: "landscape-pareto",
    title: "Which size, in which format, for a memory budget?",
    caption:
      `**After Xu et al. (2024).** ${landscapeSource} Here GPTQ, and the models as trained (16 bits), all at the last ` +
      "token count that the sizes share. Bytes are those of all weights: linear maps in the format with its scales, vocabulary " +
      "tables, norms and biases in 16 bits. The line is the frontier: no model with as few bytes has a lower loss. Losses above " +
      `${top.toFixed(1)} nats are not drawn.`,
    legend: [
      ...bitsLegend,
      { label: "16 bits", point: { provenance: "measured", colour: ink } },
      ...suiteLegend(all),
      { label: "frontier", line: { colour: ink, width: 1.2 } },
    ],
    rows: [{
      height: 380,
      panels: [{
        x: {
          label: "Model size (kilobytes)",
          domain: [low, high],
          ticks: [3e4, 5e4, 1e5, 2e5, 5e5, 1e6, 2e6, 5e6].filter((tick) =>
            tick > low && tick < high
          ),
          log: true,
          format: (tick) => `${tick / 1e3}`,
        },
        y: {
          label: "Loss (nats per byte)",
          domain: [floor, top],
          ticks: Array.from({ length: 40 }, (_, i) => Number((0.2 * i).toFixed(1))).filter((tick) =>
            tick >= floor && tick <= top
          ),
          format: (tick) => tick.toFixed(1),
        },
        right: 24,
        marks: () => [
          curve(steps, { width: 1.2 }),
          ...named.map(({ bytes, loss }, i) =>
            curve([{ x: bytes, y: loss }, { x: bytes, y: row(i) }], { colour: rule, width: 1 })
          ),
          ...shown.flatMap((at) =>
            points([{ x: at.bytes, y: at.loss }], {
              provenance: "measured",
              colour: at.elementBits === 16 ? ink : elementColour(at.elementBits),
              symbol: symbol(at.label),
              radius: at.onFrontier ? 4.6 : 2.6,
            })
          ),
          labels(
            named.map((at, i) => ({ x: at.bytes, y: row(i), text: `${at.label} ${at.title}` })),
            { dx: -4, size: 11, anchor: "end" },
          ),
        ],
      }],
    }],
  });
}

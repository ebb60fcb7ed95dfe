/** A law and the rows that it was fitted to, from any table: what `deno task fit` draws. */
import type { DataFrame } from "nodejs-polars";
import { type Bootstrap, predict, type Variable } from "../laws/mod.ts";
import { qidAxis, sizeAxis, tokensAxis } from "./axes.ts";
import { type Figure, figure } from "./layout.ts";
import { curve, labels, logCurve, points, type XY } from "./marks.ts";
import type { Axis, Panel } from "./panel.ts";
import { tickRange } from "./tick_range.ts";
import { bitColours, countLabel, fontSizes, ink, type Provenance, rule } from "./style.ts";

/** What {@link ownTable} draws. */
export interface OwnTableOptions {
  /** The fit, with intervals. */
  readonly fitted: Bootstrap;
  /** The rows, with the columns of the law. */
  readonly frame: DataFrame;
  /** Where the rows come from, for the caption. */
  readonly table: string;
  /** How the rows look. Default: measured. */
  readonly provenance?: Provenance;
}

type Row = Readonly<Record<Variable | "observed", number>>;

/** Draws the rows and the law over tokens (or size, or bits), a panel for each bit width, and law against rows. */
export function ownTable(options: OwnTableOptions): Figure {
  const { fitted, frame, table, provenance = "measured" } = options;
  const { fit, intervals, level, by } = fitted;
  const { law } = fit;
  const rows = frame.toRecords().map((row) => ({ ...row, observed: row[law.response] })) as Row[];
  const has = (variable: Variable) => law.variables.includes(variable);
  const along = (["tokens", "size", "bits"] as const).find(has)!;
  const value = (at: Partial<Row>) => predict(law, fit.parameters, at);
  const widths = has("bits") && along !== "bits" ? distinct(rows, "bits") : [undefined];
  const unit = law.response === "qid" ? "QiD" : "loss";
  const axisOf = { tokens: tokensAxis, size: sizeAxis, bits: bitsAxis };
  const domain = logDomain(rows.map((row) => row[along]));
  const x = axisOf[along]({ domain, ticks: logTicks(domain) });
  const panel = (bits: number | undefined, index: number): Panel => {
    const own = rows.filter((row) => bits === undefined || row.bits === bits);
    const colour = bits === undefined ? ink : bitColours[bits] ?? ink;
    const sizes = has("size") && along !== "size" ? distinct(own, "size") : [undefined];
    const y = linear(own.map(({ observed }) => observed));
    const at = (size: number | undefined, x: number) => ({
      ...{ [along]: x },
      ...(size === undefined ? {} : { size }),
      ...(bits === undefined ? {} : { bits }),
    });
    return {
      ...(bits === undefined ? {} : { heading: `${bits} bits` }),
      x,
      y: index === 0 ? y : { ...y, label: "" },
      left: 52,
      right: sizes[0] === undefined ? 12 : 44,
      marks: (drawn) => {
        const ends = sizes.map((size) => value(at(size, domain[1])));
        const inside = ends.map((end) => Math.min(y.domain[1], Math.max(y.domain[0], end)));
        const places = drawn.spread(inside, 12);
        return [
          ...sizes.map((size) => logCurve(domain, (x) => value(at(size, x)), { colour })),
          ...points(own.map((row) => ({ x: row[along], y: row.observed })), {
            ...{ provenance, colour, radius: 3 },
          }),
          labels(
            sizes.flatMap((size, i) =>
              size === undefined ? [] : [{ x: domain[1], y: places[i]!, text: countLabel(size) }]
            ),
            { dx: 5, size: fontSizes.tick, colour },
          ),
        ];
      },
    };
  };
  const pairs = rows.map((row): XY & { bits?: number } => ({
    ...{ x: value(pick(row, law.variables)), y: row.observed, bits: row.bits },
  }));
  const both = linear(pairs.flatMap(({ x, y }) => [x, y]));
  const against: Panel = {
    heading: `${unit} of the table against the law's`,
    x: { ...both, label: `${unit} of the law (nats per token)` },
    y: { ...both, label: `${unit} of the table` },
    left: 52,
    right: 12,
    marks: () => [
      curve(both.domain.map((x) => ({ x, y: x })), { colour: rule, width: 1 }),
      ...widths.flatMap((bits) =>
        points(pairs.filter((pair) => bits === undefined || pair.bits === bits), {
          ...{ provenance, colour: bits === undefined ? ink : bitColours[bits] ?? ink, radius: 3 },
        })
      ),
    ],
  };
  const estimates = law.parameters.map(({ name, symbol }) => {
    const [low, high] = intervals[name]!;
    return `${plain(symbol)} = ${short(fit.parameters[name]!)} (${short(low)} to ${short(high)})`;
  });
  const drawn = by === "row" ? "rows" : "whole models";
  return figure({
    name: `${table}-${law.name}`,
    title: `${law.title}, fitted to ${fit.rows} rows of ${table}`,
    caption:
      `Marks: ${unit} **${provenance}**, from ${table}. Lines: **predicted** by the law that was fitted to them ` +
      `(${estimates.join(", ")}; ${100 * level} % intervals by drawing ${drawn} again; R² = ${
        fit.rSquared.toFixed(3)
      }).${
        has("size") && along !== "size" ? " Lines end at their size *N*." : ""
      } The scales of ${unit} differ.`,
    legend: [
      ...(widths[0] === undefined
        ? [{ label: `marks: ${provenance}`, point: { provenance } }]
        : widths.map((bits) => ({
          label: `${bits} bits: ${provenance}`,
          point: { provenance, colour: bitColours[bits!] ?? ink },
        }))),
      { label: "predicted: the fitted law", line: {} },
    ],
    rows: [
      ...chunks(widths.map(panel), 3).map((panels) => ({ height: 300, panels })),
      { height: 320, panels: [against] },
    ],
  });
}

function bitsAxis(options: Pick<Axis, "domain" | "ticks">): Axis {
  return { label: "Bit width *P* (bits per weight)", log: true, ...options };
}

function pick(row: Row, names: readonly Variable[]): Partial<Row> {
  return Object.fromEntries(names.map((name) => [name, row[name]]));
}

function distinct(rows: readonly Row[], name: Variable): number[] {
  return [...new Set(rows.map((row) => row[name]))].sort((a, b) => a - b);
}

/** A range around values with some room, in ratios. */
function logDomain(values: readonly number[]): [number, number] {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const room = Math.max(1.1, (high / low) ** 0.06);
  return [low / room, high * room];
}

/** One to six ticks: powers of ten, or 1, 2 and 5 times those where the range is short. */
function logTicks([low, high]: readonly [number, number]): number[] {
  const first = Math.floor(Math.log10(low));
  const decades = Array.from(
    { length: Math.ceil(Math.log10(high)) - first + 1 },
    (_, i) => 10 ** (first + i),
  );
  const inside = (ticks: number[]) => ticks.filter((tick) => tick >= low && tick <= high);
  const whole = inside(decades);
  if (whole.length < 2) return inside(decades.flatMap((ten) => [ten, 2 * ten, 3 * ten, 5 * ten]));
  const every = Math.ceil(whole.length / 5);
  return whole.filter((_, i) => i % every === 0);
}

function linear(values: readonly number[]): Axis {
  return qidAxis(tickRange(values));
}

function chunks<T>(items: readonly T[], size: number): T[][] {
  return Array.from(
    { length: Math.ceil(items.length / size) },
    (_, i) => items.slice(i * size, (i + 1) * size),
  );
}

/** A LaTeX symbol as a letter. */
function plain(symbol: string): string {
  const letters: Record<string, string> = { "\\alpha": "α", "\\beta": "β", "\\gamma": "γ" };
  return letters[symbol] ?? symbol.replace(/^\\/, "");
}

function short(value: number): string {
  const size = Math.abs(value);
  return size !== 0 && (size < 1e-3 || size >= 1e5) ? value.toExponential(2) : value.toPrecision(3);
}

/** How much is chance? Sizes of the suite that were trained several times, with other seeds. */
import pl, { type DataFrame } from "nodejs-polars";
import { mean, rootMeanSquare, sampleStandardDeviation } from "simple-statistics";
import { loadSuiteQid } from "../../suite_tables.ts";
import { exponentPanel, type ExponentRow } from "../exponent_panel.ts";
import { type Figure, figure } from "../layout.ts";
import { curve, points } from "../marks.ts";
import type { Panel } from "../panel.ts";
import { distinct, exponentOf } from "../pythia.ts";
import { bitColour, rule } from "../style.ts";
import {
  bytesAxis,
  bytesDomain,
  isDrawn,
  logQid,
  megabytes,
  suiteLegend,
  suiteQidAxis,
  type SuiteRow,
  suiteRows,
  suiteSymbols,
} from "./series.ts";

/** Options of {@link suiteSeeds}. */
export interface SuiteSeedsOptions {
  /** Rows to draw; `seedRows()` if left out. */
  rows?: readonly SuiteRow[];
}

/** Spreads are summed up from these bytes on: before them QiD is small and rises steeply. */
const firstBytes = 2 ** 21;

/**
 * The checkpoints that every run of a size has, of sizes with several seeds: the main series' run and those of the
 * series "seeds", by size, run, bits and tokens.
 */
export function seedRows(
  seeds: DataFrame = loadSuiteQid({ series: "seeds" }) as DataFrame,
  main: DataFrame = loadSuiteQid() as DataFrame,
): SuiteRow[] {
  if (seeds.height === 0) {
    throw new RangeError(
      "Cannot compare seeds: needs measured rows of the series seeds: got none",
    );
  }
  const other = suiteRows(seeds);
  const sizes = new Set(other.map(({ size }) => size));
  const all = [...suiteRows(main).filter(({ size }) => sizes.has(size)), ...other];
  return distinct(all, "size").sort((a, b) => a - b).flatMap((size) => {
    const own = all.filter((row) => row.size === size);
    const runs = Map.groupBy(own, ({ model }) => model);
    const shared = [...runs.values()].map((run) => new Set(run.map(({ tokens }) => tokens)))
      .reduce((a, b) => a.intersection(b));
    return own.filter(({ tokens }) => shared.has(tokens));
  });
}

/** QiD of one size, bit width and number of tokens over the runs that differ in their seeds. */
export interface SeedSpread {
  readonly label: string;
  readonly size: number;
  readonly bits: number;
  readonly tokens: number;
  /** How many runs. */
  readonly runs: number;
  /** Mean QiD, nats per byte. */
  readonly qid: number;
  /** Sample standard deviation of ln QiD. */
  readonly deviation: number;
}

/** The spread over seeds at every checkpoint where all runs have a QiD above zero. */
export function seedSpreads(rows: readonly SuiteRow[] = seedRows()): SeedSpread[] {
  const groups = Map.groupBy(rows, ({ size, bits, tokens }) => `${size} ${bits} ${tokens}`);
  return [...groups.values()].filter((group) => group.length > 1 && group.every(isPositive))
    .map((group) => ({
      label: group[0]!.label,
      size: group[0]!.size,
      bits: group[0]!.bits,
      tokens: group[0]!.tokens,
      runs: group.length,
      qid: mean(group.map(({ qid }) => qid)),
      deviation: sampleStandardDeviation(group.map(({ qid }) => Math.log(qid))),
    }));
}

/**
 * The factor by which a run's QiD is typically off the mean of all seeds, from 2 MiB on: e to the root mean square
 * of the deviations of ln QiD.
 */
export function typicalSpread(spreads: readonly SeedSpread[]): number {
  return Math.exp(
    rootMeanSquare(
      spreads.filter(({ tokens }) => tokens >= firstBytes).map(({ deviation }) => deviation),
    ),
  );
}

/** The exponent of tokens of each size and bit width: of every seed, and what one run's fit says of its error. */
export interface SeedExponents {
  readonly label: string;
  readonly size: number;
  readonly bits: number;
  /** Exponents of the runs, in the order of their names. */
  readonly each: readonly number[];
  /** Exponent of the first run with two standard errors to each side. */
  readonly first: { readonly value: number; readonly lower: number; readonly upper: number };
}

/** Fits the token law to every run, over the checkpoints that all runs of a size share. */
export function seedExponents(rows: readonly SuiteRow[] = seedRows()): SeedExponents[] {
  const groups = Map.groupBy(rows, ({ size, bits }) => `${size} ${bits}`);
  return [...groups.values()].map((group) => {
    const runs = distinct(group, "model").sort();
    const fits = runs.map((run) => {
      const own = group.filter(({ model }) => model === run);
      return exponentOf(
        "token",
        "tokenExponent",
        pl.DataFrame({
          tokens: own.map(({ tokens }) => tokens),
          qid: own.map(({ qid }) => qid),
        }),
      );
    });
    const { label, size, bits } = group[0]!;
    return { label, size, bits, each: fits.map(({ value }) => value), first: fits[0]! };
  });
}

/** Draws QiD of runs that differ in their seeds, the spread between them, and their exponents. */
export function suiteSeeds(options: SuiteSeedsOptions = {}): Figure {
  const rows = options.rows ?? seedRows();
  const spreads = seedSpreads(rows);
  const exponents = seedExponents(rows);
  const symbol = suiteSymbols(rows);
  const sizes = distinct(rows, "label");
  const bitWidths = distinct(rows, "bits").sort((a, b) => a - b);
  const first = bitWidths[0];
  const curves = (bits: number): Panel => ({
    heading: `${bits} bits`,
    x: bytesAxis(),
    y: suiteQidAxis({ ...logQid, ...(bits === first ? {} : { label: "" }) }),
    left: bits === first ? 52 : 40,
    right: 10,
    marks: () =>
      sizes.flatMap((label) => {
        const own = rows.filter((row) => row.label === label && row.bits === bits && isDrawn(row));
        return [
          ...distinct(own, "model").map((model) =>
            curve(
              own.filter((row) => row.model === model)
                .map(({ tokens, qid }) => ({ x: tokens, y: qid })),
              { colour: bitColour(bits), width: 0.8 },
            )
          ),
          ...points(own.map(({ tokens, qid }) => ({ x: tokens, y: qid })), {
            provenance: "measured",
            colour: bitColour(bits),
            symbol: symbol(label),
            radius: 2.4,
          }),
        ];
      }),
  });
  const factorTicks = [1, 1.1, 1.2, 1.5, 2, 3, 5, 10];
  const largest = Math.exp(Math.max(...spreads.map(({ deviation }) => deviation)));
  const top = factorTicks.find((tick) => tick >= largest) ?? 20;
  const spread = (bits: number): Panel => ({
    heading: `Between seeds, ${bits} bits`,
    x: bytesAxis(),
    y: {
      label: bits === first ? "Spread (factor, dimensionless)" : "",
      domain: [1, top],
      log: true,
      ticks: factorTicks.filter((tick) => tick <= top),
    },
    left: bits === first ? 52 : 40,
    right: 10,
    marks: () => {
      const own = spreads.filter((one) => one.bits === bits);
      const typical = typicalSpread(own);
      return [
        curve([{ x: firstBytes, y: typical }, { x: bytesDomain[1], y: typical }], {
          colour: rule,
          width: 1.4,
        }),
        ...own.flatMap(({ label, tokens, deviation }) =>
          points([{ x: tokens, y: Math.exp(deviation) }], {
            provenance: "measured",
            colour: bitColour(bits),
            symbol: symbol(label),
            radius: 2.8,
          })
        ),
      ];
    },
  });
  const bounds = exponents.flatMap(({ each, first }) => [...each, first.lower, first.upper]);
  const low = Math.floor(5 * Math.min(...bounds)) / 5;
  const high = Math.ceil(5 * Math.max(...bounds)) / 5;
  const betaTicks = Array.from(
    { length: Math.round(5 * (high - low)) + 1 },
    (_, i) => Number((low + i / 5).toFixed(1)),
  );
  const betas = (bits: number): Panel => {
    const look = (label: string) =>
      ({ provenance: "measured", colour: bitColour(bits), symbol: symbol(label) }) as const;
    const of = exponents.filter((one) => one.bits === bits);
    return exponentPanel(
      of.flatMap(({ label, each, first }): ExponentRow[] => [
        {
          label: `${label}, ${each.length} seeds`,
          value: mean([...each]),
          interval: [Math.min(...each), Math.max(...each)],
          look: look(label),
        },
        {
          label: `${label}, one fit`,
          value: first.value,
          interval: [first.lower, first.upper],
          look: look(label),
        },
      ]),
      {
        heading: `β at ${bits} bits`,
        label: "β (dimensionless)",
        domain: [low, high],
        ticks: betaTicks.filter((_, i) => betaTicks.length <= 6 || i % 2 === 0),
        digits: 2,
        left: 84,
      },
    );
  };
  const typical = bitWidths.map((bits) =>
    `${typicalSpread(spreads.filter((one) => one.bits === bits)).toFixed(2)} at ${bits} bits`
  );
  const lastOf = (label: string) =>
    megabytes(Math.max(...rows.filter((row) => row.label === label).map(({ tokens }) => tokens)));
  const ends = [...new Set(sizes.map(lastOf))].map((last) =>
    `${sizes.filter((label) => lastOf(label) === last).join(", ")} to ${last}`
  );
  return figure({
    name: "suite-seeds",
    title: "How much is chance? Runs that differ in their seeds: the miniature suite",
    caption:
      `**Measured** on runs of the miniature suite that differ in the seed of their first weights and of the order of ` +
      `their text (${
        ends.join("; ")
      } bytes, M: 2^{20}), quantized by GPTQ with groups of 32, loss on held-out text of ` +
      "the same kind. Middle: *e* to the standard deviation of ln QiD over the seeds; the line is its root mean square from " +
      `2M bytes on: ${
        typical.join(", ")
      }. Below: β of each size; “seeds” is the mean over the runs with the ` +
      "lowest and highest as its bar, “one fit” the main run with two standard errors, checkpoints taken as independent.",
    legend: [
      ...suiteLegend(rows),
      { label: "lines: one run each", line: { width: 0.8 } },
      { label: "typical spread", line: { colour: rule, width: 1.4 } },
    ],
    rows: [
      { height: 300, panels: bitWidths.map(curves) },
      { height: 230, panels: bitWidths.map(spread) },
      { height: 60 + 60 * sizes.length, panels: bitWidths.map(betas) },
    ],
  });
}

function isPositive({ qid }: SuiteRow): boolean {
  return qid > 0;
}

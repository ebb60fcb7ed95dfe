/** Tokens or learning-rate decay? QiD at equal tokens under different schedules, and a law with both. */
import { type DecayFit, type DecayRow, type DecayTerm, fitDecay } from "../../laws/mod.ts";
import { exponentPanel, type ExponentRow } from "../exponent_panel.ts";
import { type Figure, figure } from "../layout.ts";
import { curve, points } from "../marks.ts";
import type { Panel } from "../panel.ts";
import { distinct } from "../pythia.ts";
import { bitColour, rule } from "../style.ts";
import { logTickRange, tickRange } from "../tick_range.ts";
import { type ScheduleRow, scheduleRows } from "./schedules.ts";
import { bytesAxis, megabytes, suiteQidAxis } from "./series.ts";

/** Options of {@link suiteSchedule}. */
export interface SuiteScheduleOptions {
  /** Rows to draw and fit; `scheduleRows()` if left out. */
  rows?: readonly ScheduleRow[];
}

/** Bytes from which schedules are compared and the law is fitted: the end of the first decay. */
const firstBytes = 2 ** 21;

/** What the study says at one bit width. */
export interface ScheduleLaws {
  readonly bits: number;
  /** Rows that were fitted: those from 2^21 bytes on, above three standard errors. */
  readonly rows: readonly ScheduleRow[];
  readonly both: DecayFit;
  readonly tokensAlone: DecayFit;
  readonly decayAlone: DecayFit;
  /** The tokens' exponent from the runs with a constant rate. */
  readonly constant: DecayFit;
  /** The decay's exponent from checkpoints at equal tokens, whatever tokens do: a scale for each size and D. */
  readonly matched: DecayFit;
  /** By what factors the law of both multiplies QiD over the main run of the smallest size. */
  readonly growth: Growth;
}

/** QiD's growth between two checkpoints of a run, as the product of two factors. */
export interface Growth {
  readonly from: number;
  readonly to: number;
  readonly tokens: number;
  readonly decay: number;
}

/** Fits the laws of tokens, of decay and of both at each bit width of the rows. */
export function scheduleLaws(rows: readonly ScheduleRow[] = scheduleRows()): ScheduleLaws[] {
  return distinct(rows, "bits").sort((a, b) => a - b).map((bits) => {
    const own = rows.filter((row) =>
      row.bits === bits && row.tokens >= firstBytes && row.qid > 3 * row.qid_se
    );
    const both = fitDecay(own);
    const main = mainRun(own);
    const [first, last] = [main[0]!, main.at(-1)!];
    const { tokens, decay } = both.exponents;
    return {
      bits,
      rows: own,
      both,
      tokensAlone: fitDecay(own, { terms: ["tokens"] }),
      decayAlone: fitDecay(own, { terms: ["decay"] }),
      constant: fitDecay(own.filter(({ kind }) => kind === "constant"), { terms: ["tokens"] }),
      matched: fitDecay(sameTokens(own), { terms: ["decay"] }),
      growth: {
        ...{ from: first.tokens, to: last.tokens },
        tokens: (last.tokens / first.tokens) ** tokens!.value,
        decay: Math.exp(decay!.value * (first.rate - last.rate)),
      },
    };
  });
}

/** The checkpoints of the longest run of the smallest size. */
function mainRun(rows: readonly ScheduleRow[]): ScheduleRow[] {
  const size = Math.min(...rows.map((row) => row.size));
  const own = rows.filter((row) => row.size === size);
  const last = own.reduce((a, b) => b.tokens > a.tokens ? b : a);
  return own.filter(({ run }) => run === last.run);
}

/** Rows with others at the same size and tokens; each such group is a curve. */
function sameTokens(rows: readonly ScheduleRow[]): DecayRow[] {
  const groups = Map.groupBy(rows, ({ size, tokens }) => `${size} ${tokens}`);
  return [...groups].flatMap(([curve, group]) =>
    group.length < 2 ? [] : group.map((row) => ({ ...row, curve }))
  );
}

const looks = {
  main: { text: "cosine to", dash: undefined, symbol: "circle" },
  constant: { text: "constant", dash: "7 4", symbol: "square" },
  decay: { text: "decay from a constant rate", dash: undefined, symbol: "triangle" },
  short: { text: "shorter cosines", dash: "2 3", symbol: "diamond" },
} as const;

function lookOf({ kind, series }: ScheduleRow): typeof looks[keyof typeof looks] {
  if (series === "main") return looks.main;
  return kind === "constant" ? looks.constant : kind === "wsd" ? looks.decay : looks.short;
}

/** Draws QiD under all schedules, QiD against the learning rate at equal tokens, and the exponents of the law with both. */
export function suiteSchedule(options: SuiteScheduleOptions = {}): Figure {
  const rows = options.rows ?? scheduleRows();
  const laws = scheduleLaws(rows);
  const sizes = distinct([...rows].sort((a, b) => a.size - b.size), "label");
  const bitWidths = laws.map(({ bits }) => bits);
  const positive = rows.filter(({ qid, qid_se }) => qid > 2 * qid_se);
  const over = (label: string) => (bits: number): Panel => {
    const own = positive.filter((row) => row.label === label && row.bits === bits);
    const runs = distinct(own, "run").map((run) => own.filter((row) => row.run === run));
    const look = ([first]: ScheduleRow[]) => lookOf(first!);
    const xy = (run: ScheduleRow[]) => run.map(({ tokens, qid }) => ({ x: tokens, y: qid }));
    const colour = bitColour(bits);
    return {
      heading: `${bits} bits, N = ${label}`,
      x: bytesAxis(),
      y: suiteQidAxis({
        ...logTickRange(own.map(({ qid }) => qid)),
        log: true,
        ...(bits === bitWidths[0] ? {} : { label: "" }),
      }),
      left: bits === bitWidths[0] ? 58 : 46,
      right: 8,
      marks: () => [
        ...runs.map((run) => curve(xy(run), { colour, dash: look(run).dash, width: 1.2 })),
        ...runs.flatMap((run) =>
          points(xy(run), {
            provenance: "measured",
            colour,
            symbol: look(run).symbol,
            radius: look(run) === looks.decay ? 4.2 : 2.8,
          })
        ),
      ],
    };
  };
  // QiD over that of the constant rate, at the same size, tokens and bits.
  const ratios = positive.flatMap((row) => {
    if (row.kind === "constant" || row.tokens < firstBytes) return [];
    const constant = positive.find((other) =>
      other.kind === "constant" && other.size === row.size && other.bits === row.bits &&
      other.tokens === row.tokens
    );
    return constant === undefined ? [] : [{ row, x: row.rate, y: row.qid / constant.qid }];
  });
  const reach: [number, number] = [
    Math.min(0.6, ...ratios.map(({ y }) => 0.95 * y)),
    Math.max(2, ...ratios.map(({ y }) => 1.05 * y)),
  ];
  const shares = Array.from({ length: 19 }, (_, i) => 0.1 + 0.05 * i);
  const same: Panel = {
    heading: "At the same D",
    x: {
      label: "Learning rate / peak (dimensionless)",
      domain: [1.04, 0.06],
      ticks: [1, 0.8, 0.6, 0.4, 0.2],
    },
    y: {
      label: "QiD / QiD at the constant rate (dimensionless)",
      domain: reach,
      log: true,
      ticks: [0.1, 0.2, 0.5, 1, 1.5, 2, 3, 5].filter((tick) =>
        tick >= reach[0] && tick <= reach[1]
      ),
    },
    left: 50,
    right: 8,
    marks: () => [
      curve([{ x: 1.04, y: 1 }, { x: 0.06, y: 1 }], { colour: rule, width: 1 }),
      ...laws.map(({ bits, matched }) =>
        curve(
          shares.map((x) => ({ x, y: Math.exp(matched.exponents.decay!.value * (1 - x)) })),
          { colour: bitColour(bits), width: 1.4 },
        )
      ),
      ...ratios.flatMap(({ row, x, y }) =>
        points([{ x, y }], {
          provenance: "measured",
          colour: bitColour(row.bits),
          symbol: lookOf(row).symbol,
          radius: 3,
        })
      ),
    ],
  };
  const estimates = (
    term: DecayTerm,
    fits: readonly (readonly [(law: ScheduleLaws) => DecayFit, string])[],
  ): ExponentRow[] =>
    laws.flatMap((law) =>
      fits.map(([of, text]) => {
        const { value, standardError } = of(law).exponents[term]!;
        return {
          label: `${law.bits} bits, ${text}`,
          value,
          interval: [value - 2 * standardError, value + 2 * standardError] as const,
          look: { provenance: "measured", colour: bitColour(law.bits) } as const,
        };
      })
    );
  const beta = estimates("tokens", [
    [({ tokensAlone }) => tokensAlone, "D alone"],
    [({ both }) => both, "both"],
    [({ constant }) => constant, "constant"],
  ]);
  const delta = estimates("decay", [
    [({ decayAlone }) => decayAlone, "r alone"],
    [({ both }) => both, "both"],
    [({ matched }) => matched, "same D"],
  ]);
  const ends = (list: ExponentRow[]) => list.flatMap(({ interval }) => [...interval!]);
  const [betaAxis, deltaAxis] = [beta, delta].map((list) => tickRange(ends(list)));
  const { from, to } = laws[0]!.growth;
  const growth = laws.map(({ bits, growth: { tokens, decay } }) =>
    `${tokens.toFixed(1)} and ${decay.toFixed(2)} at ${bits} bits`
  );
  const explained = laws.map(({ bits, tokensAlone, decayAlone, both }) => {
    const parts = [tokensAlone, decayAlone, both].map(({ rSquared }) => rSquared.toFixed(2));
    return `${parts.join(", ")} at ${bits} bits`;
  });
  const sameSize = new Set(
    rows.filter(({ series }) => series !== "main").map(({ label }) => label),
  );
  const main = rows.find(({ series }) => series === "main");
  return figure({
    name: "suite-schedule",
    title: "Tokens or learning-rate decay? QiD under different schedules: the miniature suite",
    caption:
      "**Measured** on runs of the miniature suite that differ in their learning rates alone, quantized by GPTQ with " +
      "groups of 32, loss on held-out text of the same kind (M: 2^{20} bytes). Below, from 2M bytes on. Left: QiD over that of the " +
      "constant rate at the same bytes; lines are **predicted** from a scale for each *D* and one δ. Right: the law " +
      "QiD = *k* *D*^{β} *e*^{δ(1 − r)}, r the learning rate over its peak, a scale for each size, by least squares of " +
      "logarithms: β and δ in the law of both, each alone, β at a constant rate and δ at the same *D*; bars are " +
      `two standard errors, checkpoints taken as independent. R² of *D* alone, r alone and both: ${
        explained.join("; ")
      }. By the law of both, tokens and decay multiply QiD from ${megabytes(from)} to ${
        megabytes(to)
      } of the main ` +
      `run by ${growth.join("; ")}.${
        sameSize.size === 1 ? ` The study has rows of one size so far, ${[...sameSize][0]}.` : ""
      }`,
    legend: [
      ...Object.values(looks).filter((look) => rows.some((row) => lookOf(row) === look)).map((
        look,
      ) => ({
        label: look === looks.main ? main!.schedule : look.text,
        ...(look === looks.decay ? {} : { line: { dash: look.dash, width: 1.2 } }),
        point: { provenance: "measured" as const, symbol: look.symbol },
      })),
      { label: "marks: measured" },
    ],
    rows: [
      ...sizes.map((label) => ({ height: 290, panels: bitWidths.map(over(label)) })),
      {
        height: 380,
        panels: [
          same,
          exponentPanel(beta, {
            heading: "β, of tokens",
            label: "β (dimensionless)",
            ...betaAxis!,
            digits: 2,
            left: 100,
          }),
          exponentPanel(delta, {
            heading: "δ, of decay",
            label: "δ (dimensionless)",
            ...deltaAxis!,
            reference: 0,
            digits: 2,
            left: 96,
          }),
        ],
      },
    ],
  });
}

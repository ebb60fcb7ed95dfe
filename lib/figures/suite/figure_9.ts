/** Figure 9 of Ouyang et al. (2024) from the miniature suite: other methods than GPTQ, one law each. */
import pl, { type DataFrame } from "nodejs-polars";
import { fit } from "../../laws/mod.ts";
import { loadSuiteQid } from "../../suite_tables.ts";
import { exponentPanel } from "../exponent_panel.ts";
import { type Figure, figure } from "../layout.ts";
import { curve, labels, points } from "../marks.ts";
import type { Panel } from "../panel.ts";
import { distinct, estimate, type ExponentEstimate } from "../pythia.ts";
import { bitColour, fontSizes } from "../style.ts";
import { logTickRange, tickRange } from "../tick_range.ts";
import { bytesAxis, suiteLabel, suiteQidAxis, suiteRows } from "./series.ts";

/** Options of {@link suiteFigure9}. */
export interface SuiteFigure9Options {
  /** Rows of `suiteMethodRows()`; these if left out. */
  frame?: DataFrame;
}

/** A method as the figure names it, and its names in the table, one for each bit width where they differ. */
interface MethodLook {
  readonly title: string;
  readonly names: readonly string[];
  /** Methods that look at calibration text are drawn solid. */
  readonly calibrated?: true;
}

const methods: readonly MethodLook[] = [
  { title: "GPTQ", names: ["gptq"], calibrated: true },
  { title: "AWQ", names: ["awq"], calibrated: true },
  { title: "HQQ", names: ["hqq"] },
  { title: "RTN", names: ["rtn"] },
  { title: "NF4", names: ["nf4"] },
  { title: "FP4", names: ["fp4"] },
  { title: "MXINT", names: ["mxint2", "mxint3", "mxint4"] },
  { title: "MXFP4", names: ["mxfp4"] },
];

/**
 * The measurements of the main series at 2, 3 and 4 bits by all methods, on the text of the same kind, of the sizes that
 * every method has, so that the methods are compared on the same checkpoints.
 */
export function suiteMethodRows(): DataFrame {
  const frames: DataFrame[] = methods.flatMap(({ names }) => names)
    .map((method) => loadSuiteQid({ method }));
  const common = frames.map((frame) => new Set(Array.from(frame.getColumn("size"), Number)))
    .reduce((a, b) => a.intersection(b));
  return pl.concat(frames).filter(pl.col("size").isIn([...common]));
}

/** The exponents of one method at one bit width over all sizes. */
export interface MethodLaw {
  readonly title: string;
  readonly bits: number;
  /** Effective bits per weight, with scales and zero points. */
  readonly bitsPerWeight: number;
  readonly tokenExponent: ExponentEstimate;
  /** Undefined with one size, which cannot tell it. */
  readonly sizeExponent: ExponentEstimate | undefined;
}

/** One size-token law for each method and bit width of the rows (one size: the token law), by bits. */
export function suiteMethodLaws(frame: DataFrame = suiteMethodRows()): MethodLaw[] {
  return [2, 3, 4].flatMap((bits) =>
    methods.flatMap(({ title, names }): MethodLaw[] => {
      const part = frame.filter(
        pl.col("bits").eq(bits).and(pl.col("method_name").isIn([...names])),
      );
      if (part.height < 4) return [];
      const several = part.getColumn("size").nUnique() > 1;
      const fitted = fit(several ? "size-token" : "token", part);
      return [{
        title,
        bits,
        bitsPerWeight: Number(part.getColumn("bits_per_weight").mean()),
        tokenExponent: estimate(fitted, "tokenExponent"),
        sizeExponent: several ? estimate(fitted, "sizeExponent") : undefined,
      }];
    })
  );
}

/** Draws QiD over training by method at one size, and the exponents of the law of each. */
export function suiteFigure9(options: SuiteFigure9Options = {}): Figure {
  const frame = options.frame ?? suiteMethodRows();
  const rows = suiteRows(frame).map((row) => ({
    ...row,
    title: methods.find(({ names }) => names.includes(row.method_name))!.title,
  }));
  const laws = suiteMethodLaws(frame);
  const titles = distinct(rows, "title");
  const sizes = distinct(rows, "size").sort((a, b) => a - b);
  const size = sizes.at(-1)!;
  const own = rows.filter((row) => row.size === size && row.qid > 2 * row.qid_se);
  const last = Math.max(...own.map(({ tokens }) => tokens));
  const curves = (bits: number): Panel => ({
    heading: `${bits} bits, N = ${suiteLabel(size)}`,
    x: bytesAxis(),
    y: suiteQidAxis({
      ...logTickRange(own.filter((row) => row.bits === bits).map(({ qid }) => qid)),
      log: true,
      ...(bits === 2 ? {} : { label: "" }),
    }),
    left: bits === 2 ? 58 : 44,
    right: 46,
    marks: (frame) => {
      const colour = bitColour(bits);
      const series = methods.flatMap(({ title, calibrated }) => {
        const at = own.filter((row) => row.bits === bits && row.title === title)
          .map(({ tokens, qid }) => ({ x: tokens, y: qid }));
        return at.length === 0 ? [] : [{ title, dash: calibrated ? undefined : "4 3", at }];
      });
      const places = frame.spread(series.map(({ at }) => at.at(-1)!.y), 13);
      return [
        ...series.map(({ at, dash }) => curve(at, { colour, dash, width: 1.3 })),
        ...series.flatMap(({ at }) =>
          points([at[0]!, at.at(-1)!], { provenance: "measured", colour, radius: 2.4 })
        ),
        labels(
          series.map(({ title }, i) => ({ x: last, y: places[i]!, text: title })),
          {
            dx: 6,
            size: fontSizes.tick,
            colour,
          },
        ),
      ];
    },
  });
  const shown = { tokenExponent: "β", sizeExponent: "α" } as const;
  const range = tickRange(
    laws.flatMap(({ tokenExponent, sizeExponent = tokenExponent }) =>
      [tokenExponent, sizeExponent].flatMap(({ lower, upper }) => [lower, upper])
    ),
  );
  const exponents = (name: keyof typeof shown) => (bits: number): Panel[] => {
    const estimates = laws.flatMap((law) => {
      const value = law[name];
      return law.bits === bits && value !== undefined ? [{ ...law, ...value }] : [];
    });
    if (estimates.length === 0) return [];
    return [exponentPanel(
      estimates.map(({ title, bitsPerWeight, value, lower, upper }) => ({
        label: `${title}, ${bitsPerWeight.toFixed(2)}`,
        value,
        interval: [lower, upper] as const,
        look: { provenance: "measured", colour: bitColour(bits) } as const,
      })),
      {
        heading: `${shown[name]} at ${bits} bits`,
        label: `${shown[name]} (dimensionless)`,
        domain: range.domain,
        ticks: range.ticks.filter((_, i) => i % 2 === 0),
        digits: 2,
        left: 82,
      },
    )];
  };
  const panels = (name: keyof typeof shown) => [2, 3, 4].flatMap(exponents(name));
  const height = 72 + 27 * titles.length;
  const several = panels("sizeExponent").length > 0;
  return figure({
    name: "suite-figure-9",
    title: "Quantization methods over training, one law each: the miniature suite",
    caption:
      "**After Figure 9 of Ouyang et al. (2024).** **Measured** on the main series of the miniature suite, " +
      "loss on held-out text of the same kind as the training text. All methods but NF4, FP4 (blocks of 64) and the MX " +
      `formats (blocks of 32) have groups of 32. Above: QiD over training at N = ${
        suiteLabel(size)
      }, where it is above two ` +
      "standard errors. Below: exponents of QiD = *k* *D*^{β}" +
      (several
        ? ` / *N*^{α}, one law for each method over the sizes that all have, ${
          sizes.map(suiteLabel).join(", ")
        }`
        : ", at the one size measured so far") +
      " (least squares of QiD); bars are two standard errors, checkpoints taken as independent. Beside each " +
      "name: effective bits per weight, with scales and zero points, which differ.",
    legend: [
      { label: "uses calibration text", line: { width: 1.3 } },
      { label: "sees the weights alone", line: { width: 1.3, dash: "4 3" } },
      { label: "marks: measured" },
    ],
    rows: [
      { height: 360, panels: [2, 3, 4].map(curves) },
      { height, panels: panels("tokenExponent") },
      ...(several ? [{ height, panels: panels("sizeExponent") }] : []),
    ],
  });
}

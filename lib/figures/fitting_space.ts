/** The exponents of the unified law, fitted in linear and in log space, beside the published ones. */
import pl, { type DataFrame } from "nodejs-polars";
import { loadFigure2 } from "../data.ts";
import { type Bootstrap, bootstrap, type BootstrapOptions, published } from "../laws/mod.ts";
import { exponentPanel } from "./exponent_panel.ts";
import { type Figure, figure } from "./layout.ts";

/** Options of {@link fittingSpace}. */
export interface FittingSpaceOptions {
  /** Columns size, tokens, bits, qid; `loadFigure2()` if left out. */
  frame?: DataFrame;
  /** Bootstraps of the unified law by the name of their row; in linear and in log space if left out. */
  fits?: Readonly<Record<string, Bootstrap>>;
  /** The same with whole models drawn, by the same names, for the dotted bars. */
  byModel?: Readonly<Record<string, Bootstrap>>;
}

const exponents = [
  {
    name: "tokenExponent",
    symbol: "β",
    of: "tokens *D*",
    digits: 3,
    domain: [0.44, 0.68],
    ticks: [0.45, 0.5, 0.55, 0.6, 0.65],
  },
  {
    name: "sizeExponent",
    symbol: "α",
    of: "size *N*",
    digits: 3,
    domain: [0.15, 0.37],
    ticks: [0.2, 0.25, 0.3, 0.35],
  },
  {
    name: "bitExponent",
    symbol: "γ",
    of: "bits *P*",
    digits: 2,
    domain: [4.7, 6.4],
    ticks: [5, 5.5, 6],
  },
] as const;

/** Draws each exponent as a row for each fit, with the published value below. */
export function fittingSpace(options: FittingSpaceOptions = {}): Figure {
  const frame: DataFrame = options.frame ?? loadFigure2();
  const positive = frame.filter(pl.col("qid").gt(0));
  const inBothSpaces = (by: BootstrapOptions["by"]) => ({
    "linear space": bootstrap("unified", frame, { by }),
    "log space": bootstrap("unified", positive, { space: "log", by }),
  });
  const fits: Readonly<Record<string, Bootstrap>> = options.fits ?? inBothSpaces("row");
  const byModel: Readonly<Record<string, Bootstrap>> = options.byModel ??
    (options.fits ? {} : inBothSpaces({ cluster: "model" }));
  const panels = exponents.map(({ name, symbol, of, digits, domain, ticks }, i) => {
    const value = published.unified[name];
    const rows = Object.entries(fits).map(([label, { fit, intervals }]) => ({
      label,
      value: fit.parameters[name]!,
      interval: intervals[name]!,
      outer: byModel[label]?.intervals[name],
      look: { provenance: "digitised" } as const,
    }));
    return exponentPanel([
      ...rows,
      { label: "published", value, look: { provenance: "published" } },
    ], {
      heading: `${symbol}, of ${of}`,
      label: `${symbol} (dimensionless)`,
      domain,
      ticks,
      reference: value,
      digits,
      named: i === 0,
      left: i === 0 ? 84 : 16,
    });
  });
  const dropped = frame.height - positive.height;
  return figure({
    name: "fitting-space",
    title: "The published exponents come back in linear space, not in log space",
    caption:
      "Exponents of the unified law (Eq. 8), fitted to the 2-bit and 3-bit points **digitised** from " +
      "Figure 2 of Ouyang et al. (2024), with 95 % bootstrap intervals: solid, single points are " +
      "drawn as if independent; dotted, whole models are drawn, of which there are three. Linear " +
      `space: least squares of QiD in nats per token, all ${frame.height} points. Log space: least ` +
      `squares of ln QiD; ${dropped} point without a positive QiD is left out. Dashed line: the ` +
      "**published** value, from 2, 3 and 4 bits; in log space α and γ miss it, and β does not.",
    legend: [
      { label: "fitted to digitised points", point: { provenance: "digitised" } },
      { label: "published", point: { provenance: "published" } },
      { label: "95 %, points drawn", line: {} },
      { label: "95 %, models drawn", line: { dash: "1 2" } },
    ],
    rows: [{ height: 236, panels }],
  });
}

/** The exponents of the unified law, fitted in linear and in log space, beside the published ones. */
import pl, { type DataFrame } from "nodejs-polars";
import { loadFigure2 } from "../data.ts";
import { type Fit, fit, published } from "../laws/mod.ts";
import { exponentPanel } from "./exponent_panel.ts";
import { type Figure, figure } from "./layout.ts";
import { estimate } from "./pythia.ts";

/** Options of {@link fittingSpace}. */
export interface FittingSpaceOptions {
  /** Columns size, tokens, bits, qid; `loadFigure2()` if left out. */
  frame?: DataFrame;
  /** Fits of the unified law by name of the row; one in linear and one in log space if left out. */
  fits?: Readonly<Record<string, Fit>>;
}

const exponents = [
  {
    name: "tokenExponent",
    symbol: "β",
    of: "tokens *D*",
    digits: 3,
    domain: [0.48, 0.64],
    ticks: [0.5, 0.55, 0.6],
  },
  {
    name: "sizeExponent",
    symbol: "α",
    of: "size *N*",
    digits: 3,
    domain: [0.18, 0.36],
    ticks: [0.2, 0.25, 0.3, 0.35],
  },
  {
    name: "bitExponent",
    symbol: "γ",
    of: "bits *P*",
    digits: 2,
    domain: [4.6, 6.4],
    ticks: [5, 5.5, 6],
  },
] as const;

/** Draws each exponent as a row for each fit, with the published value below. */
export function fittingSpace(options: FittingSpaceOptions = {}): Figure {
  const frame: DataFrame = options.frame ?? loadFigure2();
  const positive = frame.filter(pl.col("qid").gt(0));
  const fits = options.fits ?? {
    "linear space": fit("unified", frame),
    "log space": fit("unified", positive, { space: "log" }),
  };
  const panels = exponents.map(({ name, symbol, of, digits, domain, ticks }, i) => {
    const value = published.unified[name];
    const rows = Object.entries(fits).map(([label, fitted]) => {
      const { value, lower, upper } = estimate(fitted, name);
      return {
        label,
        value,
        interval: [lower, upper] as const,
        look: { provenance: "digitised" } as const,
      };
    });
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
      "Exponents of the unified law (Eq. 8), fitted to the 2-bit and 3-bit points **digitised** " +
      "from Figure 2 of Ouyang et al. (2024), with two standard errors on each side (rows taken as " +
      "independent). Linear space: least squares of QiD in nats per token, all " +
      `${frame.height} points. Log space: least squares of ln QiD; ${dropped} point without a ` +
      "positive QiD is left out. Dashed line: the **published** value, from 2, 3 and 4 " +
      "bits. α and γ tell the two spaces apart; β alone would not.",
    legend: [
      { label: "fitted to digitised points", point: { provenance: "digitised" } },
      { label: "published", point: { provenance: "published" } },
    ],
    rows: [{ height: 220, panels }],
  });
}

/** The exponents of the law of each bit width, beside those of the unified law. */
import pl, { type DataFrame } from "nodejs-polars";
import { loadFigure2 } from "../data.ts";
import { type Bootstrap, bootstrap, published } from "../laws/mod.ts";
import { exponentPanel, type ExponentRow } from "./exponent_panel.ts";
import { type Figure, figure } from "./layout.ts";
import type { PointLook } from "./marks.ts";
import { bitColour } from "./style.ts";

/** Options of {@link perBitExponents}. */
export interface PerBitExponentsOptions {
  /** Columns size, tokens, bits, qid; `loadFigure2()` if left out. */
  frame?: DataFrame;
  /** A bootstrap of the unified law over the frame; made here if left out. */
  unified?: Bootstrap;
}

const exponents = [
  {
    name: "tokenExponent",
    symbol: "β",
    of: "tokens *D*",
    domain: [0.4, 0.95],
    ticks: [0.4, 0.5, 0.6, 0.7, 0.8, 0.9],
  },
  {
    name: "sizeExponent",
    symbol: "α",
    of: "size *N*",
    domain: [0.15, 0.5],
    ticks: [0.2, 0.3, 0.4, 0.5],
  },
] as const;

/** Draws β and α of each bit width: fitted to the digitised points, and behind Table 1. */
export function perBitExponents(options: PerBitExponentsOptions = {}): Figure {
  const frame: DataFrame = options.frame ?? loadFigure2();
  const fits = [2, 3].map((bits) => ({
    bits,
    fitted: bootstrap("size-token", frame.filter(pl.col("bits").eq(bits))),
  }));
  const unified = options.unified ?? bootstrap("unified", frame);
  const behindTable1: Readonly<Record<string, number>> = published["per-bit-width"];
  const panels = exponents.map(({ name, symbol, of, domain, ticks }, i) => {
    const fittedRow = (label: string, fitted: Bootstrap, look: PointLook): ExponentRow => ({
      label,
      value: fitted.fit.parameters[name]!,
      interval: fitted.intervals[name]!,
      look,
    });
    const rows = [2, 3, 4].flatMap((bits): ExponentRow[] => [
      ...fits.filter((one) => one.bits === bits).map(({ fitted }) =>
        fittedRow(`${bits} bits, our fit`, fitted, {
          provenance: "digitised",
          colour: bitColour(bits),
        })
      ),
      {
        label: `${bits} bits, Table 1`,
        value: behindTable1[`${name}${bits}`]!,
        look: { provenance: "published", colour: bitColour(bits) },
      },
    ]);
    return exponentPanel([
      ...rows,
      fittedRow("unified, our fit", unified, { provenance: "digitised" }),
      {
        label: "unified, published",
        value: published.unified[name],
        look: { provenance: "published" },
      },
    ], {
      heading: `${symbol}, of ${of}`,
      label: `${symbol} (dimensionless)`,
      domain,
      ticks,
      reference: published.unified[name],
      digits: 3,
      named: i === 0,
      left: i === 0 ? 112 : 20,
    });
  });
  return figure({
    name: "per-bit-exponents",
    title: "Each bit width has exponents of its own",
    caption:
      "Exponents of QiD = *k*_{P} *D*^{β} / *N*^{α} at one bit width, and of the unified law (Eq. 8). " +
      "Open marks: fitted here to the points **digitised** from Figure 2 of Ouyang et al. (2024) by " +
      "least squares of QiD, with 95 % bootstrap intervals (points drawn as if independent, so they " +
      "are narrow). Marks with a dot: **published**, and for one bit width the values that follow " +
      "from the cells of Table 1. Dashed line: the unified law as published, which is close to the " +
      "2-bit law. At 3 bits the digitised points alone tell α from it, but not β.",
    legend: [
      { label: "fitted to digitised points", point: { provenance: "digitised" } },
      { label: "published, or from published cells", point: { provenance: "published" } },
    ],
    rows: [{ height: 340, panels }],
  });
}

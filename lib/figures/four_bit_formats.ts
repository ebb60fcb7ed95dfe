/** Formats of nearly the same size near 4 bits, by kind of weights. */
import { formatSqnr, type WeightsKind } from "../encoder/mod.ts";
import { type Figure, figure } from "./layout.ts";
import { curve, type PointLook, points } from "./marks.ts";
import { tickRange } from "./tick_range.ts";
import { bitColour, grid, ink } from "./style.ts";

/** Options of {@link fourBitFormats}. */
export interface FourBitFormatsOptions {
  /** Names and specs of the formats; `fourBitSpecs` if left out. */
  formats?: Readonly<Record<string, string>>;
}

/** Nine formats of nearly the same size, and their specs. */
export const fourBitSpecs: Readonly<Record<string, string>> = {
  "integers, groups of 64": "rtn:bits=4,group=64",
  "integers, groups of 128": "rtn:bits=4,group=128",
  "symmetric, groups of 128": "rtn:bits=4,group=128,symmetric=true",
  "HQQ, groups of 128": "hqq:bits=4,group=128",
  "NF4, blocks of 128": "nf4:block=128",
  "NF4, 64, double quant.": "nf4:double=true",
  "FP4, blocks of 128": "fp4:block=128",
  "MXINT4, blocks of 32": "mxint4",
  "MXFP4, blocks of 32": "mxfp4",
};

const colour = bitColour(4);
const kinds: readonly { kind: WeightsKind; label: string; look: PointLook }[] = [
  { kind: "normal", label: "normal random numbers", look: look("circle", ink) },
  { kind: "embeddings", label: "real: embeddings", look: look("diamond", colour) },
  { kind: "attention", label: "real: attention", look: look("triangle", colour) },
  { kind: "feed-forward", label: "real: feed-forward", look: look("square", colour) },
];

/** Draws the SQNR of some formats, best on real weights first, on weights of four kinds. */
export function fourBitFormats(options: FourBitFormatsOptions = {}): Figure {
  const rows = Object.entries(options.formats ?? fourBitSpecs)
    .map(([name, spec]) => ({ name, ...formatSqnr(spec) }))
    .sort((a, b) => a.real.sqnr - b.real.sqnr)
    .map((row, i) => ({ ...row, y: i + 1 }));
  const values = rows.flatMap((row) => kinds.map(({ kind }) => row[kind].sqnr));
  const low = Math.floor(Math.min(...values));
  const { ticks } = tickRange(values.map((value) => value - low));
  const domain = [low, low + ticks.at(-1)!] as const;
  return figure({
    name: "four-bit-formats",
    title: "At the same size, formats differ more than the weights do",
    caption:
      "**Measured**: SQNR (signal-to-quantization-noise ratio) of weights after rounding; in brackets all " +
      "that is stored, in bits per weight. Real: one row in eight of the matrices of an " +
      "encoder, by kind; normal: 262,144 random numbers (seed 1). Best on all real weights first.",
    legend: kinds.map(({ label, look }) => ({ label, point: look })),
    rows: [{
      height: 60 + 32 * rows.length,
      panels: [{
        x: { label: "SQNR (dB)", domain, ticks: ticks.map((tick) => low + tick) },
        y: {
          label: "Format and its size (bits per weight)",
          domain: [0.4, rows.length + 0.6],
          ticks: rows.map(({ y }) => y),
          format: (y) => {
            const { name, real } = rows[y - 1]!;
            return `${name} (${real.bitsPerWeight.toFixed(2)})`;
          },
          grid: false,
        },
        left: 222,
        right: 16,
        marks: () => [
          ...rows.map(({ y }) => curve(domain.map((x) => ({ x, y })), { colour: grid, width: 1 })),
          ...kinds.flatMap(({ kind, look }) =>
            points(rows.map((row) => ({ x: row[kind].sqnr, y: row.y })), look)
          ),
        ],
      }],
    }],
  });
}

function look(symbol: PointLook["symbol"], colour: string): PointLook {
  return { provenance: "measured", symbol, colour };
}

/** Number formats side by side: SQNR against bits per weight. */
import { formatSqnr } from "../encoder/mod.ts";
import { type Figure, figure } from "./layout.ts";
import { curve, labels, type PointLook, points } from "./marks.ts";
import type { Panel } from "./panel.ts";
import { rule } from "./style.ts";

/** Options of {@link formats}. */
export interface FormatsOptions {
  /**
   * Weights that share a scale, in all formats with blocks; each format's own number if left out.
   */
  block?: number;
}

type Family = Readonly<{
  label: string;
  symbol: NonNullable<PointLook["symbol"]>;
  specs: (block: number | undefined) => readonly string[];
}>;

const families: readonly Family[] = [
  {
    label: "integers, rounded to nearest",
    symbol: "circle",
    specs: (block = 128) => [2, 3, 4, 5, 6, 8].map((bits) => `rtn:bits=${bits},group=${block}`),
  },
  {
    label: "HQQ",
    symbol: "cross",
    specs: (block = 64) => [2, 3, 4].map((bits) => `hqq:bits=${bits},group=${block}`),
  },
  {
    label: "NF4, FP4",
    symbol: "square",
    specs: (block = 64) => ["nf4", "nf4:double=true", "fp4"].map((spec) => blocks(spec, block)),
  },
  {
    label: "MX integers",
    symbol: "triangle",
    specs: (block = 32) => [2, 3, 4, 5, 6, 8].map((bits) => `mxint${bits}:block=${block}`),
  },
  {
    label: "MX floats",
    symbol: "diamond",
    specs: (block = 32) =>
      ["mxfp4", "mxfp6_e2m3", "mxfp6_e3m2", "mxfp8_e4m3", "mxfp8_e5m2"]
        .map((name) => blocks(name, block)),
  },
  { label: "LLM.int8", symbol: "wye", specs: () => ["int8"] },
  { label: "BitNet b1, b1.58", symbol: "star", specs: () => ["bitnet:variant=b1", "bitnet"] },
];

/** Draws the SQNR of number formats on normal random and on real weights against their size. */
export function formats({ block }: FormatsOptions = {}): Figure {
  const panel = (kind: "normal" | "real", heading: string): Panel => ({
    heading,
    x: {
      label: "Size, scales included (bits per weight)",
      domain: [0, 9],
      ticks: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    },
    y: {
      label: kind === "normal" ? "SQNR (dB)" : "",
      domain: [0, 50],
      ticks: [0, 10, 20, 30, 40, 50],
    },
    left: kind === "normal" ? 52 : 36,
    right: 8,
    marks: () => [
      curve([{ x: 0, y: 0 }, { x: 9, y: 9 * perBit }], { colour: rule }),
      labels([{ x: 7, y: 7 * perBit, text: "6.02 dB per bit" }], { anchor: "end", dx: -8 }),
      ...families.flatMap(({ symbol, specs }) =>
        points(
          specs(block).map((spec) => formatSqnr(spec)[kind])
            .map(({ bitsPerWeight, sqnr }) => ({ x: bitsPerWeight, y: sqnr })),
          { provenance: "measured", symbol, radius: 3.6 },
        )
      ),
      ...named.map(({ spec, text }) => {
        const { bitsPerWeight, sqnr } = formatSqnr(blocks(spec, block ?? 32))[kind];
        return labels([{ x: bitsPerWeight, y: sqnr, text }], { anchor: "middle", dy: 14 });
      }),
    ],
  });
  return figure({
    name: "formats",
    title: "Each bit buys about 6 dB, except where a float spends it on range",
    caption:
      "**Measured**: SQNR (signal-to-quantization-noise ratio) of weights after rounding, against all " +
      "that is stored for them. " +
      (block === undefined
        ? "Each format with its own blocks (integers 128, HQQ, NF4 and FP4 64, MX 32). "
        : `Blocks of ${block} weights share a scale. `) +
      `Left: 262,144 normal random numbers (seed 1). Right: one row in eight of the eleven ` +
      "matrices of a real encoder. Line: 20 log_{10} 2 = 6.02 dB per bit, which no code of independent " +
      "normal numbers can exceed (rate-distortion theory).",
    legend: families.map(({ label, symbol }) => ({
      label,
      point: { provenance: "measured", symbol },
    })),
    rows: [{
      height: 380,
      panels: [panel("normal", "Normal random weights"), panel("real", "Real weights")],
    }],
  });
}

/** Formats with a label. */
const named = [
  { spec: "mxfp6_e3m2", text: "E3M2" },
  { spec: "mxfp8_e4m3", text: "E4M3" },
  { spec: "mxfp8_e5m2", text: "E5M2" },
] as const;

const perBit = 20 * Math.log10(2);

function blocks(spec: string, block: number): string {
  return `${spec}${spec.includes(":") ? "," : ":"}block=${block}`;
}

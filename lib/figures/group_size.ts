/** What one scale for many weights costs, on normal random weights and on real matrices. */
import { loadEncoder } from "../encoder/mod.ts";
import { type Matrix, quantize } from "../quantize/mod.ts";
import { normals } from "../random.ts";
import { type Figure, figure } from "./layout.ts";
import { curve, labels, points } from "./marks.ts";
import { tickRange } from "./tick_range.ts";
import { bitColour, countLabel, ink } from "./style.ts";

/** Options of {@link groupSize}. */
export interface GroupSizeOptions {
  /** 1 to 8; 4 if left out. */
  bits?: number;
}

const groups = [16, 32, 64, 128, 256] as const;
const real = ["embeddings", "layer_0.ffn_in", "layer_1.attention_out", "layer_1.ffn_out"] as const;
const looks = [
  { symbol: "circle", dash: undefined },
  { symbol: "diamond", dash: undefined },
  { symbol: "square", dash: "7 4" },
  { symbol: "triangle", dash: "4 3" },
  { symbol: "star", dash: "2 3" },
] as const;

/** Draws the SQNR of round to nearest against the number of weights that share a scale. */
export function groupSize({ bits = 4 }: GroupSizeOptions = {}): Figure {
  const normal: Matrix = { rows: 512, columns: 1024, data: normals(2 ** 19, { seed: 1 }) };
  const matrices = [
    { name: "normal numbers", weights: normal },
    ...real.map((name) => loadEncoder().matrix(name)),
  ];
  const curves = matrices.map(({ name, weights }, i) => {
    const sqnr = (group: number | "tensor") =>
      quantize(weights, `rtn:bits=${bits},group=${group}`).error.sqnr;
    const places = [
      ...groups.map((group) => ({ x: group, y: sqnr(group) })),
      { x: weights.data.length, y: sqnr("tensor") },
    ];
    return { name, places, ...looks[i]!, colour: i === 0 ? ink : bitColour(bits) };
  });
  const values = curves.flatMap(({ places }) => places.map(({ y }) => y));
  const { domain, ticks } = tickRange([...values, Math.min(...values) - 1]);
  return figure({
    name: "group-size",
    title: "One scale for a whole matrix is at the mercy of its largest weight",
    caption:
      `**Measured**: SQNR (signal-to-quantization-noise ratio) of weights rounded to nearest, ${bits} ` +
      "bits, when 16 to 256 neighbours or the whole matrix share a scale. Matrices of a real encoder by " +
      "name, and 524,288 normal random numbers (seed 1). With small groups an outlier spoils its own " +
      "group only; the price is more scales, 20 / *g* bits per weight for groups of *g* at 4 bits.",
    legend: curves.map(({ name, symbol, dash, colour }) => ({
      label: name,
      line: { dash, colour },
      point: { provenance: "measured", symbol, colour },
    })),
    rows: [{
      height: 360,
      panels: [{
        x: {
          label: "Weights that share a scale (weights)",
          domain: [14, 2.6e6],
          log: true,
          ticks: [...groups, 1e4, 1e5, 1e6],
          format: (tick) => tick > 1000 ? countLabel(tick) : String(tick),
          grid: false,
        },
        y: { label: "SQNR (dB)", domain, ticks },
        right: 64,
        marks: ({ spread }) => {
          const ends = spread(curves.map(({ places }) => places.at(-1)!.y), 15);
          return curves.flatMap(({ places, dash, symbol, colour }, i) => [
            curve(places, { dash, colour }),
            ...points(places, { provenance: "measured", symbol, colour }),
            labels(
              [{ x: places.at(-1)!.x, y: ends[i]!, text: `${places.at(-1)!.y.toFixed(1)} dB` }],
              i === 3 ? { anchor: "end", dx: -9, dy: 5, colour } : { dx: 9, colour },
            ),
          ]);
        },
      }],
    }],
  });
}

/** What a symmetric integer grid does to the weights of one row. */
import { quantize } from "../quantize/mod.ts";
import { normals } from "../random.ts";
import { type Figure, figure } from "./layout.ts";
import { curve, labels, points } from "./marks.ts";
import type { Panel } from "./panel.ts";
import { bitColours, ink, rule } from "./style.ts";

/** Options of {@link twoBitGrid}. */
export interface TwoBitGridOptions {
  /** The weights of one row; 128 normal numbers from a seed if left out. */
  weights?: Float32Array;
  /** Bit widths, one panel each; 2, 3 and 4 if left out. */
  bits?: readonly number[];
}

/** Gives a row whose largest weight is negative. */
const seed = 8;

function roundToGrid(data: Float32Array, bits: number) {
  const row = { rows: 1, columns: data.length, data };
  return quantize(row, `rtn:bits=${bits},symmetric=true`);
}

/** Draws the weights of a row before and after rounding to symmetric grids of a few bits. */
export function twoBitGrid(options: TwoBitGridOptions = {}): Figure {
  const weights = options.weights ?? normals(128, { seed });
  const widths = options.bits ?? [2, 3, 4];
  const largest = weights.reduce((most, weight) => Math.max(most, Math.abs(weight)), 0);
  const ramp = Float32Array.from({ length: 1201 }, (_, i) => largest * (i - 600) / 600);
  const panel = (bits: number, first: boolean): Panel => {
    const { weights: rounded, error } = roundToGrid(weights, bits);
    const { weights: steps } = roundToGrid(ramp, bits);
    const colour = bitColours[bits] ?? ink;
    const levels = [...new Set(steps)].map((step) => step / largest).sort((a, b) => a - b);
    return {
      heading: `${bits} bits`,
      x: {
        label: "Weight before (units of max |*w*|)",
        domain: [-1.08, 1.08],
        ticks: [-1, -0.5, 0, 0.5, 1],
      },
      y: {
        label: first ? "Weight after (units of max |*w*|)" : "",
        domain: [-1.45, 1.15],
        ticks: bits === 2 ? levels : [-1, -0.5, 0, 0.5, 1],
        format: (tick) => String(Number(tick.toFixed(3))).replace("-", "−"),
      },
      left: first ? 70 : 44,
      right: 6,
      marks: () => [
        curve([{ x: -1.08, y: -1.08 }, { x: 1.08, y: 1.08 }], { colour: rule, width: 1 }),
        curve(Array.from(ramp, (x, i) => ({ x: x / largest, y: steps[i]! / largest })), {
          colour,
          width: 1.2,
        }),
        ...points(
          Array.from(weights, (weight, i) => ({ x: weight / largest, y: rounded[i]! / largest })),
          { provenance: "measured", colour, radius: 3.2 },
        ),
        labels([{ x: -1.08, y: 1.15, text: `SQNR ${error.sqnr.toFixed(1)} dB` }], { dx: 6, dy: 8 }),
      ],
    };
  };
  return figure({
    name: "two-bit-grid",
    title: "What a symmetric grid does to a row of weights",
    caption: "Filled marks are **measured**: " +
      (options.weights ? "the given weights" : `128 normal random numbers (seed ${seed})`) +
      " as one group, rounded to nearest by this repository. The line is the rule for every weight " +
      "from −max to +max, the diagonal is no change. At 2 bits the levels are −2, −1, 0 and 1 times 2/3 " +
      "max |*w*|: +max shrinks to 0.667 max, −max (a tie of rounding) lands on −1.333 max, and every " +
      "other weight falls on the three levels above that. This " +
      "is the grid of the GPTQ models of Ouyang et al. (2024). SQNR: signal-to-quantization-noise " +
      "ratio.",
    legend: [
      { label: "weights, measured", point: { provenance: "measured" } },
      { label: "rule", line: { width: 1.2 } },
      { label: "no change", line: { colour: rule, width: 1 } },
    ],
    rows: [{ height: 330, panels: widths.map((bits, i) => panel(bits, i === 0)) }],
  });
}

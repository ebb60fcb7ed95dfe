/** The search for AWQ's channel scales: output error against the exponent of the input's size. */
import { calibratedLayer } from "../encoder/mod.ts";
import { type Figure, figure } from "./layout.ts";
import { curve, points } from "./marks.ts";
import { bitColour, rule } from "./style.ts";

/** Options of {@link awqSearch}. */
export interface AwqSearchOptions {
  /** A matrix of the encoder; "layer_1.ffn_out" if left out. */
  matrix?: string;
  /** Bit widths, one curve each; 3 and 4 if left out. */
  bits?: readonly number[];
}

/** What is above is cut off, in %. */
const highest = 800;

/** Draws the error of a matrix's output at the 20 exponents that AWQ tries. */
export function awqSearch(options: AwqSearchOptions = {}): Figure {
  const { matrix = "layer_1.ffn_out", bits = [3, 4] } = options;
  const curves = bits.map((width) => {
    const { losses } = calibratedLayer(matrix).awqScales(width);
    const rows = losses.map((loss, i) => ({ x: i / losses.length, y: 100 * loss / losses[0]! }));
    return { width, rows, best: rows.reduce((a, b) => b.y < a.y ? b : a) };
  });
  return figure({
    name: "awq-search",
    title: "A little scaling helps, a lot harms: the 20 exponents that AWQ tries",
    caption:
      `**Measured** on the matrix ${matrix} of a real encoder and 1,280 tokens of text: squared error of ` +
      "the output, in % of that without scales (*r* = 0). Input channel *i* is multiplied by " +
      "(mean |*x*_{i}|)^{r}, up to a factor, before rounding (groups of 128) and divided by it after. " +
      "Large marks: the exponent with the least error, which AWQ keeps.",
    legend: curves.map(({ width, best }) => ({
      label: `${width} bits: ${best.y.toFixed(0)} % at *r* = ${best.x}`,
      line: { colour: bitColour(width) },
      point: { provenance: "measured", colour: bitColour(width), radius: 2.4 },
    })),
    rows: [{
      height: 340,
      panels: [{
        x: {
          label: "Exponent *r* (dimensionless)",
          domain: [-0.02, 0.97],
          ticks: [0, 0.2, 0.4, 0.6, 0.8],
          grid: false,
        },
        y: {
          label: "Output error (%)",
          domain: [45, highest],
          log: true,
          ticks: [50, 100, 200, 400, 800],
        },
        right: 16,
        marks: () => [
          curve([{ x: -0.02, y: 100 }, { x: 0.97, y: 100 }], { colour: rule }),
          ...curves.flatMap(({ width, rows, best }) => [
            curve(rows, { colour: bitColour(width) }),
            ...points(rows.filter(({ y }) => y <= highest), {
              provenance: "measured",
              colour: bitColour(width),
              radius: 2.4,
            }),
            ...points([best], { provenance: "measured", colour: bitColour(width), radius: 5 }),
          ]),
        ],
      }],
    }],
  });
}

/** A few inputs of a matrix are large, and keeping their weights exact saves much of its output. */
import { calibratedLayer } from "../encoder/mod.ts";
import { hessianError, type Matrix, quantize } from "../quantize/mod.ts";
import { normals } from "../random.ts";
import { type Figure, figure } from "./layout.ts";
import { curve, labels, points } from "./marks.ts";
import { tickRange } from "./tick_range.ts";
import type { Panel } from "./panel.ts";
import { bitColour } from "./style.ts";

/** Options of {@link salientChannels}. */
export interface SalientChannelsOptions {
  /** A matrix of the encoder; "layer_1.ffn_out" if left out. */
  matrix?: string;
  /** 1 to 8; 3 if left out. */
  bits?: number;
}

const shares = [1, 2, 5, 10] as const;
const flat = "layer_1.ffn_in";
const choices = [
  { key: "inputs", label: "by the size of its input", symbol: "circle", dash: undefined },
  { key: "weights", label: "by the size of its weights", symbol: "square", dash: "7 4" },
  { key: "random", label: "at random", symbol: "triangle", dash: "2 3" },
] as const;

/** Mean absolute value of each column. */
export function meanAbsolute({ rows, columns, data }: Matrix): Float64Array {
  const means = new Float64Array(columns);
  data.forEach((value, i) => means[i % columns]! += Math.abs(value) / rows);
  return means;
}

/**
 * Draws the sizes of a matrix's inputs, and the outputs when some channels are kept as they are.
 */
export function salientChannels(options: SalientChannelsOptions = {}): Figure {
  const { matrix = "layer_1.ffn_out", bits = 3 } = options;
  const layer = calibratedLayer(matrix);
  const { weights } = layer;
  const { hessian } = layer.test;
  const signal = hessianError(weights, new Float32Array(weights.data.length), hessian);
  const inputs = meanAbsolute(layer.calibration.activations);
  const rounded = quantize(weights, `rtn:bits=${bits},group=128`).weights;
  const order = {
    inputs: descending(inputs),
    weights: descending(meanAbsolute(weights)),
    random: descending(normals(weights.columns, { seed: 1 })),
  };
  const sqnr = (after: Float32Array) =>
    10 * Math.log10(signal / hessianError(weights, after, hessian));
  const none = { x: 0, y: sqnr(rounded) };
  const kept = choices.map((choice) => ({
    ...choice,
    places: [
      none,
      ...shares.map((share) => {
        const count = Math.round(weights.columns * share / 100);
        const channels = new Set(order[choice.key].slice(0, count));
        const after = rounded.map((value, i) =>
          channels.has(i % weights.columns) ? weights.data[i]! : value
        );
        return { x: share, y: sqnr(after) };
      }),
    ],
  }));
  const values = kept.flatMap(({ places }) => places.map(({ y }) => y));
  const low = Math.floor(2 * Math.min(...values)) / 2;
  const { ticks } = tickRange(values.map((value) => value - low));
  const domain = [low, low + ticks.at(-1)!] as const;
  const sizes: Panel = {
    heading: "Inputs, largest first",
    x: {
      label: "Rank of the input (inputs)",
      domain: [0.9, 2000],
      log: true,
      ticks: [1, 10, 100, 1000],
      format: (tick) => String(tick),
      grid: false,
    },
    y: {
      label: "Mean size, in medians (dimensionless)",
      domain: [0.01, 40],
      log: true,
      ticks: [0.01, 0.1, 1, 10],
      format: (tick) => String(tick),
    },
    right: 10,
    marks: () => [
      curve(ranked(inputs), { width: 2 }),
      curve(ranked(meanAbsolute(calibratedLayer(flat).calibration.activations)), { dash: "4 3" }),
      labels([{ x: 2, y: 24, text: matrix }], { dx: 4 }),
      labels([{ x: 2, y: 1.1, text: flat }], { dx: 4, dy: 6 }),
    ],
  };
  return figure({
    name: "salient-channels",
    title: "A few inputs are large, and their weights matter most",
    caption:
      `**Measured** on a real encoder. Left: mean absolute value of each input of ${matrix} on 1,280 ` +
      `tokens of text, in units of the median; beside it the inputs of ${flat}, which come from a layer ` +
      `norm. Right: SQNR of the outputs of ${matrix} on other text when it is rounded to ${bits} bits ` +
      "(nearest, groups of 128) but some of its " +
      `${weights.columns.toLocaleString("en")} input channels are ` +
      "kept as they are, chosen in three ways. SQNR: signal-to-quantization-noise ratio.",
    legend: choices.map(({ label, symbol, dash }) => ({
      label: `kept: ${label}`,
      line: { dash, colour: bitColour(bits) },
      point: { provenance: "measured", symbol, colour: bitColour(bits) },
    })),
    rows: [{
      height: 330,
      panels: [sizes, {
        heading: "Outputs, some channels kept",
        x: { label: "Channels kept (%)", domain: [0, 10.3], ticks: [0, 1, 2, 5, 10], grid: false },
        y: { label: "Output SQNR (dB)", domain, ticks: ticks.map((tick) => low + tick) },
        right: 10,
        marks: () =>
          kept.flatMap(({ places, symbol, dash }) => [
            curve(places, { dash, colour: bitColour(bits) }),
            ...points(places, { provenance: "measured", symbol, colour: bitColour(bits) }),
          ]),
      }],
    }],
  });
}

/** Indices from the largest value to the smallest. */
function descending(values: Float64Array | Float32Array): number[] {
  return Array.from(values.keys()).sort((a, b) => values[b]! - values[a]!);
}

/** Values from the largest to the smallest, in units of their median. */
function ranked(values: Float64Array) {
  const sorted = values.toSorted().toReversed();
  const median = sorted[Math.floor(sorted.length / 2)]!;
  return Array.from(sorted, (value, i) => ({ x: i + 1, y: value / median }));
}

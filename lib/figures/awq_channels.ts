/** What AWQ's scales do to the weights of channels with large and with small inputs. */
import { calibratedLayer } from "../encoder/mod.ts";
import { quantize } from "../quantize/mod.ts";
import { type Figure, figure } from "./layout.ts";
import { curve, logCurve, points } from "./marks.ts";
import { tickRange } from "./tick_range.ts";
import { meanAbsolute } from "./salient_channels.ts";
import { bitColour, rule } from "./style.ts";

/** Options of {@link awqChannels}. */
export interface AwqChannelsOptions {
  /** A matrix of the encoder; "layer_1.ffn_out" if left out. */
  matrix?: string;
  /** 1 to 8; 3 if left out. */
  bits?: number;
}

const bins = 16;
const looks = {
  rtn: { symbol: "square", dash: "2 3" },
  awq: { symbol: "circle", dash: undefined },
} as const;

/** Draws the error of the weights, and their share of the output's, by the size of their input. */
export function awqChannels(options: AwqChannelsOptions = {}): Figure {
  const { matrix = "layer_1.ffn_out", bits = 3 } = options;
  const layer = calibratedLayer(matrix);
  const { weights, calibration: { activations, hessian } } = layer;
  const { columns } = weights;
  const colour = bitColour(bits);
  const inputs = meanAbsolute(activations);
  const rtn = quantize(weights, `rtn:bits=${bits},group=128`);
  const awq = layer.awq(bits, { clip: false });
  const { ratio } = layer.awqScales(bits);
  const noise = { rtn: columnNoise(rtn.weights), awq: columnNoise(awq.weights) };
  // What a column adds to trace(E H E^T) by itself.
  const added = {
    rtn: noise.rtn.map((value, i) => value * hessian.data[i * columns + i]!),
    awq: noise.awq.map((value, i) => value * hessian.data[i * columns + i]!),
  };
  const total = added.rtn.reduce((sum, value) => sum + value, 0);
  const order = Array.from(inputs.keys()).sort((a, b) => inputs[a]! - inputs[b]!);
  const median = inputs[order[Math.floor(columns / 2)]!]!;
  const binned = Array.from({ length: bins }, (_, bin) => {
    const own = order.slice(bin * columns / bins, (bin + 1) * columns / bins);
    const sum = (values: ArrayLike<number>) => own.reduce((total, i) => total + values[i]!, 0);
    return {
      x: sum(inputs) / own.length / median,
      ratio: Math.sqrt(sum(noise.awq) / sum(noise.rtn)),
      rtn: 100 * sum(added.rtn) / total,
      awq: 100 * sum(added.awq) / total,
    };
  }).filter(({ x }) => x > 0.1);
  const factor = Math.exp(
    binned.reduce((sum, { x, ratio: y }) => sum + Math.log(y * x ** ratio), 0) / binned.length,
  );
  const shares = tickRange(binned.flatMap(({ rtn, awq }) => [rtn, awq]));
  const x = {
    label: "Mean size of the input, in medians (dimensionless)",
    domain: [0.08, 12],
    log: true,
    ticks: [0.1, 1, 10],
    format: String,
    grid: false,
  } as const;
  return figure({
    name: "awq-channels",
    title: "AWQ moves the error from channels with large inputs to those with small ones",
    caption:
      `**Measured** on the matrix ${matrix} of a real encoder and 1,280 tokens of text, ${bits} bits, ` +
      `groups of 128. Each mark is the mean of ${
        columns / bins
      } input channels; those that are nearly ` +
      "always 0 are left out. Left: root mean square error of a channel's weights under AWQ (scales " +
      "only) over that under round to nearest. Line, **predicted**: a weight that is multiplied by *s* " +
      `before rounding has its error divided by *s*, here the power *r* = ${ratio} of its input's size; ` +
      "height fitted. Right: what the channels add to the output's squared error, each by itself, in % " +
      "of the whole with round to nearest.",
    legend: [
      { label: "round to nearest (RTN)", line: look("rtn"), point: point("rtn") },
      { label: "AWQ, measured", line: look("awq"), point: point("awq") },
      { label: "AWQ, predicted", line: { dash: "7 4" } },
      { label: "no change", line: { colour: rule } },
    ],
    rows: [{
      height: 320,
      panels: [{
        heading: "Error of the weights, AWQ / RTN",
        x,
        y: {
          label: "Ratio of errors (dimensionless)",
          domain: [0.5, 2],
          log: true,
          ticks: [0.5, 0.7, 1, 1.4, 2],
          format: String,
        },
        right: 10,
        marks: () => [
          curve([{ x: 0.08, y: 1 }, { x: 12, y: 1 }], { colour: rule }),
          logCurve([0.08, 12], (x) => factor * x ** -ratio, { dash: "7 4" }),
          ...points(binned.map(({ x, ratio }) => ({ x, y: ratio })), point("awq")),
        ],
      }, {
        heading: "Share of the output's error",
        x,
        y: { label: "Share of RTN's error (%)", ...shares },
        right: 10,
        marks: () =>
          (["rtn", "awq"] as const).flatMap((method) => {
            const rows = binned.map((bin) => ({ x: bin.x, y: bin[method] }));
            return [curve(rows, look(method)), ...points(rows, point(method))];
          }),
      }],
    }],
  });

  function columnNoise(after: Float32Array): Float64Array {
    const sums = new Float64Array(columns);
    after.forEach((value, i) => sums[i % columns]! += (value - weights.data[i]!) ** 2);
    return sums;
  }

  function look(method: keyof typeof looks) {
    return { colour, dash: looks[method].dash };
  }

  function point(method: keyof typeof looks) {
    return { provenance: "measured", colour, symbol: looks[method].symbol } as const;
  }
}

/** Round to nearest, AWQ and GPTQ on real matrices, on the calibration text and on another. */
import { calibratedLayer, type OutputSqnr } from "../encoder/mod.ts";
import { type Figure, figure } from "./layout.ts";
import { curve, type PointLook, points } from "./marks.ts";
import { tickRange } from "./tick_range.ts";
import type { Panel } from "./panel.ts";
import { bitColour, grid, rule } from "./style.ts";

/** Options of {@link awqGptq}. */
export interface AwqGptqOptions {
  /** 1 to 8; 3 if left out. */
  bits?: number;
  /**
   * Matrices of the encoder, one panel each; "layer_1.ffn_out" and "layer_0.ffn_in" if left out.
   */
  matrices?: readonly string[];
}

const methods = [
  "round to nearest",
  "AWQ, scales only",
  "AWQ, scales and clipping",
  "GPTQ, damping 0.01",
  "GPTQ, damping 0.1",
  "GPTQ, damping 1",
] as const;

const texts = [
  { key: "calibration", label: "on the calibration text", symbol: "circle" },
  { key: "test", label: "on other text", symbol: "triangle" },
] as const;

/** Draws the SQNR of the outputs of matrices that three methods rounded in groups of 128. */
export function awqGptq(options: AwqGptqOptions = {}): Figure {
  const { bits = 3, matrices = ["layer_1.ffn_out", "layer_0.ffn_in"] } = options;
  const colour = bitColour(bits);
  const look = (symbol: PointLook["symbol"]) =>
    ({ provenance: "measured", colour, symbol }) as const;
  const panel = (matrix: string, index: number): Panel => {
    const { weights } = calibratedLayer(matrix);
    const rows = measureAll(matrix, bits).map((row, i) => ({ y: methods.length - i, ...row }));
    const values = rows.flatMap(({ calibration, test }) => [calibration, test]);
    const low = Math.floor(Math.min(...values) - 0.3);
    const { ticks } = tickRange(values.map((value) => value - low));
    const domain = [low, low + ticks.at(-1)!] as const;
    const { test: nearest } = rows[0]!;
    return {
      heading: `${matrix} (${weights.rows} × ${weights.columns})`,
      x: { label: "Output SQNR (dB)", domain, ticks: ticks.map((tick) => low + tick) },
      y: {
        label: "",
        domain: [0.4, methods.length + 0.6],
        ticks: rows.map(({ y }) => y),
        format: (y) => index === 0 ? methods[methods.length - y]! : "",
        grid: false,
      },
      left: index === 0 ? 164 : 16,
      right: 12,
      marks: () => [
        curve([{ x: nearest, y: 0.4 }, { x: nearest, y: methods.length + 0.6 }], {
          colour: rule,
          dash: "2 3",
          width: 1,
        }),
        ...rows.map(({ y, calibration, test }) =>
          curve([{ x: calibration, y }, { x: test, y }], { colour: grid, width: 3 })
        ),
        ...texts.flatMap(({ key, symbol }) =>
          points(rows.map((row) => ({ x: row[key], y: row.y })), look(symbol))
        ),
      ],
    };
  };
  return figure({
    name: "awq-gptq",
    title: "On the text they saw GPTQ is ahead; on other text, not always",
    caption:
      `**Measured**: SQNR (signal-to-quantization-noise ratio) of the outputs of two matrices of a real ` +
      `encoder, rounded to ${bits} bits in groups of 128. AWQ and GPTQ saw the first 1,280 tokens of a ` +
      "text; the next 1,280 are the other text. Dotted line: round to nearest on other text. Inputs of " +
      "ffn_out come from a ReLU and differ by orders of magnitude, those of ffn_in from a layer norm.",
    legend: texts.map(({ label, symbol }) => ({ label, point: look(symbol) })),
    rows: [{ height: 290, panels: matrices.map(panel) }],
  });
}

/** The output SQNR of each method, in their order. */
function measureAll(matrix: string, bits: number): OutputSqnr[] {
  const layer = calibratedLayer(matrix);
  const spec = (name: string, more = "") => layer.measure(`${name}:bits=${bits},group=128${more}`);
  return [
    spec("rtn"),
    ...[false, true].map((clip) => layer.outputSqnr(layer.awq(bits, { clip }).weights)),
    ...[0.01, 0.1, 1].map((damping) => spec("gptq", `,damping=${damping}`)),
  ];
}

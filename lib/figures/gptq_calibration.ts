/** How much of a text GPTQ must see before its gain holds on another. */
import * as Plot from "@observablehq/plot";
import { calibratedLayer } from "../encoder/mod.ts";
import { hessianError, hessianOf, quantize } from "../quantize/mod.ts";
import { type Figure, figure } from "./layout.ts";
import { curve, labels, points } from "./marks.ts";
import { tickRange } from "./tick_range.ts";
import type { Panel } from "./panel.ts";
import { bitColour, countLabel, rule } from "./style.ts";

/** Options of {@link gptqCalibration}. */
export interface GptqCalibrationOptions {
  /** A matrix of the encoder; "layer_0.ffn_in" if left out. */
  matrix?: string;
  /** 1 to 8; 3 if left out. */
  bits?: number;
  /** Dampings, one panel each; 0.01 and 0.1 if left out. */
  dampings?: readonly number[];
}

const counts = [128, 256, 512, 1280] as const;
const lines = [
  { key: "calibration", label: "on the calibration tokens", symbol: "circle", dash: undefined },
  { key: "test", label: "on other text", symbol: "triangle", dash: "7 4" },
] as const;

/** Draws GPTQ's gain over round to nearest in the outputs, by the number of calibration tokens. */
export function gptqCalibration(options: GptqCalibrationOptions = {}): Figure {
  const { matrix = "layer_0.ffn_in", bits = 3, dampings = [0.01, 0.1] } = options;
  const { weights, calibration, test } = calibratedLayer(matrix);
  const { columns } = weights;
  const nearest = quantize(weights, `rtn:bits=${bits},group=128`).weights;
  const curves = dampings.map((damping) =>
    counts.map((rows) => {
      const data = calibration.activations.data.subarray(0, rows * columns);
      const hessian = hessianOf({ rows, columns, data });
      const spec = `gptq:bits=${bits},group=128,damping=${damping}`;
      const after = quantize(weights, spec, { hessian }).weights;
      const gain = (seen: typeof hessian) =>
        10 * Math.log10(hessianError(weights, nearest, seen) / hessianError(weights, after, seen));
      return { tokens: rows, calibration: gain(hessian), test: gain(test.hessian) };
    })
  );
  const all = curves.flat().flatMap((row) => [row.calibration, row.test]);
  // With room for the numbers above and below.
  const { domain, ticks } = tickRange(all.flatMap((gain) => [gain - 0.9, gain + 0.9]));
  const panel = (rows: typeof curves[number], index: number): Panel => ({
    heading: `Damping ${dampings[index]}`,
    x: {
      label: "Calibration data (tokens)",
      domain: [110, 1490],
      ticks: counts,
      log: true,
      format: (tick) => String(tick),
      grid: false,
    },
    y: { label: index === 0 ? "Output SQNR over RTN (dB)" : "", domain, ticks },
    left: index === 0 ? 52 : 40,
    right: 8,
    marks: () => [
      curve([{ x: 110, y: 0 }, { x: 1490, y: 0 }], { colour: rule }),
      columns >= 110 && columns <= 1490
        ? Plot.ruleX([columns], { stroke: rule, strokeDasharray: "2 3" })
        : null,
      ...lines.flatMap(({ key, symbol, dash }) => {
        const line = rows.map((row) => ({ x: row.tokens, y: row[key] }));
        const text = line.map((place) => ({
          ...place,
          text: place.y.toFixed(1).replace("-", "−"),
        }));
        return [
          curve(line, { colour: bitColour(bits), dash }),
          ...points(line, { provenance: "measured", colour: bitColour(bits), symbol }),
          labels(text, { anchor: "middle", dy: key === "test" ? 14 : -12 }),
        ];
      }),
    ],
  });
  return figure({
    name: "gptq-calibration",
    title: "GPTQ's gain holds on other text only after enough calibration tokens",
    caption:
      `**Measured** on the matrix ${matrix} (${weights.rows} × ${columns}) of a real encoder, at ` +
      `${bits} bits in groups of 128: by how much the outputs of GPTQ are nearer to the given ones ` +
      "than those of round to nearest (RTN), as SQNR. On the tokens that GPTQ was calibrated on, " +
      `and on 1,280 tokens of text that it did not see. Vertical line: as many tokens as inputs, ` +
      `${countLabel(columns)}.`,
    legend: lines.map(({ label, symbol, dash }) => ({
      label,
      line: { colour: bitColour(bits), dash },
      point: { provenance: "measured", colour: bitColour(bits), symbol },
    })),
    rows: [{ height: 320, panels: curves.map(panel) }],
  });
}

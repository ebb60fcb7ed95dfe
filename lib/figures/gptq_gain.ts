/** What GPTQ brings over round to nearest on a real matrix, by bit width. */
import { calibratedLayer } from "../encoder/mod.ts";
import { type Figure, figure } from "./layout.ts";
import { curve, labels, type PointLook, points } from "./marks.ts";
import { tickRange } from "./tick_range.ts";
import { rule } from "./style.ts";

/** Options of {@link gptqGain}. */
export interface GptqGainOptions {
  /** A matrix of the encoder; "layer_0.ffn_in" if left out. */
  matrix?: string;
  /** Weights that share a scale; 128 if left out. */
  group?: number;
  /** Added to the Hessian's diagonal, as a share of its mean; 0.01 if left out. */
  damping?: number;
  /** Columns in descending order of their input's energy; false if left out. */
  order?: boolean;
}

const widths = [2, 3, 4, 8] as const;
const lines = [
  { key: "calibration", label: "outputs, calibration text", symbol: "circle", dash: undefined },
  { key: "test", label: "outputs, other text", symbol: "triangle", dash: "7 4" },
  { key: "weights", label: "weights", symbol: "square", dash: "2 3" },
] as const;

/**
 * Draws by how many decibels GPTQ's outputs and weights are nearer to the given ones than RTN's.
 */
export function gptqGain(options: GptqGainOptions = {}): Figure {
  const { matrix = "layer_0.ffn_in", group = 128, damping = 0.01, order = false } = options;
  const layer = calibratedLayer(matrix);
  const gains = widths.map((bits) => {
    const rtn = layer.measure(`rtn:bits=${bits},group=${group}`);
    const gptq = layer.measure(
      `gptq:bits=${bits},group=${group},damping=${damping},order=${order}`,
    );
    return {
      bits,
      calibration: gptq.calibration - rtn.calibration,
      test: gptq.test - rtn.test,
      weights: gptq.weights - rtn.weights,
    };
  });
  const { domain, ticks } = tickRange(gains.flatMap((gain) => lines.map(({ key }) => gain[key])));
  return figure({
    name: "gptq-gain",
    title: "GPTQ brings a layer's outputs nearer and its weights further away",
    caption:
      `**Measured** on the matrix ${matrix} (${layer.weights.rows} × ${layer.weights.columns}) of a ` +
      `real encoder: SQNR of GPTQ (groups of ${group}, damping ${damping}` +
      (order ? ", columns in order of their input's energy" : "") +
      ") less that of round to nearest on the same grid. GPTQ saw the first 1,280 tokens of a text " +
      "(calibration); the next 1,280 are the other text. SQNR: signal-to-quantization-noise ratio, " +
      "of the matrix's outputs or of its weights.",
    legend: lines.map(({ label, ...look }) => ({ label, line: look, point: pointLook(look) })),
    rows: [{
      height: 320,
      panels: [{
        x: { label: "Bit width *P* (bits)", domain: [1.6, 8.4], ticks: widths, grid: false },
        y: { label: "SQNR over round to nearest (dB)", domain, ticks },
        right: 60,
        marks: ({ spread }) => {
          const places = spread(lines.map(({ key }) => gains.at(-1)![key]), 15);
          return [
            curve([{ x: 1.6, y: 0 }, { x: 8.4, y: 0 }], { colour: rule }),
            ...lines.flatMap(({ key, ...look }, i) => {
              const rows = gains.map((gain) => ({ x: gain.bits, y: gain[key] }));
              return [
                curve(rows, look),
                ...points(rows, pointLook(look)),
                labels([{ x: 8, y: places[i]!, text: `${signed(rows.at(-1)!.y)} dB` }], { dx: 9 }),
              ];
            }),
          ];
        },
      }],
    }],
  });
}

function pointLook({ symbol }: Pick<PointLook, "symbol">): PointLook {
  return { provenance: "measured", symbol };
}

function signed(value: number): string {
  return `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(1)}`;
}

/** Round to nearest and GPTQ on one row of weights, column by column. */
import * as Plot from "@observablehq/plot";
import { factorHessian, type Hessian, hessianError, quantize } from "../quantize/mod.ts";
import { normals } from "../random.ts";
import { type Figure, figure } from "./layout.ts";
import { curve, labels, points } from "./marks.ts";
import type { Panel } from "./panel.ts";
import { bitColour, fontSizes, ink } from "./style.ts";

/** Options of {@link gptqSteps}. */
export interface GptqStepsOptions {
  /** Correlation of every two inputs, from 0 to below 1; 0.9 if left out. */
  correlation?: number;
  /** 1 to 8; 3 if left out. */
  bits?: number;
  /** Seed of the row of weights; 9 if left out. */
  seed?: number;
}

const columns = 8;
const looks = {
  rtn: { symbol: "square", dash: "2 3" },
  gptq: { symbol: "circle", dash: undefined },
} as const;

/** The Hessian of inputs of variance 1, every two of which have one correlation. */
export function correlatedHessian(width: number, correlation: number): Hessian {
  const data = new Float64Array(width * width).fill(correlation);
  for (let i = 0; i < width; i++) data[i * width + i] = 1;
  return { rows: width, columns: width, data };
}

/**
 * The weights of one row, before and after each column, while their columns are rounded in order
 * and GPTQ moves those to the right. rounded: what the row ends as.
 */
export function gptqStates(
  row: Float32Array,
  { rounded, hessian }: { rounded: Float32Array; hessian: Hessian },
): Float32Array[] {
  const { upper } = factorHessian(hessian, { damping: 0 });
  const states = [row];
  for (let column = 0; column < row.length; column++) {
    const before = states[column]!;
    const factors = upper.subarray(column * row.length, (column + 1) * row.length);
    const error = (before[column]! - rounded[column]!) / factors[column]!;
    states.push(before.map((weight, i) => i < column ? weight : weight - error * factors[i]!));
  }
  return states;
}

/** Draws how far each weight of a row is from its start, column by column, and the output error. */
export function gptqSteps(options: GptqStepsOptions = {}): Figure {
  const { correlation = 0.9, bits = 3, seed = 9 } = options;
  const hessian = correlatedHessian(columns, correlation);
  const row = { rows: 1, columns, data: normals(columns, { seed }) };
  const spec = `bits=${bits},scales=f32`;
  const nearest = quantize(row, `rtn:${spec}`);
  const compensated = quantize(row, `gptq:${spec},damping=0`, { hessian });
  const rtn = Array.from(
    { length: columns + 1 },
    (_, rounded) => row.data.map((weight, i) => i < rounded ? nearest.weights[i]! : weight),
  );
  const gptq = gptqStates(row.data, { rounded: compensated.weights, hessian });
  const step = nearest.scales[0]!;
  const whole = hessianError(row, new Float32Array(columns), hessian);
  const shares = { rtn, gptq };
  const errors = (method: keyof typeof looks) =>
    shares[method].map((state, x) => ({ x, y: 100 * hessianError(row, state, hessian) / whole }));
  const top = Math.max(...[...errors("rtn"), ...errors("gptq")].map(({ y }) => y));
  return figure({
    name: "gptq-steps",
    title: "GPTQ lets the columns to the right make up for the error of each column",
    caption:
      `**Measured** on one row of ${columns} normal random weights (seed ${seed}), rounded to ${bits} ` +
      `bits with one scale; inputs of variance 1, every two with a correlation of ${correlation}. ` +
      "Numbers: the weight now less the weight before, in % of the distance of two levels; orange " +
      "above, blue below. Left of the stepped line weights are rounded and stay. Below: the squared " +
      "error of the row's output, as a share of the squared output.",
    legend: [
      { label: "rounded left of this line", line: { width: 2 } },
      {
        label: "round to nearest",
        line: looks.rtn,
        point: { provenance: "measured", ...looks.rtn },
      },
      { label: "GPTQ", line: looks.gptq, point: { provenance: "measured", ...looks.gptq } },
    ],
    rows: [
      {
        height: 320,
        panels: [
          cells({ heading: "Round to nearest", states: rtn, step }),
          cells({ heading: "GPTQ", states: gptq, step }),
        ],
      },
      { height: 210, panels: [errorPanel(top)] },
    ],
  });

  function errorPanel(top: number): Panel {
    const unit = 10 ** Math.floor(Math.log10(top / 2));
    const gap = unit * [1, 2, 5, 10].find((factor) => top / (factor * unit) <= 6)!;
    const ticks = Array.from({ length: 8 }, (_, i) => i * gap).filter((tick) => tick < top + gap);
    return {
      x: {
        label: "Columns rounded so far (columns)",
        domain: [0, columns],
        ticks: rtn.map((_, i) => i),
        grid: false,
      },
      y: {
        label: "Output error (%)",
        domain: [0, ticks.at(-1)!],
        ticks,
        format: (tick) => String(Number(tick.toPrecision(2))),
      },
      right: 60,
      marks: ({ spread }) => {
        const methods = ["rtn", "gptq"] as const;
        const places = spread(methods.map((method) => errors(method).at(-1)!.y), 15);
        return methods.flatMap((method, i) => {
          const rows = errors(method);
          const text = `${rows.at(-1)!.y.toFixed(2)} %`;
          return [
            curve(rows, looks[method]),
            ...points(rows, { provenance: "measured", symbol: looks[method].symbol }),
            labels([{ x: columns, y: places[i]!, text }], { dx: 9 }),
          ];
        });
      },
    };
  }
}

interface Cells {
  heading: string;
  /** The row's weights with 0, 1, ... columns rounded. */
  states: readonly Float32Array[];
  /** Distance of two levels. */
  step: number;
}

/** A table of the weights' distances from their start: one line a step, one column a weight. */
function cells({ heading, states, step }: Cells): Panel {
  const places = states.flatMap((state, y) =>
    Array.from(state, (weight, i) => ({ x: i + 1, y, error: (weight - states[0]![i]!) / step }))
  );
  const stairs = Array.from({ length: columns + 1 }, (_, y) => [
    { x: y + 0.5, y: y - 0.5 },
    { x: y + 0.5, y: y + 0.5 },
  ]).flat();
  return {
    heading,
    x: {
      label: "Column of the row (columns)",
      domain: [0.5, columns + 0.5],
      ticks: states.slice(1).map((_, i) => i + 1),
      grid: false,
    },
    y: {
      label: "",
      domain: [columns + 0.5, -0.5],
      ticks: states.map((_, y) => y),
      format: (y) => y === 0 ? "before" : `after ${y}`,
      grid: false,
    },
    left: 52,
    right: 6,
    marks: () => [
      Plot.rect(places, {
        x1: ({ x }) => x - 0.5,
        x2: ({ x }) => x + 0.5,
        y1: ({ y }) => y - 0.5,
        y2: ({ y }) => y + 0.5,
        fill: ({ error }) => bitColour(error > 0 ? 2 : 3),
        fillOpacity: ({ error }) => Math.min(0.6, Math.abs(error)),
      }),
      Plot.text(places.filter(({ error }) => error !== 0), {
        x: "x",
        y: "y",
        text: ({ error }) => signed(100 * error),
        fill: ink,
        fontSize: fontSizes.tick,
      }),
      curve(stairs, { width: 2 }),
    ],
  };
}

function signed(value: number): string {
  const rounded = Math.round(value);
  return rounded === 0 ? "0" : rounded > 0 ? `+${rounded}` : `−${-rounded}`;
}

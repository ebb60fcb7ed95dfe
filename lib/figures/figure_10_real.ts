/** Figure 10 (right) of Ouyang et al. (2024) at real scale: laws fitted to Llama and to Qwen. */
import type { DataFrame } from "nodejs-polars";
import {
  fit,
  predict,
  publicFrame,
  type PublicPoint,
  publicPoints,
  sizeBits,
} from "../laws/mod.ts";
import { loadPublic } from "../public.ts";
import { type Figure, figure } from "./layout.ts";
import { curve, labels } from "./marks.ts";
import type { Panel } from "./panel.ts";
import { confirmedNote, familyLegend, publicMarks } from "./public_marks.ts";
import { bitColour, fontSizes, muted, rule } from "./style.ts";

/** Options of {@link figure10Real}. */
export interface Figure10RealOptions {
  /** Rows of `loadPublic()`, which is the default. */
  frame?: DataFrame;
}

const llama = ["LLaMA", "Llama-2", "Llama-3"];

/** Draws fitted over measured QiD for Llama and Qwen, and the law of Llama tried on Qwen. */
export function figure10Real(options: Figure10RealOptions = {}): Figure {
  const frame = options.frame ?? loadPublic();
  const all = publicPoints(frame, { methods: ["gptq"], groupSize: 128 });
  const rows = {
    llama: all.filter(({ family }) => llama.includes(family)),
    qwen: all.filter(({ family }) => family === "Qwen3"),
  };
  const ofLlama = fit("unified", publicFrame(rows.llama), { space: "log" });
  const ofQwen = fit(sizeBits, publicFrame(rows.qwen), { space: "log" });
  const sets = [
    { heading: "Law of Llama on Llama", rows: rows.llama, law: ofLlama },
    { heading: "Law of Qwen on Qwen", rows: rows.qwen, law: ofQwen },
    { heading: "Law of Llama on Qwen", rows: rows.qwen, law: ofLlama },
  ];
  const domain: [number, number] = [0.01, 8];
  const ticks = [0.01, 0.03, 0.1, 0.3, 1, 3];
  const panel = (set: typeof sets[0], left: boolean): Panel => ({
    heading: set.heading,
    x: { label: "Measured QiD (nats per token)", domain, log: true, ticks },
    y: { label: left ? "Predicted QiD (nats per token)" : "", domain, log: true, ticks },
    left: left ? 52 : 36,
    right: 8,
    marks: () => [
      curve(domain.map((x) => ({ x, y: x })), { colour: rule, width: 1.2 }),
      ...publicMarks(set.rows.map((row) => ({
        x: row.qid,
        y: valueAt(set.law, row),
        family: row.family,
        confirmed: row.confirmed,
        colour: bitColour(row.bits),
      }))),
      labels([{ x: domain[1], y: 0.013, text: `typical error ×${error(set).toFixed(2)}` }], {
        anchor: "end",
        dx: -4,
        size: fontSizes.tick,
        colour: muted,
      }),
    ],
  });
  const { parameters } = ofLlama;
  const two = (value: number) => value.toFixed(2).replace("-", "−");
  return figure({
    name: "figure-10-real",
    title: "Figure 10 (right) at real scale: a law fits its own family, and misses the next",
    caption:
      "**After the right half of Figure 10 of Ouyang et al. (2024)**, whose points and constants are " +
      "not public. QiD of base models on WikiText-2 after GPTQ in groups of 128, **published**; " +
      "**predicted** by laws fitted here (least squares of ln QiD): to LLaMA, Llama 2 and Llama 3 " +
      `(β = ${two(parameters.tokenExponent!)}, α = ${two(parameters.sizeExponent!)}, γ = ${
        two(parameters.bitExponent!)
      }), and to Qwen 3, which has one D and so no β (α = ${
        two(ofQwen.parameters.sizeExponent!)
      }, γ = ${two(ofQwen.parameters.bitExponent!)}). Typical error: root mean square of ` +
      "ln(predicted / measured), as a factor. " + confirmedNote,
    legend: [
      ...familyLegend([...rows.llama, ...rows.qwen]),
      ...[2, 3, 4].map((bits) => ({ label: `${bits} bits`, line: { colour: bitColour(bits) } })),
    ],
    rows: [{ height: 290, panels: sets.map((set, i) => panel(set, i === 0)) }],
  });
}

type Fitted = ReturnType<typeof fit>;

function valueAt(law: Fitted, { size, tokens, bits }: PublicPoint): number {
  return predict(law.law, law.parameters, { size, tokens, bits });
}

function error({ rows, law }: { rows: readonly PublicPoint[]; law: Fitted }): number {
  const squares = rows.map((row) => Math.log(valueAt(law, row) / row.qid) ** 2);
  return Math.exp(Math.sqrt(squares.reduce((sum, value) => sum + value, 0) / rows.length));
}

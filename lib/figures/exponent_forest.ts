/** A forest plot of the exponents: the paper, its digitised figure, our suite, and public families. */
import type { DataFrame } from "nodejs-polars";
import { loadFigure2 } from "../data.ts";
import {
  type Bootstrap,
  bootstrap,
  type ExponentName,
  metaAnalysis,
  publicFrame,
  publicPoints,
  published,
  sizeBits,
} from "../laws/mod.ts";
import { loadPublic } from "../public.ts";
import { loadSuiteQid } from "../suite_tables.ts";
import { exponentPanel } from "./exponent_panel.ts";
import { type Figure, figure } from "./layout.ts";
import type { PointLook } from "./marks.ts";

/** One row of the forest: exponents that an estimate determines, with 95 % intervals. */
export interface ForestEstimate {
  label: string;
  look: PointLook;
  exponents: Partial<
    Record<ExponentName, { value: number; interval?: readonly [number, number] }>
  >;
}

/** Options of {@link exponentForest}. */
export interface ExponentForestOptions {
  /** Rows from the top down; `forestEstimates()` if left out. */
  estimates?: readonly ForestEstimate[];
}

const exponents = [
  { name: "tokenExponent", symbol: "β", of: "tokens *D*", domain: [-0.5, 2], digits: 2 },
  { name: "sizeExponent", symbol: "α", of: "size *N*", domain: [-0.4, 0.8], digits: 2 },
  { name: "bitExponent", symbol: "γ", of: "bits *P*", domain: [2.5, 8.5], digits: 1 },
] as const;

const ticks = {
  tokenExponent: [-0.5, 0, 0.5, 1, 1.5, 2],
  sizeExponent: [-0.4, 0, 0.4, 0.8],
  bitExponent: [3, 4, 5, 6, 7, 8],
} as const;

/** Draws β, α and γ of each estimate. */
export function exponentForest(options: ExponentForestOptions = {}): Figure {
  const estimates = options.estimates ?? forestEstimates();
  const panels = exponents.map(({ name, symbol, of, domain, digits }, i) =>
    exponentPanel(
      estimates.map(({ label, look, exponents }) => ({ label, look, ...exponents[name] })),
      {
        heading: `${symbol}, of ${of}`,
        label: `${symbol} (dimensionless)`,
        domain,
        ticks: ticks[name],
        reference: published.unified[name],
        digits,
        named: i === 0,
        left: i === 0 ? 158 : 12,
      },
    )
  );
  return figure({
    name: "exponent-forest",
    title: "Public tables agree on the bits, roughly on the size, and hardly know the tokens",
    caption:
      "Exponents of QiD = *k* *D*^{β} / (*N*^{α} *P*^{γ}) with 95 % intervals; bars that leave the frame " +
      "go on. Top: as **published**, and from points **digitised** from Figure 2 of Ouyang et al. " +
      "(2024) and **measured** on our suite, with whole models resampled. Public tables: ln QiD on WikiText-2 of base models, " +
      "**published**; all families together with a random effect for each (REML), families resampled; " +
      "below, single families, least squares of ln QiD, rows resampled. A family has one number of " +
      "training tokens, or nearly: a dash means that its rows cannot tell β. Dashed line: the paper.",
    legend: [
      {
        label: "published constants, or fitted to published rows",
        point: { provenance: "published" },
      },
      { label: "fitted to digitised points", point: { provenance: "digitised" } },
      { label: "fitted to our suite", point: { provenance: "measured" } },
    ],
    rows: [{ height: 72 + 30 * estimates.length, panels }],
    width: 820,
  });
}

/**
 * The rows of the forest.
 */
export function forestEstimates(frame: DataFrame = loadPublic()): ForestEstimate[] {
  const sets = [
    { label: "public, GPTQ, row scales", methods: ["gptq"], groupSize: 0 },
    { label: "public, GPTQ, groups of 128", methods: ["gptq"], groupSize: 128 },
    { label: "public, RTN, row scales", methods: ["rtn"], groupSize: 0 },
    { label: "public, AWQ, groups of 128", methods: ["awq"], groupSize: 128 },
  ];
  const paper = Object.entries(published.unified).filter(([name]) => name !== "scale")
    .map(([name, value]) => [name, { value }]);
  return [
    {
      label: "paper, unified law",
      look: { provenance: "published" },
      exponents: Object.fromEntries(paper),
    },
    {
      label: "its Figure 2, digitised",
      look: { provenance: "digitised" },
      exponents: ofBootstrap(bootstrap("unified", loadFigure2(), { by: { cluster: "model" } })),
    },
    suiteEstimate(),
    ...sets.map(({ label, ...choice }) => publicEstimate(label, frame, choice)),
    ...familyEstimates(frame),
  ];
}

/** The unified law fitted to the GPTQ rows of our own suite, whole models resampled. */
export function suiteEstimate(frame: DataFrame = loadSuiteQid()): ForestEstimate {
  const fitted = bootstrap("unified", frame, { by: { cluster: "model" } });
  return {
    label: "our suite, by the byte",
    look: { provenance: "measured" },
    exponents: ofBootstrap(fitted),
  };
}

function publicEstimate(
  label: string,
  frame: DataFrame,
  choice: { methods: string[]; groupSize: number },
): ForestEstimate {
  const { exponents, intervals } = metaAnalysis(publicPoints(frame, choice));
  const entries = Object.entries(exponents).map(([name, value]) => [
    name,
    { value, interval: intervals[name as ExponentName] },
  ]);
  return { label, look: { provenance: "published" }, exponents: Object.fromEntries(entries) };
}

/** Families alone, GPTQ: size and bits only, with the group size of which there are more settings. */
const families = [
  { family: "OPT", groupSize: 0 },
  { family: "BLOOM", groupSize: 0 },
  { family: "LLaMA", groupSize: 0 },
  { family: "Llama-2", groupSize: 0 },
  { family: "Llama-3", groupSize: 128 },
  { family: "Qwen3", groupSize: 128 },
];

function familyEstimates(frame: DataFrame): ForestEstimate[] {
  return families.map(({ family, groupSize }) => {
    const points = publicPoints(frame, { methods: ["gptq"], groupSize })
      .filter((point) => point.family === family);
    const fitted = bootstrap(sizeBits, publicFrame(points), { space: "log" });
    return {
      label: `${family}, GPTQ, ${groupSize === 0 ? "row scales" : `groups of ${groupSize}`}`,
      look: { provenance: "published" },
      exponents: ofBootstrap(fitted),
    };
  });
}

function ofBootstrap({ fit, intervals }: Bootstrap): ForestEstimate["exponents"] {
  const names = exponents.map(({ name }) => name).filter((name) => name in intervals);
  return Object.fromEntries(
    names.map((name) => [name, { value: fit.parameters[name]!, interval: intervals[name]! }]),
  );
}

/** Where a quantized model gets worse than a guess: what the choice of threshold does to Figure 1. */
import { findLaw, type FittedLaw, predict, published, quantizedLoss } from "../laws/mod.ts";
import { tokensAxis } from "./axes.ts";
import { type Figure, figure } from "./layout.ts";
import { labels, points } from "./marks.ts";
import type { Panel } from "./panel.ts";
import { bitColour, countLabel, fontSizes, sizeLabel } from "./style.ts";

/** Options of {@link worseThanRandom}. */
export interface WorseThanRandomOptions {
  /** The law of QiD; the per-bit-width laws behind Table 1 if left out. */
  qid?: FittedLaw;
  /** The law of the 16-bit loss; the published Eq. 3 if left out. */
  loss16?: FittedLaw;
}

const sizes = [7e9, 7e10, 4.05e11];
const vocabularies = [100_000, 50_304];

/** Draws the tokens at which QiD alone, and the quantized loss, pass the loss of a uniform guess. */
export function worseThanRandom(options: WorseThanRandomOptions = {}): Figure {
  const qid = options.qid ?? { law: "per-bit-width", parameters: published["per-bit-width"] };
  const loss16 = options.loss16 ?? { law: "loss16", parameters: published.loss16 };
  const measures = [
    {
      name: "QiD",
      value: (size: number, tokens: number, bits: number) =>
        predict(qid.law, qid.parameters, { size, tokens, bits }),
    },
    {
      name: "loss",
      value: (size: number, tokens: number, bits: number) =>
        quantizedLoss({ size, tokens, bits }, { loss16, qid }),
    },
  ];
  const rows = vocabularies.flatMap((vocabulary) =>
    measures.map(({ name, value }) => ({
      name: `${name} > ln ${vocabulary.toLocaleString("en-US")}`,
      value,
      threshold: Math.log(vocabulary),
    }))
  );
  const panel = (bits: number, domain: [number, number], ticks: number[]): Panel => ({
    heading: `${bits} bits`,
    x: tokensAxis({ domain, ticks }),
    y: {
      label: "",
      domain: [0.5, rows.length + 0.5],
      ticks: rows.map((_, i) => i + 1),
      format: (tick) => rows[rows.length - tick]!.name,
      grid: false,
    },
    left: 106,
    right: 16,
    marks: () =>
      rows.flatMap(({ value, threshold }, i) =>
        sizes.flatMap((size) => {
          const tokens = crossing((at) => value(size, at, bits) - threshold);
          const at = { x: tokens, y: rows.length - i };
          return [
            ...points([at], {
              provenance: "predicted",
              colour: bitColour(bits),
              size: sizeLabel(size),
              radius: 5,
            }),
            labels([{ ...at, text: countLabel(Number(tokens.toPrecision(2))) }], {
              anchor: "middle",
              dy: -14,
              size: fontSizes.tick,
            }),
          ];
        })
      ),
  });
  const qidLaw = findLaw(qid.law).title.toLowerCase();
  return figure({
    name: "worse-than-random",
    title: "“Worse than random” depends on the vocabulary and on what is compared",
    caption: "Training tokens at which a quantized model gets worse than a uniform guess, " +
      `**predicted** by the ${qidLaw} behind Figure 1 of Ouyang et al. (2024). Its grey zone starts ` +
      "where QiD alone passes ln\u00a0100,000 = 11.51. Pythia has a vocabulary of 50,304 (ln = 10.83 nats per token), and the " +
      "loss of a quantized model is its 16-bit loss (Eq. 3, **published** constants) plus QiD, so " +
      "that a guess is reached with fewer tokens.",
    legend: sizes.map((size) => ({
      label: `${sizeLabel(size)}, predicted`,
      point: { provenance: "predicted", size: sizeLabel(size), radius: 5 } as const,
    })),
    rows: [{
      height: 250,
      panels: [
        panel(2, [2e12, 6e13], [3e12, 1e13, 3e13]),
        panel(3, [4e13, 2e15], [1e14, 3e14, 1e15]),
      ],
    }],
  });
}

/** The tokens above 1e10 at which a growing function is zero, by bisection of the logarithm. */
function crossing(value: (tokens: number) => number): number {
  let [low, high] = [Math.log(1e10), Math.log(1e20)];
  while (high - low > 1e-9) {
    const middle = (low + high) / 2;
    if (value(Math.exp(middle)) < 0) low = middle;
    else high = middle;
  }
  return Math.exp(low);
}

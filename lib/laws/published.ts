/** The constants that the papers give, or that follow from their numbers, and how each is known. */

/**
 * Parameters by law, in the units of the law (D in tokens, N in non-embedding parameters, P in bits
 * per weight, losses in nats per token). `token`, `size` and `bits` hold exponents only: the paper
 * prints no scale for them, so they predict nothing alone.
 */
export const published = {
  token: { tokenExponent: 0.5316 },
  size: { sizeExponent: 0.2276 },
  bits: { bitExponent: 5.4812 },
  unified: { scale: 0.017, tokenExponent: 0.5251, sizeExponent: 0.2261, bitExponent: 5.4967 },
  loss16: {
    sizeScale: 4.74e19,
    sizeExponent: 0.045,
    tokenScale: 7.63e10,
    tokenExponent: 0.399,
  },
  "per-bit-width": {
    scale2: 3.78663e-4,
    tokenExponent2: 0.5238,
    sizeExponent2: 0.22477,
    scale3: 1.170179e-5,
    tokenExponent3: 0.672731,
    sizeExponent3: 0.354684,
    scale4: 6.132276e-6,
    tokenExponent4: 0.6550602,
    sizeExponent4: 0.3835031,
  },
  chinchilla: {
    irreducible: 1.69,
    sizeScale: 406.4,
    sizeExponent: 0.34,
    tokenScale: 410.7,
    tokenExponent: 0.28,
  },
  precision: { scale: 0.0598, tokenExponent: 0.5068, sizeExponent: 0.3439, bitScale: 0.5907 },
} as const;

/** Where constants come from, and how they are known. */
export interface PublishedSource {
  /** Paper, and equation, table or figure. */
  readonly source: string;
  /** `printed`: the paper prints them. `derived`: they follow from numbers that it prints. */
  readonly known: "printed" | "derived";
  readonly note: string;
}

const ouyang = "Ouyang et al. 2024, arXiv 2411.17691";

/** For each entry of `published`, its source. */
export const publishedSources: Readonly<Record<keyof typeof published, PublishedSource>> = {
  token: {
    source: `${ouyang}, Eq. 5 and Figure 3`,
    known: "printed",
    note: "exponent only",
  },
  size: {
    source: `${ouyang}, Eq. 6 and Figure 4`,
    known: "printed",
    note: "exponent only",
  },
  bits: {
    source: `${ouyang}, Eq. 7 and Figure 5`,
    known: "printed",
    note: "exponent only",
  },
  unified: {
    source: `${ouyang}, Eq. 8 and Figure 6`,
    known: "printed",
    note: "GPTQ on Pythia at 2, 3 and 4 bits; the scale has two digits only",
  },
  loss16: {
    source: `${ouyang}, Eq. 3 and the caption of Figure 7`,
    known: "printed",
    note: "form of Kaplan et al. 2020, arXiv 2001.08361",
  },
  "per-bit-width": {
    source: `${ouyang}, Table 1 and Figure 1`,
    known: "derived",
    note:
      "not printed: fitted to the 48 cells of Table 1 and the 9 labels of Figure 1, which they give back to the last digit",
  },
  chinchilla: {
    source: "Hoffmann et al. 2022, arXiv 2203.15556, Approach 3, Appendix D.3",
    known: "printed",
    note: "total parameters, another corpus than Pythia's: compare exponents, not losses",
  },
  precision: {
    source: "Kumar et al. 2024, arXiv 2411.04330, Table 2",
    known: "printed",
    note:
      "GPTQ on models of 30 to 220 million parameters, Dolma; the table also lists an offset b = 1.1277 whose place in the formula is not known here: left out",
  },
};

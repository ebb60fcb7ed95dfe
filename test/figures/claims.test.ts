import pl from "nodejs-polars";
import { describe, expect, it } from "vitest";
import {
  exponentForest,
  type Figure,
  figure1,
  figure6,
  fittingSpace,
  learningRateDecay,
  perBitExponents,
  realContours,
  realPredicted,
  suiteEstimate,
  table1,
  twoBitGrid,
} from "../../lib/figures/mod.ts";
import { published } from "../../lib/laws/mod.ts";
import { loadPublic } from "../../lib/public.ts";
import { textBoxes } from "./text_boxes.ts";

const textsOf = ({ svg }: Figure) => textBoxes(svg).map(({ text }) => text);

describe("figures say what was found", () => {
  it("the unified law misses Table 1 by up to 58 % at 3 bits and 52 % at 4", () => {
    const texts = textsOf(table1());
    for (const text of ["−3 %", "+58 %", "+52 %"]) expect(texts).toContain(text);
  });

  it("the nine labels of Figure 1 stand beside the curves that give them", () => {
    const printed = ["49.95", "29.77", "20.07", "9.88", "4.36", "2.34", "1.52", "0.63", "0.32"];
    const texts = textsOf(figure1());
    for (const text of printed) expect(texts).toContain(text);
  });

  it("the published exponents come back in linear space and not in log space", () => {
    expect(figure6().caption).toMatch(
      /β = 0\.529 ± 0\.\d+, α = 0\.223 ± 0\.\d+, γ = 5\.36 ± 0\.\d+/,
    );
    const texts = textsOf(fittingSpace());
    for (const text of ["0.529", "0.223", "5.36", "0.563", "0.303", "5.92"]) {
      expect(texts).toContain(text);
    }
  });

  it("the digitised points give the exponents behind Table 1 at 2 and 3 bits", () => {
    const texts = textsOf(perBitExponents());
    for (const text of ["0.528", "0.524", "0.672", "0.673"]) expect(texts).toContain(text);
  });

  it("the local exponents of OLMo 2 are 0.20 to 0.29, then 0.59 to 1.34", () => {
    const texts = textsOf(learningRateDecay());
    for (const text of ["0.20", "0.29", "0.59", "1.34"]) expect(texts).toContain(text);
  });

  it("a symmetric 2-bit grid has its levels at -1.333, -0.667, 0 and 0.667", () => {
    const texts = textsOf(twoBitGrid());
    for (const text of ["−1.333", "−0.667", "0.667"]) expect(texts).toContain(text);
  });
});

describe("figures follow what they are given", () => {
  it("another law draws other curves, and the caption names it", () => {
    const unified = figure1({ law: { law: "unified", parameters: published.unified } });
    expect(unified.svg).not.toBe(figure1().svg);
    expect(unified.caption).toContain("by the unified law;");
  });

  it("one changed number changes the figure", () => {
    const parameters = { ...published.unified, bitExponent: 5 };
    expect(table1({ unified: { law: "unified", parameters } }).svg).not.toBe(table1().svg);
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8])("a grid of %s bits is drawn", (bits) => {
    expect(textsOf(twoBitGrid({ bits: [bits] }))).toContain(`${bits} bits`);
  });

  it("weights of one's own are rounded", () => {
    const { caption } = twoBitGrid({ weights: Float32Array.of(-1, 0.2, 0.5, 0.9) });
    expect(caption).toContain("the given weights as one group");
  });
});

describe("figures of real models", () => {
  it("say how far the published law is from public rows", () => {
    const texts = textsOf(realPredicted());
    expect(texts).toContain("predicted / measured: 1.46; rank correlation 0.84");
    expect(texts).toContain("predicted / measured: 4.25; rank correlation 0.90");
  });

  it("draw rows that could not be confirmed without a dot and pale", () => {
    const { svg } = realContours();
    expect(svg.match(/stroke-opacity="0.45"/g)?.length ?? 0).toBeGreaterThan(10);
    const sure = loadPublic().filter(pl.col("confirmed").eq(pl.lit("confirmed")));
    expect(realContours({ frame: sure }).svg).not.toContain('stroke-opacity="0.45"');
  });

  it("follow the law that they are given", () => {
    const parameters = { ...published.unified, scale: 2 * published.unified.scale };
    const texts = textsOf(realPredicted({ law: { law: "unified", parameters } }));
    expect(texts).toContain("predicted / measured: 2.93; rank correlation 0.84");
  });

  it("the forest has the suite, fitted to its rows", () => {
    const rows = [1e6, 1e7, 1e8, 1e9].flatMap((size) =>
      [1e8, 1e9, 1e10].flatMap((tokens, i) =>
        [2, 3, 4].map((bits) => ({
          ...{ model: `${size}`, size, tokens, bits },
          qid: (1 + 0.01 * (-1) ** (i + bits)) * tokens ** 0.4 / size ** 0.3 / bits ** 5,
        }))
      )
    );
    const suite = suiteEstimate(pl.DataFrame(rows));
    expect(suite.exponents.tokenExponent!.value).toBeCloseTo(0.4, 2);
    expect(suite.exponents.bitExponent!.value).toBeCloseTo(5, 1);
    expect(textsOf(exponentForest({ estimates: [suite] }))).toContain("fitted to our suite");
  });
});

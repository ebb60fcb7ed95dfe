import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  parseRuns,
  plainText,
  runsWidth,
  scriptScale,
  textWidth,
  wrapRuns,
} from "../../lib/figures/text.ts";

describe("textWidth", () => {
  it("adds the widths of Adobe's Helvetica metrics", () => {
    // Helvetica.afm: H 722, e 556, l 222, o 556; W 944, i 222; digits 556; space 278.
    expect(textWidth("Hello", 10)).toBeCloseTo(22.78, 9);
    expect(textWidth("Wi 12", 1000)).toBe(944 + 222 + 278 + 2 * 556);
  });

  it("is larger in bold", () => {
    expect(textWidth("QiD", 12, true)).toBeGreaterThan(textWidth("QiD", 12));
  });
});

describe("runs", () => {
  it("split bold, italic, superscripts and subscripts", () => {
    const look = { bold: false, italic: false, script: "none" };
    expect(parseRuns("**A** *D*^{β} / k_{P}")).toEqual([
      { ...look, text: "A", bold: true },
      { ...look, text: " " },
      { ...look, text: "D", italic: true },
      { ...look, text: "β", script: "super" },
      { ...look, text: " / k" },
      { ...look, text: "P", script: "sub" },
    ]);
  });

  it("keep characters that are no markup", () => {
    expect(plainText("a_b ^ c & d")).toBe("a_b ^ c & d");
    expect(plainText("QiD ∝ D^{β}, **bold**, *N*")).toBe("QiD ∝ D^β, bold, N");
  });

  it("are as wide as their pieces, scripts smaller", () => {
    expect(runsWidth(parseRuns("D^{2}"), 10)).toBeCloseTo(7.22 + 5.56 * scriptScale, 9);
  });
});

describe("wrapRuns", () => {
  it("keeps every word, in order, and every line within the width", () => {
    const word = fc.stringMatching(/^[a-zA-Z0-9.,()+]{1,12}$/);
    fc.assert(fc.property(fc.array(word, { minLength: 1, maxLength: 40 }), (words) => {
      const lines = wrapRuns(words.join(" "), 12, 120);
      const texts = lines.map((line) => line.map(({ text }) => text).join(""));
      expect(texts.join(" ")).toBe(words.join(" "));
      for (const [i, line] of lines.entries()) {
        if (texts[i]!.includes(" ")) expect(runsWidth(line, 12)).toBeLessThanOrEqual(120);
      }
    }));
  });

  it("does not break at a space that must not break, which is as wide as a space", () => {
    expect(wrapRuns("aa ln\u00a02", 10, 20).length).toBe(2);
    expect(textWidth("a\u00a0b", 10)).toBe(textWidth("a b", 10));
    expect(plainText("ln\u00a02")).toBe("ln 2");
  });

  it("does not break inside a word of several looks", () => {
    const lines = wrapRuns("aaaa *D*^{β}b cccc", 10, 40);
    expect(lines.map((line) => line.map(({ text }) => text).join(""))).toEqual([
      "aaaa",
      "Dβb",
      "cccc",
    ]);
  });
});

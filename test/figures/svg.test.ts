import * as Plot from "@observablehq/plot";
import { describe, expect, it } from "vitest";
import { element, serialise, svgDocument, textElement } from "../../lib/figures/svg.ts";

describe("serialise", () => {
  it("writes a document with its namespace, escaped text and rounded numbers", () => {
    const root = element(
      "svg",
      { viewBox: "0 0 1 1" },
      element("text", { x: 1.23456 }, "a < b & c"),
    );
    expect(serialise(root, "f")).toBe(
      '<?xml version="1.0" encoding="UTF-8"?>\n' +
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1">\n' +
        ' <text x="1.23">a &lt; b &amp; c</text>\n</svg>\n',
    );
  });

  it("escapes quotes in attributes and never writes minus zero", () => {
    const root = element(
      "svg",
      {},
      element("path", { d: "M-0.0001,2L1e-7,0.005", "font-family": 'a"b' }),
    );
    const svg = serialise(root, "f");
    expect(svg).toContain(' d="M0,2L1e-7,0.01"');
    expect(svg).toContain(' font-family="a&quot;b"');
  });

  it("renumbers ids with their references, so that figures share a page", () => {
    const root = element(
      "svg",
      { "aria-labelledby": "t d" },
      element("title", { id: "t" }, "T"),
      element("clipPath", { id: "plot-clip-7" }),
      element("g", { "clip-path": "url(#plot-clip-7)" }),
    );
    const svg = serialise(root, "x");
    expect(svg).toContain('aria-labelledby="x-1 x-2"');
    expect(svg).toContain('<clipPath id="x-3"/>');
    expect(svg).toContain('clip-path="url(#x-3)"');
  });

  it("leaves nothing in a plot that needs a host page", () => {
    const plot = Plot.plot({
      document: svgDocument,
      marks: [Plot.line([[0, 1], [2, 3]], { clip: "frame" }), Plot.text([[1, 2]], { text: ["x"] })],
    });
    const svg = serialise(plot, "p");
    expect(svg).not.toMatch(/<style|class=|aria-label|currentColor|var\(/);
    expect(svg).toContain('id="p-1"');
  });

  it.each([["x", NaN], ["style", "fill:red"], ["d", "M0,undefined"]])(
    "refuses an attribute that cannot be drawn: %s = %s",
    (name, value) => {
      const root = element("svg", {}, element("path", { [name]: value }));
      expect(() => serialise(root, "f")).toThrow(
        `Cannot write <path ${name}="${value}">: needs finite numbers and presentation attributes`,
      );
    },
  );
});

describe("textElement", () => {
  it("keeps the spaces before its tspans, which Inkscape and resvg drop otherwise", () => {
    expect(textElement("a **b** c", {}).getAttribute("xml:space")).toBe("preserve");
  });

  it("raises and lowers scripts and comes back to the line", () => {
    const spans = Array.from(textElement("D^{β}N_{1} x", { "font-size": 10 }).children);
    const shifts = spans.map((span) => Number(span.getAttribute("dy") ?? 0));
    expect(shifts[0]).toBeLessThan(0);
    expect(shifts.reduce((sum, shift) => sum + shift, 0)).toBeCloseTo(0, 9);
  });
});

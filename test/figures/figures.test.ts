import { Resvg } from "@resvg/resvg-js";
import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { type Figure, figures } from "../../lib/figures/mod.ts";
import {
  bitColours,
  fontFamily,
  grid,
  ink,
  muted,
  paper,
  rule,
  zone,
} from "../../lib/figures/style.ts";
import { inherited, parseSvg, type TextBox, textBoxes } from "./text_boxes.ts";

const provenance = /\b(published|digitised|measured|predicted)\b/i;
const unit =
  /\((tokens|bytes|kilobytes|nats per token|nats per byte|parameters|non-embedding parameters|bits|bits per weight|weights|columns|inputs|dB|dimensionless|year|%|units of max \|w\|)\)$/;

describe.each(Object.entries(figures))("%s", (name, draw) => {
  let figure: Figure, svg: string, document: Document, root: Element;
  beforeAll(() => {
    figure = draw();
    svg = figure.svg;
    document = parseSvg(svg);
    root = document.documentElement;
  });

  it("is the file in figures/, which another run wrote, to the byte", () => {
    const file = new URL(`../../figures/${name}.svg`, import.meta.url);
    expect(readFileSync(file, "utf8") === svg, "to accept it: deno task figures").toBe(true);
  });

  it("has name, title and caption, which says where its data is from", () => {
    expect(figure.name).toBe(name);
    expect(figure.title).toMatch(/^\S.*[^.]$/);
    expect(figure.caption).toMatch(provenance);
    expect(figure.caption).not.toMatch(/[*{}]/);
    expect(root.querySelector("title")?.textContent).toBe(figure.title);
    expect(root.querySelector("desc")?.textContent).toBe(figure.caption);
    expect(textBoxes(svg).slice(1).some(({ text }) => provenance.test(text))).toBe(true);
  });

  it("is a well-formed document of its own size", () => {
    // A second renderer with a strict XML parser: it throws on what is not well-formed.
    const { width, height } = new Resvg(svg, { font: { loadSystemFonts: false } });
    expect(svg).toMatch(/^<\?xml version="1\.0" encoding="UTF-8"\?>\n<svg xmlns="/);
    expect(root.getAttribute("viewBox")).toBe(`0 0 ${width} ${height}`);
    expect(document.querySelectorAll("svg").length).toBe(1);
    expect(new Blob([svg]).size).toBeLessThan(200_000);
  });

  it("depends on no host page, network or font of its own", () => {
    expect(svg).not.toMatch(
      /var\(|currentColor|NaN|undefined|Infinity|<style|<script|<image|<foreignObject| style=|class=|href|url\((?!#)/,
    );
    const ids = Array.from(document.querySelectorAll("[id]")).map((node) => node.id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.every((id) => id.startsWith(`${name}-`))).toBe(true);
    for (const [, id] of svg.matchAll(/url\(#([^)]+)\)/g)) expect(ids).toContain(id);
    for (const text of document.querySelectorAll("text")) {
      expect(inherited(text, "font-family")).toBe(fontFamily);
    }
  });

  it("has coordinates of at most two decimals", () => {
    const long = Array.from(document.querySelectorAll("*")).flatMap((node) =>
      Array.from(node.attributes).filter(({ name, value }) =>
        !/font-family|fill|stroke$/.test(name) && /\d\.\d{3}/.test(value)
      ).map(({ value }) => value)
    );
    expect(long).toEqual([]);
  });

  it("uses the colours of the shared style only", () => {
    const allowed = new Set([
      ...Object.values(bitColours),
      ...[ink, muted, rule, grid, zone, paper, "none"],
    ]);
    const used = Array.from(document.querySelectorAll("[fill], [stroke]")).flatMap((node) =>
      ["fill", "stroke"].map((key) => node.getAttribute(key)).filter((value) => value !== null)
    );
    expect([...new Set(used)].filter((colour) => !allowed.has(colour))).toEqual([]);
  });

  it("has units on the axes", () => {
    const long = textBoxes(svg).filter(({ text, fontSize }) => fontSize >= 12 && unit.test(text));
    expect(long.length).toBeGreaterThanOrEqual(2);
  });

  it("has texts that are large enough, inside the page, and apart from one another", () => {
    const width = Number(root.getAttribute("width"));
    const height = Number(root.getAttribute("height"));
    const boxes = textBoxes(svg);
    expect(boxes.filter(({ fontSize }) => !(fontSize >= 11))).toEqual([]);
    expect(
      boxes.filter(({ left, right, top, bottom }) =>
        left < 4 || right > width - 4 || top < 4 || bottom > height - 4
      ),
    ).toEqual([]);
    const pairs = boxes.flatMap((a, i) => boxes.slice(i + 1).map((b) => [a, b] as const));
    expect(
      pairs.filter(([a, b]) => overlap(a, b)).map(([a, b]) => `${a.text} | ${b.text}`),
    ).toEqual([]);
  });
});

function overlap(a: TextBox, b: TextBox): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}

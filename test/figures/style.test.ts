import { lab, rgb } from "d3-color";
import { describe, expect, it } from "vitest";
import {
  bitColour,
  bitColours,
  countLabel,
  muted,
  sizeLabel,
  sizeSymbol,
  sizeSymbols,
} from "../../lib/figures/style.ts";

/** Machado, Oliveira and Fernandes (2009): full deficiency, on linear RGB. */
const deficiencies = {
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritanopia: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};

const colours = Object.values(bitColours);
const pairs = colours.flatMap((a, i) => colours.slice(i + 1).map((b) => [a, b] as const));

describe("colours of bit widths", () => {
  it("stand out from white (WCAG 2.1: 3 for graphics, 4.5 for text)", () => {
    for (const colour of colours) expect(contrast(colour)).toBeGreaterThan(3);
    expect(contrast(muted)).toBeGreaterThan(4.5);
  });

  it("differ in lightness, so that they stay apart in greyscale", () => {
    for (const [a, b] of pairs) expect(Math.abs(lab(a).l - lab(b).l)).toBeGreaterThan(9);
  });

  it.each(Object.entries(deficiencies))("stay apart under %s", (_, matrix) => {
    for (const [a, b] of pairs) {
      const [p, q] = [lab(simulate(a, matrix)), lab(simulate(b, matrix))];
      expect(Math.hypot(p.l - q.l, p.a - q.a, p.b - q.b)).toBeGreaterThan(20);
    }
  });

  it("are an error for another bit width, which says where to add it", () => {
    expect(() => bitColour(5)).toThrow(
      "Cannot find the colour of bit width 5: add it to lib/figures/style.ts, or use one of 2, 3, 4, 8, 16",
    );
  });
});

describe("marks of sizes", () => {
  it("belong to the size, whatever the model and however it is written", () => {
    expect(sizeSymbol("Pythia-12B")).toBe(sizeSymbol("12B"));
    expect(sizeSymbol("OLMo-2-1B")).toBe(sizeSymbol(sizeLabel(1e9)));
    expect(sizeSymbol("Pythia-6.9B")).toBe(sizeSymbol(sizeLabel(7e9)));
    expect(() => sizeSymbol("Pythia-9B")).toThrow("Cannot find the mark of model size 9B");
  });

  it("differ in shape, except for sizes that round to one another", () => {
    const drawn = new Map<string, string[]>();
    for (const size of Object.keys(sizeSymbols)) {
      const shape = JSON.stringify(outline(size));
      drawn.set(shape, [...drawn.get(shape) ?? [], size]);
    }
    expect([...drawn.values()].filter((sizes) => sizes.length > 1)).toEqual([
      ["2.8B", "3B"],
      ["6.9B", "7B"],
      ["12B", "13B"],
    ]);
  });

  it("cover the area that is asked for", () => {
    for (const size of ["1B", "7B", "70B", "405B", "1.4B"]) {
      const points = outline(size) as [number, number][];
      const doubleArea = points.reduce((sum, [x, y], i) => {
        const [nextX, nextY] = points[(i + 1) % points.length]!;
        return sum + x * nextY - nextX * y;
      }, 0);
      expect(Math.abs(doubleArea) / 2).toBeCloseTo(50, 2);
    }
  });
});

it("counts are written with the suffixes of the field", () => {
  expect([85_056_000, 1e9, 2.055e11, 1.5e13, 512].map(countLabel))
    .toEqual(["85.1M", "1B", "206B", "15T", "512"]);
});

/** The corners of a mark of area 50; its name when it is one of Plot's. */
function outline(size: string): unknown {
  const symbol = sizeSymbol(size);
  if (typeof symbol === "string") return symbol;
  const points: [number, number][] = [];
  const add = (x: number, y: number) => points.push([round(x), round(y)]);
  symbol.draw({ moveTo: add, lineTo: add, closePath: () => {} }, 50);
  return points;
}

function round(value: number): number {
  return Number(value.toFixed(6)) + 0;
}

function linear(channel: number): number {
  const value = channel / 255;
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
}

function encoded(value: number): number {
  const inside = Math.min(1, Math.max(0, value));
  return 255 * (inside <= 0.0031308 ? inside * 12.92 : 1.055 * inside ** (1 / 2.4) - 0.055);
}

function contrast(colour: string): number {
  const { r, g, b } = rgb(colour);
  return 1.05 / (0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b) + 0.05);
}

function simulate(colour: string, matrix: readonly (readonly number[])[]) {
  const { r, g, b } = rgb(colour);
  const channels = [r, g, b].map(linear);
  const [red, green, blue] = matrix.map((row) =>
    encoded(row.reduce((sum, weight, i) => sum + weight * channels[i]!, 0))
  );
  return rgb(red!, green!, blue!);
}

/**
 * The one style of all figures: a colour for each bit width, a mark for each model size, a look for
 * each provenance, and the fonts. Colours differ in lightness by at least 9 L*, so that they stay
 * apart in greyscale, and stay apart under simulated colour blindness (test/figures/style.test.ts).
 */
import type { SymbolType } from "@observablehq/plot";

/**
 * Where a number on a figure comes from. Published: an open mark with a dot inside; digitised: an open
 * mark; measured: a filled mark; predicted: a line, or an open mark with a dotted outline.
 */
export type Provenance = "published" | "digitised" | "measured" | "predicted";

/** Text and axes. */
export const ink = "#1F1F1F";
/** Secondary text; contrast with white above 7. */
export const muted = "#555555";
/** Reference lines. */
export const rule = "#8A8A8A";
/** Grid lines. */
export const grid = "#E6E6E6";
/** Shaded regions. */
export const zone = "#DEDEDE";
export const paper = "#FFFFFF";

export const fontFamily = "Helvetica, Arial, Liberation Sans, sans-serif";

/** Font sizes in pixels at 100 %. */
export const fontSizes = { title: 16, heading: 13, label: 12, text: 12, tick: 11 } as const;

/** Colours by bit width, the same in every figure. */
export const bitColours: Readonly<Record<number, string>> = {
  2: "#CC4E00",
  3: "#0064AE",
  4: "#19A683",
  8: "#6B1A5C",
  16: ink,
};

/** The colour of a bit width. */
export function bitColour(bits: number): string {
  return lookUp(bitColours, bits, "colour", "bit width");
}

/** Draws a closed polygon of a given area; the points are [x, y] in units of `scale(area)`. */
function polygon(points: readonly (readonly [number, number])[]): SymbolType {
  const doubleArea = points.reduce((sum, [x, y], i) => {
    const [nextX, nextY] = points[(i + 1) % points.length]!;
    return sum + x * nextY - nextX * y;
  }, 0);
  return {
    draw(context: CanvasPath, area: number) {
      const unit = Math.sqrt(2 * area / Math.abs(doubleArea));
      points.forEach(([x, y], i) => {
        if (i === 0) context.moveTo(x * unit, y * unit);
        else context.lineTo(x * unit, y * unit);
      });
      context.closePath();
    },
  };
}

function regular(corners: number, turn: number, radii: readonly number[] = [1]): SymbolType {
  const count = corners * radii.length;
  return polygon(Array.from({ length: count }, (_, i) => {
    const angle = 2 * Math.PI * (i / count + turn);
    const radius = radii[i % radii.length]!;
    return [radius * Math.sin(angle), -radius * Math.cos(angle)] as const;
  }));
}

const fatCross = [
  [-1, -3],
  [1, -3],
  [1, -1],
  [3, -1],
  [3, 1],
  [1, 1],
  [1, 3],
  [-1, 3],
  [-1, 1],
  [-3, 1],
  [-3, -1],
  [-1, -1],
] as const;

const diamond = regular(4, 0);
const hexagon = regular(6, 0);

/** Marks by model size, the same in every figure; sizes that round to one another share a mark. */
export const sizeSymbols: Readonly<Record<string, SymbolType>> = {
  "70M": "wye",
  "160M": "square",
  "410M": regular(5, 0),
  "1B": regular(3, 0),
  "1.4B": polygon(fatCross.map(([x, y]) => [x - y, x + y] as const)),
  "2.8B": hexagon,
  "3B": hexagon,
  "6.9B": diamond,
  "7B": diamond,
  "12B": "circle",
  "13B": "circle",
  "32B": regular(3, 0.5),
  "70B": polygon(fatCross),
  "405B": regular(5, 0, [1, 0.45]),
};

/** Dash patterns of curves by the model sizes of Table 1; the paper's own for 7B, 70B and 405B. */
export const sizeDashes: Readonly<Record<string, string | undefined>> = {
  "1B": "9 3 2 3",
  "7B": "2 3",
  "70B": "7 4",
  "405B": undefined,
};

/** The mark of a model size, from a label such as "12B" or a model name such as "Pythia-12B". */
export function sizeSymbol(label: string): SymbolType {
  return lookUp(sizeSymbols, sizeLabel(label), "mark", "model size");
}

/** The size at the end of a model name ("Pythia-12B" gives "12B"), or of N ("7e9" gives "7B"). */
export function sizeLabel(model: string | number): string {
  if (typeof model === "string") return model.slice(model.lastIndexOf("-") + 1);
  return countLabel(model);
}

/** A count in the suffixes of the field: 1e9 gives "1B", 3e11 gives "300B", 1.5e13 gives "15T". */
export function countLabel(count: number): string {
  const units = [[1e12, "T"], [1e9, "B"], [1e6, "M"], [1e3, "k"]] as const;
  const [unit, suffix] = units.find(([unit]) => count >= unit) ?? [1, ""];
  return `${Number((count / unit).toPrecision(3))}${suffix}`;
}

/** Dashes of law lines: an own fit is solid, a law with published constants is dashed. */
export const lawDashes = { fitted: undefined, published: "7 4" } as const;

function lookUp<V>(
  table: Readonly<Record<string | number, V>>,
  key: string | number,
  what: string,
  of: string,
): V {
  const value = table[key];
  if (value === undefined) {
    throw new RangeError(
      `Cannot find the ${what} of ${of} ${key}: add it to lib/figures/style.ts, or use one of ${
        Object.keys(table).join(", ")
      }`,
    );
  }
  return value;
}

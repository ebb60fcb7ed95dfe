/** Where the texts of an SVG figure stand, from its transforms, anchors and approximate font widths. */
import { DOMParser } from "linkedom";
import { textWidth } from "../../lib/figures/text.ts";

/** The bounds of one text element in the units of the viewBox. */
export interface TextBox {
  text: string;
  fontSize: number;
  left: number;
  right: number;
  top: number;
  bottom: number;
}

type Matrix = readonly [number, number, number, number, number, number];

/** Parses an SVG document. */
export function parseSvg(svg: string): Document {
  return new DOMParser().parseFromString(svg, "image/svg+xml") as unknown as Document;
}

/** The bounds of all text elements. */
export function textBoxes(svg: string): TextBox[] {
  return Array.from(parseSvg(svg).querySelectorAll("text")).map(boxOf);
}

/** The value of a presentation attribute, inherited from the nearest ancestor that sets it. */
export function inherited(node: Element, name: string): string | undefined {
  for (let at: Element | null = node; at !== null; at = at.parentElement) {
    const value = at.getAttribute(name);
    if (value !== null) return value;
  }
  return undefined;
}

function boxOf(node: Element): TextBox {
  const fontSize = Number(inherited(node, "font-size"));
  const bold = inherited(node, "font-weight") === "bold";
  const width = Array.from(node.childNodes).reduce((sum, child) => {
    const span = child.nodeType === 1 ? child as Element : undefined;
    const size = Number(span?.getAttribute("font-size") ?? fontSize);
    const heavy = bold || span?.getAttribute("font-weight") === "bold";
    return sum + textWidth(child.textContent ?? "", size, heavy);
  }, 0);
  const anchor = inherited(node, "text-anchor") ?? "start";
  const start = anchor === "end" ? -width : anchor === "middle" ? -width / 2 : 0;
  const x = Number(node.getAttribute("x") ?? 0);
  const y = Number(node.getAttribute("y") ?? 0) + length(node.getAttribute("dy"), fontSize);
  const corners = [x + start, x + start + width].flatMap((cornerX) =>
    [y - 0.72 * fontSize, y + 0.2 * fontSize].map((cornerY) => [cornerX, cornerY] as const)
  );
  const matrix = matrixOf(node);
  const placed = corners.map(([cx, cy]) => [
    matrix[0] * cx + matrix[2] * cy + matrix[4],
    matrix[1] * cx + matrix[3] * cy + matrix[5],
  ]);
  const xs = placed.map((corner) => corner[0]!);
  const ys = placed.map((corner) => corner[1]!);
  return {
    text: node.textContent ?? "",
    fontSize,
    left: Math.min(...xs),
    right: Math.max(...xs),
    top: Math.min(...ys),
    bottom: Math.max(...ys),
  };
}

function length(value: string | null, fontSize: number): number {
  if (value === null) return 0;
  return value.endsWith("em") ? Number.parseFloat(value) * fontSize : Number(value);
}

function matrixOf(node: Element): Matrix {
  const own = (node.getAttribute("transform") ?? "").match(/\w+\([^)]*\)/g) ?? [];
  let matrix: Matrix = [1, 0, 0, 1, 0, 0];
  for (const part of own) matrix = multiply(matrix, partMatrix(part));
  const parent = node.parentElement;
  return parent === null ? matrix : multiply(matrixOf(parent), matrix);
}

function partMatrix(part: string): Matrix {
  const [name, list] = part.slice(0, -1).split("(");
  const [a = 0, b = 0] = list!.split(/[ ,]+/).map(Number);
  if (name === "translate") return [1, 0, 0, 1, a, b];
  if (name !== "rotate") throw new Error(`Cannot place text under the transform ${part}`);
  const angle = a * Math.PI / 180;
  return [Math.cos(angle), Math.sin(angle), -Math.sin(angle), Math.cos(angle), 0, 0];
}

function multiply(p: Matrix, q: Matrix): Matrix {
  return [
    p[0] * q[0] + p[2] * q[1],
    p[1] * q[0] + p[3] * q[1],
    p[0] * q[2] + p[2] * q[3],
    p[1] * q[2] + p[3] * q[3],
    p[0] * q[4] + p[2] * q[5] + p[4],
    p[1] * q[4] + p[3] * q[5] + p[5],
  ];
}

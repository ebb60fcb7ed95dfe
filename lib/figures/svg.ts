/**
 * The one serialiser of figures. Written by hand because a document's own `outerHTML` is no SVG
 * file: it has no namespace, leaves `&` bare, and keeps Plot's style sheet and running ids.
 */
import { parseHTML } from "linkedom";
import { fontSizes, ink, paper } from "./style.ts";
import { parseRuns, type Run, scriptScale } from "./text.ts";

const namespace = "http://www.w3.org/2000/svg";

/** The document in which all figures are built; Plot takes it as its `document` option. */
export const svgDocument: Document =
  parseHTML("<!doctype html><html><body></body></html>").document;

/** Attribute values of an element; undefined leaves the attribute out. */
export type Attributes = Readonly<Record<string, string | number | undefined>>;

/** Makes an SVG element with attributes and children. */
export function element(
  name: string,
  attributes: Attributes = {},
  ...children: (Element | string)[]
): Element {
  const made = svgDocument.createElementNS(namespace, name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined) made.setAttribute(key, String(value));
  }
  made.append(...children);
  return made;
}

/** A text element from markup or from runs, with its baseline at (x, y). */
export function textElement(text: string | readonly Run[], attributes: Attributes): Element {
  const size = Number(attributes["font-size"] ?? fontSizes.text);
  // Inkscape and resvg drop a space that stands before a tspan without this.
  const made = element("text", { ...attributes, "xml:space": "preserve" });
  let raised = 0;
  for (const run of typeof text === "string" ? parseRuns(text) : text) {
    const target = run.script === "super" ? -0.38 * size : run.script === "sub" ? 0.2 * size : 0;
    const shift = target - raised;
    raised = target;
    const look = {
      dy: shift === 0 ? undefined : Number(shift.toFixed(2)),
      "font-size": run.script === "none" ? undefined : size * scriptScale,
      "font-weight": run.bold ? "bold" : undefined,
      "font-style": run.italic ? "italic" : undefined,
    };
    const plain = Object.values(look).every((value) => value === undefined);
    made.append(plain ? run.text : element("tspan", look, run.text));
  }
  return made;
}

/**
 * Writes an `<svg>` element as a stand-alone SVG document: only presentation attributes, numbers
 * rounded to two decimals, ids renumbered as `prefix-1`, `prefix-2`..., text escaped.
 *
 * @throws {TypeError} when an attribute holds no usable number, or styles that need a host page
 */
export function serialise(root: Element, prefix: string): string {
  const ids = new Map<string, string>();
  const rename = (id: string): string => {
    if (!ids.has(id)) ids.set(id, `${prefix}-${ids.size + 1}`);
    return ids.get(id)!;
  };
  return `<?xml version="1.0" encoding="UTF-8"?>\n${write(root, rename, "")}\n`;
}

const dropped = /^(class|aria-hidden|aria-label|aria-description|xmlns(:.*)?)$/;

function write(node: Element, rename: (id: string) => string, indent: string): string {
  const isRoot = indent === "";
  const attributes = Array.from(node.attributes)
    .filter(({ name }) => !dropped.test(name))
    .map(({ name, value }) => ` ${name}="${escape(attribute(node, name, value, rename))}"`)
    .join("");
  const open = `${node.localName}${isRoot ? ` xmlns="${namespace}"` : ""}${attributes}`;
  const children = Array.from(node.childNodes).filter((child) =>
    child.nodeType === 3 || (child as Element).localName !== "style"
  );
  if (children.length === 0) return `<${open}/>`;
  const inline = children.some((child) => child.nodeType === 3) || node.localName === "text";
  const inner = indent + " ";
  const written = children.map((child) =>
    child.nodeType === 3 ? escape(child.textContent ?? "") : write(child as Element, rename, inner)
  );
  return inline
    ? `<${open}>${written.join("")}</${node.localName}>`
    : `<${open}>\n${inner}${written.join(`\n${inner}`)}\n${indent}</${node.localName}>`;
}

function attribute(
  node: Element,
  name: string,
  value: string,
  rename: (id: string) => string,
): string {
  if (name === "style" || /NaN|Infinity|undefined/.test(value)) {
    throw new TypeError(
      `Cannot write <${node.localName} ${name}="${value}">: needs finite numbers and ` +
        "presentation attributes, not a style",
    );
  }
  if (name === "id") return rename(value);
  if (name === "aria-labelledby") return value.split(" ").map(rename).join(" ");
  if (value.startsWith("url(#")) return `url(#${rename(value.slice(5, -1))})`;
  if (value === "currentColor") return ink;
  if (value.startsWith("var(--plot-background")) return paper;
  if (/^(fill|stroke|color|font-family)$/.test(name)) return value;
  return value.replace(/-?\d+\.\d{3,}(e-?\d+)?/g, (number) => {
    const rounded = Number(Number(number).toFixed(2));
    return String(rounded === 0 ? 0 : rounded);
  });
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

/** The outputs of a cell as HTML. */
import type { IMimeBundle, IOutput } from "@jupyterlab/nbformat";
import { parseHTML } from "linkedom";
import { stripVTControlCharacters } from "node:util";
import { joinLines } from "../document.ts";
import { escapeHtml } from "../table.ts";
import { renderFormula, renderMarkdown } from "./markdown.ts";
import { siteError, type Source } from "./source.ts";
import { renderSvg } from "./svg.ts";

type Writer = (content: string, label: string, source: Source) => string;

/** How each form is written, the best form first. */
const WRITERS: readonly (readonly [string, Writer])[] = [
  ["image/svg+xml", renderSvg],
  ["text/html", renderHtml],
  [
    "text/markdown",
    (text, _, source) => `<div class="text">${renderMarkdown(text, source)}</div>\n`,
  ],
  ["text/latex", (text, _, source) => `<div class="text">${renderMarkdown(text, source)}</div>\n`],
  ["image/png", image("image/png")],
  ["image/jpeg", image("image/jpeg")],
  ["image/gif", image("image/gif")],
  ["text/plain", (text) => pre("plain", text)],
];

/**
 * Writes one output as HTML: of the forms it has, SVG before HTML, Markdown, LaTeX, pixels and text.
 * HTML is taken as it is; formulas between dollar signs in it are set, as Jupyter does.
 */
export function renderOutput(output: IOutput, source: Source): string {
  switch (output.output_type) {
    case "stream":
      return output.name === "stderr"
        ? pre("stderr", textOf(output.text), "Written to stderr")
        : pre("stdout", textOf(output.text));
    case "error": {
      const trace = Array.isArray(output.traceback) ? output.traceback.join("\n") : "";
      const head = `${output.ename}: ${output.evalue}`;
      return pre(
        "error",
        trace.includes(String(output.evalue)) ? trace : `${head}\n${trace}`,
        "Error",
      );
    }
    case "display_data":
    case "execute_result":
      return renderBundle(output.data as IMimeBundle, source);
    default:
      throw siteError(source, `no output is known with the type ${output.output_type}`);
  }
}

function renderBundle(bundle: IMimeBundle, source: Source): string {
  const types = Object.keys(bundle);
  if (types.length === 0) return "";
  const found = WRITERS.find(([type]) => type in bundle);
  if (!found) throw siteError(source, `an output has no form that a page can show: got ${types}`);
  const [type, write] = found;
  return write(textOf(bundle[type]), textOf(bundle["text/plain"]), source);
}

function renderHtml(html: string, _: string, source: Source): string {
  const { document } = parseHTML(`<!DOCTYPE html><html><body>${html}</body></html>`);
  document.body.normalize();
  setFormulas(document.body, source);
  return `<div class="scroll" tabindex="0">${document.body.innerHTML}</div>\n`;
}

function setFormulas(node: Node, source: Source): void {
  for (const child of [...node.childNodes]) {
    if (child.nodeType === 3) {
      const text = child.textContent ?? "";
      const parts = text.split(/(\$\$[^$]+\$\$|\$[^\s$](?:[^$]*[^\s$])?\$)/);
      if (parts.length === 1) continue;
      const holder = node.ownerDocument!.createElement("span");
      holder.innerHTML = parts.map((part, i) => {
        if (i % 2 === 0) return escapeHtml(part);
        const display = part.startsWith("$$");
        return renderFormula(part.slice(display ? 2 : 1, display ? -2 : -1), display, source);
      }).join("");
      (child as ChildNode).replaceWith(...holder.childNodes);
    } else if (!/^(?:code|pre|script|style|svg|math)$/i.test(child.nodeName)) {
      setFormulas(child, source);
    }
  }
}

function image(type: string): Writer {
  return (base64, label) =>
    `<img src="data:${type};base64,${base64.replaceAll(/\s/g, "")}" alt="${escapeHtml(label)}">\n`;
}

function pre(kind: string, text: string, heading = ""): string {
  const head = heading ? `<p class="kind">${heading}</p>` : "";
  const body = escapeHtml(stripVTControlCharacters(text).trimEnd());
  return `${head}<pre class="${kind}" tabindex="0">${body}</pre>\n`;
}

function textOf(content: unknown): string {
  if (content === undefined) return "";
  return typeof content === "string" || Array.isArray(content)
    ? joinLines(content as string | string[])
    : JSON.stringify(content, null, 2);
}

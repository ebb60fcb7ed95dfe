/** Markdown with LaTeX to HTML that needs no network, no script and no font. */
import hljs from "highlight.js/lib/common";
import katex, { type KatexOptions } from "katex";
import { Marked, type Token, type Tokens } from "marked";
import markedKatex from "marked-katex-extension";
import { readFileSync } from "node:fs";
import { extname, join } from "node:path";
import { escapeHtml } from "../table.ts";
import { siteError, type Source } from "./source.ts";

const KATEX: KatexOptions = { output: "mathml", throwOnError: true, strict: "error" };

const IMAGES: Readonly<Record<string, string>> = {
  ".gif": "image/gif",
  ".jpeg": "image/jpeg",
  ".jpg": "image/jpeg",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".webp": "image/webp",
};

/** What a text in Markdown begins with. */
export interface Opening {
  /** The first heading of the first level, in Markdown. */
  title: string;
  /** The first paragraph, in Markdown. */
  paragraph: string;
}

/** Writes Markdown as HTML. `headings` counts the ids of the page's headings, so that each is there once. */
export function renderMarkdown(
  text: string,
  source: Source,
  headings: Map<string, number> = new Map(),
): string {
  const marked = new Marked({ gfm: true }, markedKatex({ ...KATEX, nonStandard: true }));
  marked.use({
    walkTokens: (token) => checkFormula(token, source),
    renderer: {
      code: ({ text, lang }) => renderCode(text, lang ?? ""),
      heading({ tokens, depth }) {
        const id = headingId(textOf(tokens), headings);
        return `<h${depth} id="${escapeHtml(id)}">${this.parser.parseInline(tokens)}</h${depth}>\n`;
      },
      image: ({ href, title, text }) => {
        const label = title ? ` title="${escapeHtml(title)}"` : "";
        return `<img src="${imageUri(href, source)}" alt="${escapeHtml(text)}"${label}>`;
      },
      link({ href, title, tokens }) {
        const label = title ? ` title="${escapeHtml(title)}"` : "";
        const target = escapeHtml(pageOf(href, source));
        return `<a href="${target}"${label}>${this.parser.parseInline(tokens)}</a>`;
      },
    },
  });
  try {
    return wrapTables(marked.parse(text, { async: false }));
  } catch (error) {
    if (error instanceof katex.ParseError) throw siteError(source, formulaError(error));
    throw error;
  }
}

/** Writes a formula in LaTeX as MathML. */
export function renderFormula(latex: string, displayMode: boolean, source: Source): string {
  try {
    return katex.renderToString(latex, { ...KATEX, displayMode });
  } catch (error) {
    throw siteError(source, formulaError(error as Error));
  }
}

/** Writes code with its words marked for colour. An unknown language stays without. */
export function renderCode(code: string, language: string): string {
  const known = hljs.getLanguage(language);
  const html = known ? hljs.highlight(code, { language }).value : escapeHtml(code);
  return `<pre class="code" tabindex="0"><code>${html}</code></pre>\n`;
}

/** Writes a heading's Markdown as HTML without a block around it. */
export function renderInline(text: string, source: Source): string {
  return renderMarkdown(text, source).trim().replace(/^<p>|<\/p>$/g, "");
}

/** The title and the first paragraph of a text in Markdown, as far as they are there. */
export function opening(text: string): Partial<Opening> {
  const tokens = lexer(text);
  const title = tokens.find((token) => token.type === "heading" && token.depth === 1);
  const paragraph = tokens.find((token) => token.type === "paragraph");
  return {
    ...(title ? { title: (title as Tokens.Heading).text } : {}),
    ...(paragraph ? { paragraph: (paragraph as Tokens.Paragraph).text } : {}),
  };
}

/** Markdown without its marks, for places that take no HTML. */
export function plainText(text: string): string {
  return lexer(text).map((token) => textOf([token])).join(" ").trim();
}

/** The first sentence of a paragraph. "Eq. 8" or "e.g. 4" does not end one. */
export function firstSentence(paragraph: string): string {
  const segments = [...new Intl.Segmenter("en", { granularity: "sentence" }).segment(paragraph)]
    .map(({ segment }) => segment);
  const end = segments.findIndex((_, i) => /^["“'(*_`$[]*\p{Lu}/u.test(segments[i + 1] ?? "A"));
  return segments.slice(0, end + 1).join("").trim();
}

function lexer(text: string): Token[] {
  return new Marked(markedKatex({ nonStandard: true })).lexer(text);
}

function textOf(tokens: readonly Token[]): string {
  return tokens.map((token) =>
    "tokens" in token && token.tokens ? textOf(token.tokens) : (token as Tokens.Text).text ?? ""
  ).join("");
}

/** Jupyter's own form of a heading's id, which links inside a notebook use. */
function headingId(text: string, seen: Map<string, number>): string {
  const id = text.trim().replaceAll(/\s+/g, "-");
  const count = (seen.get(id) ?? 0) + 1;
  seen.set(id, count);
  return count === 1 ? id : `${id}-${count}`;
}

function pageOf(href: string, { notebooks }: Source): string {
  const [file = "", anchor] = href.split("#");
  if (!notebooks.has(file)) return href;
  return file.replace(/\.ipynb$/, ".html") + (anchor === undefined ? "" : `#${anchor}`);
}

function imageUri(href: string, source: Source): string {
  const attached = /^attachment:(.*)$/.exec(href);
  const [image] = Object.entries(source.attachments[attached?.[1] ?? ""] ?? {});
  if (image) return `data:${image[0]};base64,${image[1]}`;
  if (href.startsWith("data:")) return href;
  const type = IMAGES[extname(href).toLowerCase()];
  if (attached || !type || /^[a-z]+:/i.test(href)) {
    throw siteError(source, `an image must be a file beside the notebooks: got ${href}`);
  }
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(join(source.folder, decodeURI(href)));
  } catch {
    throw siteError(source, `the image ${href} cannot be read`);
  }
  return `data:${type};base64,${bytes.toBase64()}`;
}

// Jupyter also takes a formula that runs over a line's end; here it would stay as dollars.
function checkFormula(token: Token, source: Source): void {
  if (token.type !== "paragraph" && token.type !== "text" && token.type !== "heading") return;
  const rest = ((token as Tokens.Paragraph).tokens ?? [])
    .map((inner) => inner.type === "codespan" || inner.type === "inlineKatex" ? "x" : inner.raw)
    .join("");
  const left = /\$\$|(?<!\\)\$[^\s$][^$]*\n[^$]*\$/.exec(rest);
  if (left) {
    throw siteError(
      source,
      `a formula must stand on one line, or between lines that hold only $$: got ` +
        JSON.stringify(left[0].slice(0, 60)),
    );
  }
}

function formulaError(error: Error): string {
  return `the formula is not LaTeX that can be set: ${error.message}`;
}

function wrapTables(html: string): string {
  return html.replaceAll("<table>", '<div class="scroll" tabindex="0"><table>')
    .replaceAll("</table>", "</table></div>");
}

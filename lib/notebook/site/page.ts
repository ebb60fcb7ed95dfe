/** One HTML page a notebook, and the index. */
import { readFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import { type INotebookContent, isCodeCell, sourceOf } from "../document.ts";
import { escapeHtml } from "../table.ts";
import {
  firstSentence,
  type Opening,
  opening,
  plainText,
  renderCode,
  renderInline,
  renderMarkdown,
} from "./markdown.ts";
import { requestsOf } from "./offline.ts";
import { renderOutput } from "./outputs.ts";
import { siteError, type Source } from "./source.ts";

const STYLE = readFileSync(new URL("style.css", import.meta.url), "utf8");

// Nothing is loaded and no script runs, whatever an output holds; `requestsOf` says so beforehand.
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";

/** A notebook of the site. */
export interface Chapter extends Opening {
  /** Path of the notebook. */
  path: string;
  /** Name of its page. */
  page: string;
  notebook: INotebookContent;
}

/** What the index says about the whole. */
export interface Index {
  title: string;
  /** Markdown. */
  introduction: string;
}

/** A chapter of a notebook: its title and its first paragraph come from its Markdown cells. */
export function chapterOf(path: string, notebook: INotebookContent): Chapter {
  const text = notebook.cells.filter((cell) => cell.cell_type === "markdown").map(sourceOf);
  const { title, paragraph } = opening(text.join("\n\n"));
  if (!title) throw new Error(`Cannot write the page of ${path}: needs a heading "# Title"`);
  const page = basename(path).replace(/\.ipynb$/, ".html");
  return { path, page, notebook, title, paragraph: paragraph ?? "" };
}

/** Writes the page of one notebook. `chapters` are all of the site, in reading order. */
export function renderPage(chapter: Chapter, chapters: readonly Chapter[], index: Index): string {
  const source = sourceFor(chapter.path, chapters);
  const headings = new Map<string, number>();
  let codeCells = 0;
  const cells = chapter.notebook.cells.map((cell) => {
    const text = sourceOf(cell);
    if (isCodeCell(cell)) {
      if (text.trim() === "") return "";
      const here = { ...source, where: `${chapter.path}, cell ${++codeCells}` };
      const outputs = cell.outputs.map((output) => renderOutput(output, here)).join("");
      return renderCode(text, "typescript") +
        (outputs ? `<div class="outputs">\n${outputs}</div>\n` : "");
    }
    if (cell.cell_type === "raw") {
      return `<pre class="plain" tabindex="0">${escapeHtml(text)}</pre>\n`;
    }
    const attachments = (cell.attachments ?? {}) as Source["attachments"];
    const where = `${chapter.path}, the text ${
      codeCells === 0 ? "at its top" : `after cell ${codeCells}`
    }`;
    return renderMarkdown(text, { ...source, where, attachments }, headings);
  });
  const at = chapters.indexOf(chapter);
  const link = (to: Chapter | undefined, rel: string, words: string) =>
    to
      ? `<a rel="${rel}" href="${escapeHtml(to.page)}"><span class="way">${words}</span>\n${
        renderInline(to.title, source)
      }</a>`
      : "<span></span>";
  const html = frame(
    `${plainText(chapter.title)} · ${plainText(index.title)}`,
    `<header><a href="index.html">${renderInline(index.title, source)}</a></header>
<main>
${cells.join("")}</main>
<nav aria-label="Reading order">
${link(chapters[at - 1], "prev", "← Before")}
${link(chapters[at + 1], "next", "Next →")}
</nav>`,
  );
  return checked(html, source);
}

/** Writes the index of the site. */
export function renderIndex(chapters: readonly Chapter[], index: Index): string {
  const source = sourceFor("the index", chapters);
  const items = chapters.map((chapter) => {
    const sentence = firstSentence(chapter.paragraph);
    const at = sourceFor(chapter.path, chapters);
    return `<li><a href="${escapeHtml(chapter.page)}">${renderInline(chapter.title, at)}</a>\n` +
      `${sentence ? renderMarkdown(sentence, at) : ""}</li>`;
  });
  const html = frame(
    plainText(index.title),
    `<main>
<h1>${renderInline(index.title, source)}</h1>
${renderMarkdown(index.introduction, source)}<ol class="index">
${items.join("\n")}
</ol>
</main>`,
  );
  return checked(html, source);
}

function sourceFor(path: string, chapters: readonly Chapter[]): Source {
  let count = 0;
  return {
    where: path,
    folder: dirname(path),
    notebooks: new Set(chapters.map((chapter) => basename(chapter.path))),
    attachments: {},
    unique: () => `figure-${++count}`,
  };
}

function checked(html: string, source: Source): string {
  const requests = requestsOf(html);
  if (requests.length === 0) return html;
  throw siteError(
    source,
    `a page must load and run nothing from elsewhere: got ${requests.join(", ")}`,
  );
}

function frame(title: string, body: string): string {
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<title>${escapeHtml(title)}</title>
<link rel="icon" href="data:,">
<style>
${STYLE}</style>
</head>
<body>
${body}
</body>
</html>
`;
}

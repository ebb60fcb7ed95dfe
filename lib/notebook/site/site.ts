/** Notebooks as web pages that need no network. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readNotebook } from "../document.ts";
import { chapterOf, type Index, renderIndex, renderPage } from "./page.ts";

/** Where a site is written, and what its index says. */
export interface SiteOptions extends Index {
  /** Folder to write into; made when it is not there. */
  out: string;
}

/** A page that was written. */
export interface WrittenPage {
  path: string;
  bytes: number;
}

/**
 * Writes one HTML page a notebook, in the reading order given, and `index.html`. All pages are
 * rendered before the first is written. The same notebooks give the same bytes.
 * @throws for a page that would load something from elsewhere, for a formula that cannot be set,
 * for an image that cannot be read, and for a notebook without a title.
 */
export async function writeSite(
  notebooks: readonly string[],
  options: SiteOptions,
): Promise<WrittenPage[]> {
  const { out, ...index } = options;
  if (notebooks.length === 0) throw new Error("Cannot write a site: needs at least one notebook");
  const chapters = await Promise.all(
    notebooks.map(async (path) => chapterOf(path, await readNotebook(path))),
  );
  const pages = [
    ["index.html", renderIndex(chapters, index)] as const,
    ...chapters.map((chapter) => [chapter.page, renderPage(chapter, chapters, index)] as const),
  ];
  await mkdir(out, { recursive: true });
  return await Promise.all(pages.map(async ([name, html]) => {
    const bytes = new TextEncoder().encode(html);
    await writeFile(join(out, name), bytes);
    return { path: join(out, name), bytes: bytes.length };
  }));
}

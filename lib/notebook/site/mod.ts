/** Notebooks as web pages. A face of its own, so that a notebook that shows values does not load it. */
export { type Opening, opening } from "./markdown.ts";
export { type SiteOptions, writeSite, type WrittenPage } from "./site.ts";
export type { Index } from "./page.ts";

/** Which paragraphs are English prose, and the one form in which they are kept. */

/** Common words that nearly every English sentence has some of. */
const stopWords = new Set(
  ("a an the this that these those it its he she they we you i his her their our your my him them us me " +
    "is are was were be been being am has have had do does did will would can could may might must shall should " +
    "not no nor and or but if then than so as when where which who whom whose what while because " +
    "of in on at by for from to with without into upon over under about after before between through during " +
    "there here all any each some such only also more most other one").split(" "),
);

/** Fewest characters of a paragraph. */
const shortest = 40;
/** Least share of characters that are letters, spaces or basic punctuation. */
const plainShare = 0.85;
/** Least share of words that are stop words. */
const stopShare = 0.18;

const typographic: Readonly<Record<string, string>> = {
  "\u2018": "'",
  "\u2019": "'",
  "\u201C": '"',
  "\u201D": '"',
  "\u2013": "-",
  "\u2014": "--",
  "\u2026": "...",
  "\u00AD": "",
  "\u00B6": "",
};

/**
 * One line: white space runs become one space, and typographic quotes, dashes and dots their ASCII
 * forms, so that the same sentence is the same bytes in every package.
 */
export function tidy(text: string): string {
  return text
    .replace(
      /[\u2018\u2019\u201C\u201D\u2013\u2014\u2026\u00AD\u00B6]/g,
      (char) => typographic[char]!,
    )
    .replace(/[\s\p{Cc}]+/gu, " ")
    .trim();
}

/**
 * Whether a tidied paragraph is English prose: at least 40 characters, of which 85 % are letters,
 * spaces or basic punctuation, and at least 18 % of its words are stop words.
 *
 * ```ts
 * import assert from "node:assert/strict";
 * import { isProse } from "./prose.ts";
 *
 * assert.ok(isProse("The list is sorted by the name of each file, and then by its size."));
 * assert.ok(!isProse("for (let i = 0; i < n; i++) { total += rows[i][0] * 17; }  // sum"));
 * ```
 */
export function isProse(paragraph: string): boolean {
  if (paragraph.length < shortest) return false;
  const plain = paragraph.match(/[A-Za-z .,;:'"!?()-]/g)?.length ?? 0;
  if (plain < plainShare * paragraph.length) return false;
  const words = paragraph.toLowerCase().match(/[a-z]+(?:'[a-z]+)?/g) ?? [];
  const common = words.reduce((count, word) => count + (stopWords.has(word) ? 1 : 0), 0);
  return common > 0 && common >= stopShare * words.length;
}

/** Paragraphs of a file, by the format that a recipe names. */
import { gunzipSync } from "node:zlib";
import { htmlParagraphs } from "./html.ts";
import { swordBlocks } from "./sword.ts";

/**
 * A format: the paragraphs of a file, not yet tidied or chosen. `sibling` reads a file of the same
 * folder.
 */
type Format = (bytes: Uint8Array, sibling: (name: string) => Uint8Array, name: string) => string[];

/** All formats by the name that a recipe uses. */
export const formats = {
  /** Paragraphs between blank lines, or lines without a letter or digit. */
  text: (bytes) => textParagraphs(decode(bytes)),
  html: (bytes) => htmlParagraphs(decode(bytes)),
  /** reStructuredText. */
  rst: (bytes) => rstParagraphs(decode(bytes)),
  /** Perl's documentation. */
  pod: (bytes) => podParagraphs(decode(bytes)),
  /** Every string of a JSON document. */
  json: (bytes) => strings(JSON.parse(decode(bytes))).flatMap((text) => htmlParagraphs(text)),
  /** The glosses of a WordNet data file. */
  wordnet: (bytes) =>
    decode(bytes).split("\n").flatMap((line) => line.split(" | ").slice(1).join(" | ")),
  /** A compressed SWORD module: the file of blocks, beside its index. */
  sword: (bytes, sibling, name) =>
    swordBlocks(bytes, sibling(name.replace(/z$/, "s"))).flatMap((block) =>
      htmlParagraphs(decode(block))
    ),
} satisfies Record<string, Format>;

/** The name of a format. */
export type FormatName = keyof typeof formats;

/** Text of a file in UTF-8, or in windows-1252 where it is not that; gzip is undone. */
function decode(bytes: Uint8Array): string {
  const raw = bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(raw);
  } catch {
    return new TextDecoder("windows-1252").decode(raw);
  }
}

function textParagraphs(text: string): string[] {
  const paragraphs: string[] = [];
  let lines: string[] = [];
  for (const line of [...text.split(/\r?\n/), ""]) {
    if (/[\p{L}\p{N}]/u.test(line)) {
      lines.push(line);
    } else if (lines.length > 0) {
      paragraphs.push(lines.join(" "));
      lines = [];
    }
  }
  return paragraphs;
}

function rstParagraphs(text: string): string[] {
  const plain = text
    .replace(/^[ \t]*\.\.[ \t].*$/gm, "") // directives and comments
    .replace(/^[ \t]*:[\w -]+:.*$/gm, "") // fields
    .replace(/:[\w:-]+:`([^`<]*)(?:<[^>]*>)?`/g, "$1") // roles
    .replace(/``([^`]*)``|`([^`<]*)(?:<[^>]*>)?`__?|\*\*?([^*\n]+)\*\*?/g, "$1$2$3")
    .replace(/::$/gm, ":");
  return textParagraphs(plain);
}

function podParagraphs(text: string): string[] {
  return textParagraphs(text.replace(/^(?:=\w.*|[ \t]+.*)$/gm, "")).map(podText);
}

/** Undoes formatting codes, from the innermost out: C<x>, L<text|name>, E<gt>. */
function podText(paragraph: string): string {
  const named: Record<string, string> = { lt: "<", gt: ">", verbar: "|", sol: "/" };
  let text = paragraph.replace(/E<(\w+)>/g, (_, name: string) => named[name] ?? "");
  for (let before = ""; before !== text;) {
    before = text;
    text = text.replace(
      /[A-Z]<(?:<+ )?([^<>]*)(?: >+)?>/g,
      (_, inner: string) => inner.split("|")[0]!,
    );
  }
  return text;
}

function strings(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(strings);
}

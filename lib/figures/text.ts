/**
 * Text in figures: width, wrapping and inline markup. Written by hand because a document without a
 * browser cannot measure text, and font libraries need a font file on every machine.
 */

/** Widths of the printable ASCII characters of Helvetica in thousandths of the font size (Adobe's metrics). */
const asciiWidths = [
  ...[278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278],
  ...[556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556],
  ...[1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778],
  ...[667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556],
  ...[333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556],
  ...[556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584],
];

/** Scale of a subscript or superscript. */
export const scriptScale = 0.75;

/** A piece of text in one look. */
export interface Run {
  text: string;
  bold: boolean;
  italic: boolean;
  script: "super" | "sub" | "none";
}

/** Width of plain text in pixels, in Helvetica or a font of its widths (Arial, Liberation Sans). */
export function textWidth(text: string, fontSize: number, bold = false): number {
  let sum = 0;
  for (const character of text) {
    sum += asciiWidths[character.codePointAt(0)! - 32] ?? (character === "\u00a0" ? 278 : 600);
  }
  return sum * fontSize * (bold ? 1.07 : 1) / 1000;
}

/** Splits `**bold**`, `*italic*`, `^{superscript}` and `_{subscript}` into runs. */
export function parseRuns(markup: string): Run[] {
  const runs: Run[] = [];
  let bold = false;
  let italic = false;
  for (const token of markup.match(/\*\*|\*|[\^_]\{[^}]*\}|[^*^_]+|[\^_]/gu) ?? []) {
    if (token === "**") bold = !bold;
    else if (token === "*") italic = !italic;
    else if (/^[\^_]\{/.test(token)) {
      const script = token.startsWith("^") ? "super" : "sub";
      runs.push({ text: token.slice(2, -1), bold, italic, script });
    } else runs.push({ text: token, bold, italic, script: "none" });
  }
  return runs;
}

/** The text without its markup: `^{2}` becomes `^2`, a space that does not break becomes a space. */
export function plainText(markup: string): string {
  return parseRuns(markup)
    .map(({ text, script }) => `${script === "super" ? "^" : ""}${text}`)
    .join("").replaceAll("\u00a0", " ");
}

/** Width of runs in pixels. */
export function runsWidth(runs: readonly Run[], fontSize: number): number {
  return runs.reduce(
    (sum, { text, bold, script }) =>
      sum + textWidth(text, fontSize * (script === "none" ? 1 : scriptScale), bold),
    0,
  );
}

/** Breaks markup into lines no wider than `width` pixels; a longer word gets a line of its own. */
export function wrapRuns(markup: string, fontSize: number, width: number): Run[][] {
  const lines: Run[][] = [[]];
  for (const word of splitWords(parseRuns(markup))) {
    const line = lines.at(-1)!;
    const space: Run[] = line.length === 0 ? [] : [{ ...word[0]!, text: " ", script: "none" }];
    if (line.length > 0 && runsWidth([...line, ...space, ...word], fontSize) > width) {
      lines.push([...word]);
    } else line.push(...space, ...word);
  }
  return lines.map(joinRuns);
}

/** Groups runs into words: a word may hold several looks, as in "D^{β}". */
function splitWords(runs: readonly Run[]): Run[][] {
  const words: Run[][] = [];
  let open = false;
  for (const run of runs) {
    run.text.split(/( +)/).forEach((piece) => {
      if (piece === "") return;
      if (piece.trim() === "") open = false;
      else if (open) words.at(-1)!.push({ ...run, text: piece });
      else {
        words.push([{ ...run, text: piece }]);
        open = true;
      }
    });
  }
  return words;
}

function joinRuns(runs: readonly Run[]): Run[] {
  const joined: Run[] = [];
  for (const run of runs) {
    const last = joined.at(-1);
    const same = last !== undefined && last.bold === run.bold && last.italic === run.italic &&
      last.script === run.script;
    if (same) last.text += run.text;
    else joined.push({ ...run });
  }
  return joined;
}

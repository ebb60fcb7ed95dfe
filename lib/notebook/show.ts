/** What a notebook shows: figures, tables, formulas and text, without losing one to the kernel. */
import { display, type Displayable, type MediaBundle } from "./display.ts";
import { formatValue } from "./format.ts";
import { isFrame, table } from "./table.ts";

/** Markdown with LaTeX, made by `md`. */
export interface Markdown extends Displayable {
  markdown: string;
}

/** The Deno kernel of one notebook. */
interface Jupyter {
  display(value: unknown, options: { raw: boolean }): Promise<void>;
}

// JupyterLab's client never lost an output that was followed by 20 ms of silence; with no pause it
// did, because the Deno kernel reports "idle" before its own output queue is empty.
const PAUSE = 20;

// The kernel's stream can break at 8 MB, and a notebook that is kept in git should stay small.
const LARGEST = 1_000_000;

/**
 * Shows a value as the output of a cell: `await show(x)`, at the end of the cell. Takes a figure
 * (anything with `svg`, and perhaps `title` and `caption`), a Polars frame, a `table`, Markdown made
 * by `md`, an object with its own `Symbol.for("Jupyter.display")`, a promise of one of these, or any
 * other value, which it shows as text. Outside Jupyter it prints the text form.
 *
 * Throws a `RangeError` for an output of 1 MB or more.
 */
export async function show(value: unknown): Promise<void> {
  const bundle = await mediaBundle(value);
  const jupyter = kernel();
  if (!jupyter) {
    console.log(bundle["text/plain"]);
    return;
  }
  await jupyter.display(bundle, { raw: true });
  await new Promise((resolve) => setTimeout(resolve, PAUSE));
}

/**
 * Markdown with LaTeX between dollar signs, as a tagged template: backslashes stay as written,
 * numbers are put in with 4 significant digits, and common indentation is dropped.
 *
 * ```ts
 * import assert from "node:assert/strict";
 * import { md } from "./show.ts";
 *
 * assert.equal(md`$\beta = ${0.52514}$`.markdown, "$\\beta = 0.5251$");
 * ```
 */
export function md(strings: TemplateStringsArray, ...values: unknown[]): Markdown {
  const parts = strings.raw.map((part) => part.replaceAll("\\`", "`").replaceAll("\\$", "$"));
  const indents = parts.join("\0").match(/\n[ \t]*(?=\S)/g) ?? [];
  const indent = Math.min(...indents.map((line) => line.length - 1));
  const flush = Number.isFinite(indent)
    ? parts.map((part) => part.replaceAll(new RegExp(`\n[ \t]{0,${indent}}`, "g"), "\n"))
    : parts;
  const text = flush.map((part, i) => i === 0 ? part : formatInline(values[i - 1]) + part).join("");
  return markdown(text.trim());
}

/** Markdown with LaTeX from a string. `plain` is the form outside a notebook, the same if left out. */
export function markdown(text: string, plain: string = text): Markdown {
  return {
    markdown: text,
    [display]: () => ({ "text/markdown": text, "text/plain": plain }),
  };
}

/** The forms in which `show` displays a value. */
export async function mediaBundle(given: unknown): Promise<MediaBundle> {
  const value = await given;
  const bundle = await forms(value);
  const bytes = new TextEncoder().encode(JSON.stringify(bundle)).length;
  if (bytes >= LARGEST) {
    throw new RangeError(
      `Cannot show the output: needs less than 1 MB: got ${bytes} bytes of ` +
        `${Object.keys(bundle).join(" and ")}; show fewer points or rows`,
    );
  }
  return bundle;
}

async function forms(value: unknown): Promise<MediaBundle> {
  if (isFrame(value)) value = table(value);
  if (typeof value !== "object" || value === null) return { "text/plain": plainText(value) };
  const x = value as Record<PropertyKey, unknown>;
  if (typeof x[display] === "function") {
    const own = await (value as Displayable)[display]();
    return { ...own, "text/plain": own["text/plain"] ?? plainText(value) };
  }
  if (typeof x.svg === "string") {
    const words = [x.title, x.caption].filter((text) => typeof text === "string" && text !== "");
    return { "image/svg+xml": x.svg, "text/plain": words.join("\n") || "Figure" };
  }
  return { "text/plain": plainText(value) };
}

function plainText(value: unknown): string {
  return typeof value === "string" ? value : Deno.inspect(value, { depth: 4, sorted: false });
}

function formatInline(value: unknown): string {
  const x = value as Partial<Markdown> | undefined | null;
  return typeof x?.markdown === "string" ? x.markdown : formatValue(value);
}

/** The kernel's own functions in Jupyter, nothing outside: there Deno throws on a mere look. */
function kernel(): Jupyter | undefined {
  try {
    return (Deno as unknown as { jupyter: Jupyter }).jupyter;
  } catch {
    return undefined;
  }
}

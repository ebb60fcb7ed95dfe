/** Finds the line of a cell at which an error arose. */

import { SourceMap } from "node:module";
import { join } from "node:path";
import { runDeno } from "./deno.ts";
import type { CellError } from "./outputs.ts";

/** The kernel puts a text of this length before the first line of a cell. */
const PREFIX = '"use strict"; void 0;'.length;

/** A place in a cell. */
export interface Place {
  /** The line of the cell, counted from 1. */
  line: number;
  /** What a parser says, if the cell cannot be parsed. */
  message?: string;
}

/**
 * The line of a cell's source that an error came from. The kernel counts the lines of the
 * JavaScript that it made of the cell; `deno transpile` makes the same, and a map back. It also
 * says why a cell cannot be parsed, which the kernel does not.
 * @returns nothing if the stack does not lead into the cell.
 */
export async function locate(source: string, error: CellError): Promise<Place | undefined> {
  const folder = await Deno.makeTempDir({ prefix: "cell-" });
  try {
    await Deno.writeTextFile(join(folder, "cell.ts"), source);
    // The kernel keeps imports that nothing uses.
    const config = '{ "compilerOptions": { "verbatimModuleSyntax": true } }';
    await Deno.writeTextFile(join(folder, "deno.json"), config);
    const args = ["transpile", "--quiet", "--source-map", "inline", "cell.ts"];
    const { ok, stdout, stderr } = await runDeno(args, { cwd: folder });
    return ok ? mapBack(stdout, error.traceback) : parserMessage(stderr);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function mapBack(script: string, traceback: readonly string[]): Place | undefined {
  // The outermost frame of a cell is this cell; inner ones can be functions of earlier cells.
  const frame = traceback.findLast((line) => /<anonymous>:\d+:\d+\)?$/.test(line));
  const [, line, column] = frame?.match(/:(\d+):(\d+)\)?$/) ?? [];
  const [, encoded] = script.match(/sourceMappingURL=data:application\/json;base64,(\S+)/) ?? [];
  if (!line || !column || !encoded) return undefined;
  const map = new SourceMap(JSON.parse(new TextDecoder().decode(Uint8Array.fromBase64(encoded))));
  const start = line === "1" ? Math.max(0, Number(column) - 1 - PREFIX) : Number(column) - 1;
  const entry = map.findEntry(Number(line) - 1, start);
  return "originalLine" in entry ? { line: entry.originalLine + 1 } : undefined;
}

function parserMessage(text: string): Place | undefined {
  const [, message] = text.match(/^error: (?:SyntaxError: )?(.*)$/m) ?? [];
  const [, line] = text.match(/cell\.ts:(\d+):\d+$/m) ?? [];
  return message && line ? { line: Number(line), message } : undefined;
}

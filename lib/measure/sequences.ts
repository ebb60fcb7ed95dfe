/** Sequences of tokens taken from texts. */
import { createHash } from "node:crypto";
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import type { Sequences } from "./quantize_model.ts";

/** Which sequences of a file of text are taken. Its bytes are the tokens. */
export interface TextSequences {
  /** What the text is called in tables. */
  readonly name: string;
  readonly file: string;
  /** Positions in a sequence: one byte more is read. */
  readonly length: number;
  readonly sequences: number;
  /** Drawn at random from all sequences in the text that do not overlap; evenly spaced from start to end without. */
  readonly seed?: number;
}

/** Sequences and what identifies them. */
export interface ReadSequences extends Sequences {
  /** SHA-256 of the tokens. */
  readonly sha256: string;
  /** Bytes from the start of one sequence to that of the next; of random ones, at least. */
  readonly stride: number;
}

/** Reads sequences. Throws when the text is shorter than they are without overlap. */
export function readSequences(text: TextSequences): ReadSequences {
  const { file, length, sequences, seed } = text;
  const handle = openText(file);
  try {
    const { size } = fstatSync(handle);
    const windows = Math.floor((size - 1) / length);
    if (windows < sequences) {
      throw new Error(
        `Cannot take ${sequences} sequences of ${length} bytes from ${file}: ` +
          `needs ${sequences * length + 1} bytes: got ${size}`,
      );
    }
    const even = Math.floor((size - 1 - length) / Math.max(1, sequences - 1));
    const stride = seed === undefined ? even : length;
    const starts = seed === undefined
      ? Array.from({ length: sequences }, (_, i) => i * even)
      : drawn(sequences, { of: windows, seed }).map((window) => window * length);
    const tokens = new Uint8Array(sequences * (length + 1));
    starts.forEach((start, i) => {
      const row = tokens.subarray(i * (length + 1), (i + 1) * (length + 1));
      if (readSync(handle, row, 0, row.length, start) !== row.length) {
        throw new Error(`Cannot read ${file}: it was cut while it was read`);
      }
    });
    const sha256 = createHash("sha256").update(tokens).digest("hex");
    return { tokens, length, sha256, stride };
  } finally {
    closeSync(handle);
  }
}

function openText(file: string): number {
  try {
    return openSync(file, "r");
  } catch (error) {
    throw new Error(`Cannot read the text ${file}: ${(error as Error).message}`, { cause: error });
  }
}

/** So many different numbers below `of`, in the order in which they are drawn. */
function drawn(count: number, { of, seed }: { of: number; seed: number }): number[] {
  const random = xoroshiro128plus(seed);
  const found = new Set<number>();
  while (found.size < count) found.add(uniformInt(random, 0, of - 1));
  return [...found];
}

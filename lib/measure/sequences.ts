/** Sequences of tokens taken from texts. */
import { createHash } from "node:crypto";
import { closeSync, fstatSync, openSync, readFileSync, readSync } from "node:fs";
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import type { Tokenizer } from "../model/mod.ts";
import type { Sequences } from "./quantize_model.ts";

/** Which sequences of a file of text are taken. */
export interface TextSequences {
  /** What the text is called in tables. */
  readonly name: string;
  readonly file: string;
  /** Positions in a sequence: one token more is read. */
  readonly length: number;
  readonly sequences: number;
  /** Drawn at random; evenly spaced from start to end without. */
  readonly seed?: number;
  /**
   * Tokens from the start of one sequence to that of the next, from the start of the text on. Where it is shorter than a
   * sequence, the loss is taken on the last `stride` positions, and the others are context.
   */
  readonly stride?: number;
  /** The part of the text that is taken, such as [0.25, 1]; all of it when left out. */
  readonly part?: readonly [from: number, to: number];
}

/** Sequences and what identifies them. */
export interface ReadSequences extends Sequences {
  /** SHA-256 of the tokens. */
  readonly sha256: string;
  /** Tokens from the start of one sequence to that of the next; of random ones, at least. */
  readonly stride: number;
  /** How many there are. */
  readonly sequences: number;
  /** Bytes of UTF-8 that a predicted token stands for, on average. */
  readonly bytesPerToken: number;
}

/**
 * Reads sequences of bytes, each of which is a token. Random ones do not overlap. Throws when the text is shorter than they
 * are without overlap.
 */
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
    const stride = seed === undefined ? text.stride ?? even : length;
    const starts = seed === undefined
      ? Array.from({ length: sequences }, (_, i) => i * stride)
      : drawn(sequences, { of: windows, seed }).map((window) => window * length);
    if (seed === undefined && stride > even) {
      throw new Error(
        `Cannot take ${sequences} sequences of ${length} bytes, ${stride} apart, from ${file}: ` +
          `needs ${(sequences - 1) * stride + length + 1} bytes: got ${size}`,
      );
    }
    const tokens = new Uint8Array(sequences * (length + 1));
    starts.forEach((start, i) => {
      const row = tokens.subarray(i * (length + 1), (i + 1) * (length + 1));
      if (readSync(handle, row, 0, row.length, start) !== row.length) {
        throw new Error(`Cannot read ${file}: it was cut while it was read`);
      }
    });
    const sha256 = createHash("sha256").update(tokens).digest("hex");
    const counted = sequences === 1 ? length : Math.min(length, stride);
    return { tokens, length, counted, sha256, stride, sequences, bytesPerToken: 1 };
  } finally {
    closeSync(handle);
  }
}

/**
 * Reads sequences of a tokenizer's tokens, at most as many as are asked for: as many as the text has. Random ones may
 * start at any token, as in Optimum's calibration sets, and may overlap. Throws when the text has no whole sequence.
 */
export function readTokenSequences(text: TextSequences, tokenizer: Tokenizer): ReadSequences {
  const { file, length, seed } = text;
  const ids = tokenizer.encode(textOf(text));
  const windows = Math.floor((ids.length - 1) / length);
  if (windows < 1) {
    throw new Error(
      `Cannot take a sequence of ${length} tokens from ${file}: needs ${
        length + 1
      } tokens: got ${ids.length}`,
    );
  }
  let { sequences, stride = 0 } = text;
  let starts: number[];
  if (seed !== undefined) {
    const random = xoroshiro128plus(seed);
    stride = 1;
    starts = Array.from(
      { length: sequences },
      () => uniformInt(random, 0, ids.length - 1 - length),
    );
  } else {
    const last = ids.length - 1 - length;
    sequences = Math.min(sequences, stride > 0 ? Math.floor(last / stride) + 1 : windows);
    stride ||= Math.floor(last / Math.max(1, sequences - 1));
    starts = Array.from({ length: sequences }, (_, i) => i * stride);
  }
  const counted = seed === undefined && sequences > 1 ? Math.min(length, stride) : length;
  const tokens = new Int32Array(sequences * (length + 1));
  let bytes = 0;
  starts.forEach((start, i) => {
    tokens.set(ids.subarray(start, start + length + 1), i * (length + 1));
    for (let at = start + length + 1 - counted; at < start + length + 1; at++) {
      bytes += tokenizer.bytes[ids[at]!]!;
    }
  });
  const sha256 = createHash("sha256").update(new Uint8Array(tokens.buffer)).digest("hex");
  const bytesPerToken = bytes / (sequences * counted);
  return { tokens, length, counted, sha256, stride, sequences, bytesPerToken };
}

/** SHA-256 of a file of text. */
export function textHash(file: string): string {
  return createHash("sha256").update(readText(file)).digest("hex");
}

/** The part of a text that is taken, from the start of a line on where it is not the whole. */
function textOf({ file, part: [from, to] = [0, 1] }: TextSequences): string {
  const bytes = readText(file);
  const place = (part: number) => {
    if (part === 0 || part === 1) return part * bytes.length;
    const at = Math.floor(part * bytes.length);
    const line = bytes.indexOf(10, at) + 1;
    if (line > 0) return line;
    // No line ends: the next byte that begins a character.
    let start = at;
    while (start < bytes.length && (bytes[start]! & 0xc0) === 0x80) start++;
    return start;
  };
  return new TextDecoder().decode(bytes.subarray(place(from), place(to)));
}

function readText(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new Error(`Cannot read the text ${file}: ${(error as Error).message}`, { cause: error });
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

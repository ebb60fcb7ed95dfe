/** Texts to train and to test on, from paragraphs: each once, and chunks held out by their hash. */
import { hash } from "node:crypto";
import { join } from "node:path";
import { TextWriter, type WrittenText } from "./text_writer.ts";

/** The texts of a corpus, each one file in its folder. */
export const textFiles = {
  train: "train.txt",
  inDomain: "in_domain.txt",
  outOfDomain: "out_of_domain.txt",
} as const;

/** Which text. */
export type TextName = keyof typeof textFiles;

/** How chunks are held out. */
export interface HoldOut {
  /** A chunk is closed when it has this many bytes. */
  readonly chunkBytes: number;
  /** Share of chunks that make the test text of the same domain. */
  readonly heldOut: number;
}

/** What was kept of a source. */
export interface Kept {
  /** Paragraphs that stood in no earlier source. */
  readonly paragraphs: number;
  readonly bytes: number;
}

/**
 * Takes in sources of paragraphs, one after the other. A paragraph that was seen before is dropped.
 * What is out of domain comes first, so that none of it is trained on.
 */
export class Assembly {
  readonly #options: HoldOut;
  readonly #writers: Readonly<Record<TextName, TextWriter>>;
  readonly #seen = new Set<string>();
  /** The chunk with the smallest hash, held back while no chunk has been held out. */
  #fallback: { chunk: string; order: number } | undefined;
  #heldOut = 0;

  constructor(folder: string, options: HoldOut) {
    this.#options = options;
    const writer = (name: TextName) => new TextWriter(join(folder, textFiles[name]));
    this.#writers = {
      train: writer("train"),
      inDomain: writer("inDomain"),
      outOfDomain: writer("outOfDomain"),
    };
  }

  addOutOfDomain(paragraphs: Iterable<string>): Kept {
    return this.#add(paragraphs, (chunk) => this.#writers.outOfDomain.write(chunk));
  }

  addTraining(paragraphs: Iterable<string>): Kept {
    return this.#add(paragraphs, (chunk) => this.#place(chunk));
  }

  /**
   * Makes the texts durable and moves them to their places.
   * @throws if there is nothing to train on.
   */
  finish(): Record<TextName, WrittenText> {
    if (this.#fallback) this.#writers.inDomain.write(this.#fallback.chunk);
    const { train, inDomain, outOfDomain } = this.#writers;
    const written = {
      train: train.close(),
      inDomain: inDomain.close(),
      outOfDomain: outOfDomain.close(),
    };
    if (written.train.bytes === 0) {
      const { chunkBytes } = this.#options;
      throw new Error(`Cannot split the text: needs more than one chunk of ${chunkBytes} bytes`);
    }
    for (const writer of [train, inDomain, outOfDomain]) writer.commit();
    return written;
  }

  /** Removes what has been written. */
  discard(): void {
    for (const writer of Object.values(this.#writers)) writer.discard();
  }

  /** Chunks hold whole paragraphs, a line each; no chunk has two sources. */
  #add(paragraphs: Iterable<string>, take: (chunk: string) => void): Kept {
    let count = 0;
    let bytes = 0;
    let lines: string[] = [];
    let chunkBytes = 0;
    const close = () => {
      if (lines.length > 0) take(lines.join(""));
      bytes += chunkBytes;
      lines = [];
      chunkBytes = 0;
    };
    for (const paragraph of paragraphs) {
      const key = hash("sha256", paragraph, "base64").slice(0, 22);
      if (this.#seen.has(key)) continue;
      this.#seen.add(key);
      count++;
      const line = `${paragraph}\n`;
      lines.push(line);
      chunkBytes += new TextEncoder().encode(line).length;
      if (chunkBytes >= this.#options.chunkBytes) close();
    }
    close();
    return { paragraphs: count, bytes };
  }

  /** A chunk is held out when its hash, as a number from 0 to 1, is below the share. */
  #place(chunk: string): void {
    const { heldOut } = this.#options;
    const order = parseInt(hash("sha256", chunk, "hex").slice(0, 12), 16) / 2 ** 48;
    const { train, inDomain } = this.#writers;
    const before = this.#fallback;
    if (order < heldOut) {
      inDomain.write(chunk);
      this.#heldOut++;
      this.#fallback = undefined;
    } else if (heldOut > 0 && this.#heldOut === 0 && order < (before?.order ?? 1)) {
      this.#fallback = { chunk, order };
    } else {
      return train.write(chunk);
    }
    if (before) train.write(before.chunk);
  }
}

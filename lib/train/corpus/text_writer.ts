/** A text file that appears under its name only when it is whole. */
import { createHash } from "node:crypto";
import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/** What was written. */
export interface WrittenText {
  readonly bytes: number;
  /** SHA-256 of the bytes. */
  readonly sha256: string;
}

const bufferBytes = 1 << 20;

/** Writes text beside its final place, counts and hashes it, and moves it there when told. */
export class TextWriter {
  readonly #path: string;
  readonly #partial: string;
  readonly #hash = createHash("sha256");
  #file: number | undefined;
  #waiting: string[] = [];
  #waitingLength = 0;
  #bytes = 0;

  constructor(path: string) {
    this.#path = path;
    this.#partial = join(dirname(path), `.${basename(path)}.partial`);
    mkdirSync(dirname(path), { recursive: true });
    this.#file = openSync(this.#partial, "w");
  }

  write(text: string): void {
    this.#waiting.push(text);
    this.#waitingLength += text.length;
    if (this.#waitingLength >= bufferBytes) this.#flush();
  }

  /** Makes the text durable; it stays beside its place. */
  close(): WrittenText {
    this.#flush();
    fsyncSync(this.#file!);
    closeSync(this.#file!);
    this.#file = undefined;
    return { bytes: this.#bytes, sha256: this.#hash.digest("hex") };
  }

  /** Moves the closed text to its place. */
  commit(): void {
    renameSync(this.#partial, this.#path);
  }

  /** Removes what has been written and not been moved. */
  discard(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
    rmSync(this.#partial, { force: true });
  }

  #flush(): void {
    const bytes = new TextEncoder().encode(this.#waiting.join(""));
    this.#waiting = [];
    this.#waitingLength = 0;
    this.#hash.update(bytes);
    this.#bytes += bytes.length;
    try {
      for (let done = 0; done < bytes.length;) {
        done += writeSync(this.#file!, bytes, done);
      }
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(`Cannot write ${this.#path}: ${reason}`, { cause: error });
    }
  }
}

/** The log of a run: one row a step, for figures. No clock is in it, so that it too is the same bytes. */
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { naming } from "./naming.ts";

/** One step. */
export interface LogRow {
  /** Steps done, this one with them. */
  readonly step: number;
  /** Tokens seen. */
  readonly tokens: number;
  readonly learningRate: number;
  /** Mean over the step's batch before the update, nats per token. */
  readonly loss: number;
  /** Norm of the gradient of all parameters before it was clipped. */
  readonly gradientNorm: number;
}

const header = "step,tokens,learning_rate,loss,gradient_norm\n";

/** Appends rows to a file. Rows after the state from which a run goes on are dropped. */
export class TrainingLog implements Disposable {
  readonly #path: string;
  readonly #file: number;
  #waiting = "";

  /** @param rows how many rows the state knows of. */
  constructor(path: string, rows: number) {
    this.#path = path;
    const lines = existsSync(path) ? readFileSync(path, "utf8").split("\n").slice(1, -1) : [];
    if (lines.length < rows) {
      throw new Error(
        `Cannot go on with ${path}: needs at least ${rows} rows: got ${lines.length}`,
      );
    }
    const kept = lines.slice(0, rows).map((line) => `${line}\n`).join("");
    const partial = `${path}.partial`;
    this.#file = naming(path, () => {
      writeFileSync(partial, header + kept);
      renameSync(partial, path);
      return openSync(path, "a");
    });
  }

  add({ step, tokens, learningRate, loss, gradientNorm }: LogRow): void {
    const numbers = [learningRate, loss, gradientNorm].map((value) => value.toPrecision(7));
    this.#waiting += `${[step, tokens, ...numbers].join(",")}\n`;
  }

  /** Makes all rows durable. */
  save(): void {
    naming(this.#path, () => {
      const bytes = new TextEncoder().encode(this.#waiting);
      for (let done = 0; done < bytes.length;) done += writeSync(this.#file, bytes, done);
      this.#waiting = "";
      fsyncSync(this.#file);
    });
  }

  [Symbol.dispose](): void {
    closeSync(this.#file);
  }
}

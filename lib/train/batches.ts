/** The order in which a text is trained on. */
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

/** How a text is cut. */
export interface BatchOptions {
  /** Bytes that a sequence predicts. */
  readonly context: number;
  /** Sequences a step. */
  readonly sequences: number;
  /** Seed of the order. */
  readonly seed: number;
}

/**
 * A text in windows of `context` predicted bytes, each of which comes once an epoch, in an order
 * that is drawn from the seed. Any step's batch can be asked for, so the position in the data is the
 * number of the step.
 */
export class Batches {
  readonly #text: Uint8Array;
  readonly #options: BatchOptions;
  readonly #order: Uint32Array;

  constructor(text: Uint8Array, options: BatchOptions) {
    this.#text = text;
    this.#options = options;
    const windows = Math.max(0, Math.floor((text.length - 1) / options.context));
    this.#order = shuffled(windows, options.seed);
  }

  /** Steps of one epoch. */
  get steps(): number {
    return Math.floor(this.#order.length / this.#options.sequences);
  }

  /** The bytes of a step, [sequences, context + 1]: the last of a row is predicted only. */
  at(step: number): Uint8Array {
    const { context, sequences } = this.#options;
    if (!(step >= 0 && step < this.steps)) {
      throw new Error(`Cannot take batch ${step}: one epoch of the text has ${this.steps}`);
    }
    const rows = new Uint8Array(sequences * (context + 1));
    for (let row = 0; row < sequences; row++) {
      const start = this.#order[step * sequences + row]! * context;
      rows.set(this.#text.subarray(start, start + context + 1), row * (context + 1));
    }
    return rows;
  }
}

/** 0 to count - 1 in an order drawn from the seed (Fisher and Yates). */
function shuffled(count: number, seed: number): Uint32Array {
  const random = xoroshiro128plus(seed);
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = uniformInt(random, 0, i);
    const kept = order[i]!;
    order[i] = order[j]!;
    order[j] = kept;
  }
  return order;
}

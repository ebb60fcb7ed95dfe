import type { ModelConfig } from "./config.ts";

/** Token ids, row after row; bytes for a model of bytes. */
export type Tokens = Uint8Array | Int32Array;

/** How rows of tokens are laid out. */
export interface RowLayout {
  /** Positions in a row. */
  length: number;
  /**
   * 1 when each row holds one token more than positions: each position's target is the next token.
   */
  shift: 0 | 1;
}

/**
 * Splits rows of length + 1 tokens into inputs and targets, [sequences, length] each. Throws when
 * the tokens do not fit.
 */
export function splitTokens(
  config: ModelConfig,
  tokens: Tokens,
  length: number,
): { inputs: Int32Array; targets: Int32Array } {
  const sequences = countRows(config, tokens, { length, shift: 1 });
  const inputs = new Int32Array(sequences * length);
  const targets = new Int32Array(sequences * length);
  for (let row = 0; row < sequences; row++) {
    const start = row * (length + 1);
    inputs.set(tokens.subarray(start, start + length), row * length);
    targets.set(tokens.subarray(start + 1, start + length + 1), row * length);
  }
  return { inputs, targets };
}

/** How many rows there are. Throws when some tokens are left over, or an id is out of range. */
export function countRows(
  config: ModelConfig,
  tokens: Tokens,
  { length, shift }: RowLayout,
): number {
  const task = "Cannot run the model";
  if (!(Number.isInteger(length) && length >= 1 && length <= config.context)) {
    throw new RangeError(
      `${task}: length must be a whole number from 1 to the context ${config.context}: got ${length}`,
    );
  }
  const row = length + shift;
  if (tokens.length === 0 || tokens.length % row !== 0) {
    throw new RangeError(
      `${task}: needs rows of ${row} tokens${shift ? " (one more than is predicted)" : ""}: ` +
        `got ${tokens.length} tokens`,
    );
  }
  const wrong = tokens.findIndex((id) => id < 0 || id >= config.vocabulary);
  if (wrong >= 0) {
    throw new RangeError(
      `${task}: token ids must be from 0 to ${config.vocabulary - 1}: got ${
        tokens[wrong]
      } at ${wrong}`,
    );
  }
  return tokens.length / row;
}

/** Inputs that are the same everywhere: those that the package's own licence gives the matrices. */
import { encoderInputs } from "./forward.ts";
import { tokenize } from "./pieces.ts";
import { packageFile } from "./weights.ts";
import type { Matrix } from "../quantize/mod.ts";

/** The inputs of each matrix but the embeddings, by its name, [tokens, in]. */
export type EncoderInputs = Readonly<Record<string, Matrix>>;

/** One text in two parts. */
export interface LicenceInputs {
  /** From the first half, to calibrate on. */
  readonly calibration: EncoderInputs;
  /** From the second half, to measure on. */
  readonly test: EncoderInputs;
}

const length = 128;
const sequences = 10;

let found: LicenceInputs | undefined;

/**
 * The inputs that the licence of the encoder's package gives, computed once: Apache-2.0, in two
 * halves of 10 sequences of 128 tokens each.
 */
export function licenceInputs(): LicenceInputs {
  return found ??= measure();
}

function measure(): LicenceInputs {
  const tokens = tokenize(new TextDecoder().decode(packageFile("LICENSE")));
  const half = (first: number) =>
    encoderInputs(
      Array.from({ length: sequences }, (_, i) =>
        tokens.slice((first + i) * length, (first + i + 1) * length)),
    );
  return { calibration: half(0), test: half(sequences) };
}

/**
 * FP4 as bitsandbytes has it: not the e2m1 of MX (that is `mxfp4`), but 0, 1/192 and the numbers 2, 3,
 * 4, 6, 8 and 12 over 12.
 */
import {
  type Codebook,
  codebookGrid,
  type CodebookOptions,
  codebookOptions,
  justBelow,
  roundFlattened,
} from "./codebook.ts";
import type { Grid } from "./grid.ts";
import { defineMethod } from "./method.ts";

/** Magnitudes, ascending, and the low three bits of their codes. */
const magnitudes = [0, 5.208333333e-03, 0.16666667, 0.25, 0.33333333, 0.5, 0.66666667, 1];
const magnitudeCodes = [0b000, 0b001, 0b110, 0b111, 0b100, 0b101, 0b010, 0b011];

/** Up to and including which magnitude each goes: the midpoints, in the digits of bitsandbytes. */
const bounds = [0.00260417, 0.0859375, 0.20833333, 0.29166667, 0.4166667, 0.583333, 0.8333333];

const codebook: Codebook = {
  name: "fp4",
  bits: 4,
  levels: Float32Array.from([...magnitudes.slice(1).reverse().map((x) => -x), ...magnitudes]),
  // A tie goes towards zero: up on the negative side.
  thresholds: Float32Array.from([
    ...bounds.toReversed().map((bound) => justBelow(-Math.fround(bound))),
    ...bounds,
  ]),
  codes: Uint8Array.from([
    ...magnitudeCodes.slice(1).reverse().map((code) => code + 0b1000),
    ...magnitudeCodes,
  ]),
};

/**
 * The grid of FP4: the code of a weight is its sign bit and three bits of magnitude. A negative weight
 * that rounds to zero takes the code 0; the CUDA kernel of bitsandbytes gives it 8, which is -0.
 */
export function fp4Grid(options: CodebookOptions): Grid {
  return codebookGrid(codebook, options);
}

/** Rounding to FP4 in blocks of the flattened matrix. */
export const fp4 = defineMethod({
  name: "fp4",
  title: "FP4 (bitsandbytes)",
  source: "bitsandbytes functional.py and csrc/kernels.cu",
  needs: "nothing",
  options: codebookOptions,
  presets: {},
  run: (weights, options) => roundFlattened(weights, fp4Grid(options)),
});

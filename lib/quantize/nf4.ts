/** NF4, the 4-bit NormalFloat of QLoRA, as bitsandbytes has it. */
import {
  type Codebook,
  codebookGrid,
  type CodebookOptions,
  codebookOptions,
  roundFlattened,
} from "./codebook.ts";
import type { Grid } from "./grid.ts";
import { defineMethod } from "./method.ts";

/** Quantiles of the normal distribution, scaled to -1 and 1, with 0 among them. */
const levels = Float32Array.of(
  -1,
  -0.6961928009986877,
  -0.5250730514526367,
  -0.39491748809814453,
  -0.28444138169288635,
  -0.18477343022823334,
  -0.09105003625154495,
  0,
  0.07958029955625534,
  0.16093020141124725,
  0.24611230194568634,
  0.33791524171829224,
  0.44070982933044434,
  0.5626170039176941,
  0.7229568362236023,
  1,
);

const codebook: Codebook = {
  name: "nf4",
  bits: 4,
  levels,
  // The midpoints, in float32; a tie goes down.
  thresholds: Float32Array.from({ length: 15 }, (_, i) => (levels[i]! + levels[i + 1]!) / 2),
};

/** The grid of NF4: the code of a weight is its level's index, 0 for -1 to 15 for 1. */
export function nf4Grid(options: CodebookOptions): Grid {
  return codebookGrid(codebook, options);
}

/** Rounding to NF4 in blocks of the flattened matrix. */
export const nf4 = defineMethod({
  name: "nf4",
  title: "NF4 (4-bit NormalFloat)",
  source: "QLoRA (arXiv 2305.14314), bitsandbytes functional.py and csrc/kernels.cu",
  needs: "nothing",
  options: codebookOptions,
  presets: {},
  run: (weights, options) => roundFlattened(weights, nf4Grid(options)),
});

/** Codebooks: grids whose levels are listed in a table rather than evenly spaced. */
import { doubleQuantization } from "./double_quantization.ts";
import { type FindScales, type Grid, largestOf } from "./grid.ts";
import type { Encoded, Matrix, OptionSchema, OptionsOf } from "./method.ts";
import { roundToGrid } from "./rtn.ts";

/** The levels of a format at scale 1, and where one gives way to the next. */
export interface Codebook {
  readonly name: string;
  /** Bits of a code. */
  readonly bits: number;
  /** Ascending. */
  readonly levels: Float32Array;
  /** Level i goes up to and including thresholds[i]; one fewer than levels. */
  readonly thresholds: Float32Array;
  /** The format's code of each level, when it is not the level's index. */
  readonly codes?: Uint8Array;
}

/** The options of the 4-bit formats of bitsandbytes. */
export const codebookOptions = {
  block: {
    kind: "integer",
    default: 64,
    minimum: 1,
    maximum: Number.MAX_SAFE_INTEGER,
    meaning: "consecutive weights of the flattened matrix that share a scale",
  },
  double: {
    kind: "flag",
    default: false,
    meaning: "keep the scales in 8 bits (double quantization) instead of float32",
  },
} as const satisfies OptionSchema;

export type CodebookOptions = OptionsOf<typeof codebookOptions>;

/**
 * The grid of a codebook whose scale is the greatest absolute value of a block, so that the block
 * spans -1 to 1. A block of zeros gives zeros.
 *
 * Source: QLoRA (arXiv 2305.14314).
 */
export function codebookGrid(codebook: Codebook, options: CodebookOptions): Grid {
  const { name, bits, levels, thresholds, codes } = codebook;
  return {
    name,
    bits,
    group: options.block,
    ragged: true,
    microBlocks: false,
    steps: { levels, thresholds, codes },
    find: findLargest,
    store: options.double ? doubleQuantization : keepFloat32,
  };
}

/**
 * Rounds the rows of a matrix as one: a block may reach from one row into the next.
 *
 * What is looked up is a weight times the rounded 1 / scale, as in bitsandbytes; on a general grid
 * it is weight / scale, which can differ in the last bit.
 *
 * Source: bitsandbytes csrc/kernels.cu (kQuantizeBlockwise).
 */
export function roundFlattened({ rows, columns, data }: Matrix, grid: Grid): Encoded {
  const flat = { rows: 1, columns: rows * columns, data };
  const group = Math.min(grid.group, data.length);
  return roundToGrid(flat, { ...grid, group }, (scale) => 1 / scale);
}

/** The float32 below `value`: a threshold there sends a tie at `value` to the upper level. */
export function justBelow(value: number): number {
  const bits = new Int32Array(Float32Array.of(value).buffer);
  if (value === 0) return -(2 ** -149);
  // The bits of a float ascend with its magnitude.
  bits[0]! += value > 0 ? -1 : 1;
  return new Float32Array(bits.buffer)[0]!;
}

/** The scale of a block of zeros: as near to zero as a divisor can be. */
const scaleOfZeros = 2 ** -149;

const findLargest: FindScales = (values, width, scale) => {
  const largest = largestOf(values, width);
  for (let group = 0; group < scale.length; group++) scale[group] = largest[group] || scaleOfZeros;
};

function keepFloat32(scales: Float32Array): ReturnType<Grid["store"]> {
  return { scales, parts: [{ name: "scales", values: scales, bits: 32 }] };
}

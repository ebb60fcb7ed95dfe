/**
 * MX block formats: elements of 2 to 8 bits that share a power of two. A name such as mxint3_128 in
 * the literature is `mxint3:block=128` here.
 */
import { justBelow } from "./codebook.ts";
import { decodeElement, type Element, elements, encodeElement, type Rounding } from "./elements.ts";
import { type Grid, largestOf, type Steps } from "./grid.ts";
import type { MakeGrid } from "./grids.ts";
import { defineMethod, type Method } from "./method.ts";
import { roundToGrid } from "./rtn.ts";

/** Options of an MX format. */
export interface MxOptions {
  /** Consecutive weights of a row that share an exponent; a row's last block may be shorter. */
  readonly block: number;
  /** What becomes of a weight halfway between two elements. */
  readonly rounding: Rounding;
}

/** The element of each MX format. */
export const mxElements = {
  mxint2: elements.int2,
  mxint3: elements.int3,
  mxint4: elements.int4,
  mxint5: elements.int5,
  mxint6: elements.int6,
  mxint7: elements.int7,
  mxint8: elements.int8,
  mxfp4: elements.fp4_e2m1,
  mxfp6_e2m3: elements.fp6_e2m3,
  mxfp6_e3m2: elements.fp6_e3m2,
  mxfp8_e4m3: elements.fp8_e4m3,
  mxfp8_e5m2: elements.fp8_e5m2,
} as const satisfies Record<string, Element>;

export type MxName = keyof typeof mxElements;

const names = Object.keys(mxElements) as MxName[];

/** The code of a scale that is not a number. */
const nanScale = 255;

/**
 * The E8M0 code (exponent + 127) of the scale of a block whose greatest absolute value is `largest`, a
 * float32: floor(log2 largest) less the exponent of the element's greatest value, and at least -127.
 * A block of zeros has -127. Infinity and NaN give 255, which is NaN.
 */
export function scaleCode(largest: number, element: Element): number {
  const field = exponentField(largest);
  return field === nanScale ? nanScale : Math.max(field - element.largestExponent, 0);
}

/** The value of an E8M0 code: 2^(code - 127), or NaN for 255. */
export function decodeScale(code: number): number {
  return scaleOf[code]!;
}

/** Looked up, because a power takes longer. */
const scaleOf = Float32Array.from({ length: 256 }, (_, i) => i === nanScale ? NaN : 2 ** (i - 127));

/**
 * The grid of an MX format: the elements of `element` times a shared power of two. An element beyond
 * the greatest saturates. What rounds to zero has the code 0: there is no -0.
 *
 * Source: OCP Microscaling Formats (MX) v1.0, section 6.3; microsoft/microxcaling mx/mx_ops.py, whose
 * "nearest" is `rounding` "away" here. MXINT below 8 bits follows microxcaling.
 */
export function mxGrid(name: MxName, { block, rounding }: MxOptions): Grid {
  const element = mxElements[name];
  return {
    name,
    bits: element.bits,
    group: block,
    ragged: true,
    microBlocks: true,
    steps: tableOf(element, rounding),
    find: (values, width, scale) => {
      const largest = largestOf(values, width);
      for (let group = 0; group < scale.length; group++) {
        scale[group] = decodeScale(scaleCode(largest[group]!, element));
      }
    },
    store(scales) {
      const values = new Uint8Array(scales.length);
      for (let i = 0; i < values.length; i++) values[i] = exponentField(scales[i]!);
      return { scales, parts: [{ name: "shared_exponents", values, bits: 8 }] };
    },
  };
}

/** Every MX format as rounding to nearest. */
export const mxMethods: readonly Method[] = names.map(mxMethod);

/** Every MX format as a grid for GPTQ. */
export const mxGrids: Readonly<Record<string, MakeGrid>> = Object.fromEntries(
  names.map((name) => [name, (group = 32) => mxGrid(name, { block: group, rounding: "even" })]),
);

function mxMethod(name: MxName): Method {
  return defineMethod({
    name,
    title: `MX ${name.slice(2).toUpperCase().replace("_", " ")}`,
    source: "OCP Microscaling Formats (MX) v1.0, microsoft/microxcaling mx/mx_ops.py",
    needs: "nothing",
    options: {
      block: {
        kind: "integer",
        default: 32,
        minimum: 1,
        maximum: Number.MAX_SAFE_INTEGER,
        meaning: "weights of a row that share an exponent",
      },
      rounding: {
        kind: "choice",
        default: "even",
        allowed: ["even", "away"],
        meaning:
          "where a weight halfway between two elements goes: to the even code, or away from 0",
      },
    },
    presets: {},
    run(weights, { block, rounding }) {
      const grid = mxGrid(name, { block: Math.min(block, weights.columns), rounding });
      // The inverse of a power of two is exact, and so is the product.
      return roundToGrid(weights, grid, (scale) => 1 / scale);
    },
  });
}

/** All finite elements in order, the thresholds between them, and their codes. */
function tableOf(element: Element, rounding: Rounding): Steps {
  const top = element.largestCode;
  const values = Array.from({ length: 2 * top + 1 }, (_, i) => {
    const magnitude = decodeElement(Math.abs(i - top), element);
    return i < top ? -magnitude : magnitude;
  });
  // A threshold is the midpoint when the tie there goes down, and just below it when it goes up.
  const thresholds = values.slice(1).map((upper, i) => {
    const middle = (values[i]! + upper) / 2;
    const winner = decodeElement(encodeElement(middle, element, { rounding }), element);
    return winner === upper ? justBelow(middle) : middle;
  });
  return {
    levels: Float32Array.from(values),
    thresholds: Float32Array.from(thresholds),
    codes: Uint8Array.from(values, (value) => encodeElement(value, element)),
  };
}

const float32 = new Float32Array(1);
const bits32 = new Uint32Array(float32.buffer);

/** The eight exponent bits of a float32: its exponent + 127, or 0 below 2^-126. */
function exponentField(value: number): number {
  float32[0] = value;
  return (bits32[0]! >>> 23) & 255;
}

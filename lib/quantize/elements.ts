/**
 * Number formats of 2 to 8 bits, value by value: FP4, FP6, FP8, and the fixed-point integers of MX.
 * (Written by hand: the language has casts to float16, float32 and float64 only.)
 */

/** Where a value goes that is halfway between two codes: to the even one, or away from zero. */
export type Rounding = "even" | "away";

/**
 * A format of one element.
 *
 * Floats: a sign bit, an exponent, a mantissa of `mantissaBits`, subnormals included. Integers: two's
 * complement with `mantissaBits` = bits - 2 bits after the point, from -2 up to but without 2; the
 * least code, -2, is never encoded, so that the range is symmetric.
 */
export interface Element {
  readonly name: string;
  /** Bits of a code. */
  readonly bits: number;
  readonly kind: "float" | "integer";
  readonly mantissaBits: number;
  /** Exponent of the smallest normal value. */
  readonly smallestExponent: number;
  /** Exponent of the greatest value. */
  readonly largestExponent: number;
  /** The greatest value's code. */
  readonly largestCode: number;
  /** Codes beyond the greatest value: none, NaN alone, or infinity and NaN. */
  readonly special: "none" | "nan" | "infinity";
}

/** How a value is cast. */
export interface CastOptions {
  /** Default "even", which is IEEE 754's roundTiesToEven. */
  readonly rounding?: Rounding;
  /**
   * Whether a value beyond the greatest goes to the greatest (default), or to infinity or NaN as
   * the format has it. Formats with neither always saturate.
   */
  readonly saturate?: boolean;
}

/**
 * The formats by name. FP4, FP6 and integers: OCP Microscaling Formats (MX) v1.0; FP8: OCP 8-bit
 * Floating Point (OFP8) v1.0. MX defines int8; the narrower integers follow microsoft/microxcaling.
 */
export const elements = {
  fp4_e2m1: float("fp4_e2m1", 2, 1, "none"),
  fp6_e2m3: float("fp6_e2m3", 2, 3, "none"),
  fp6_e3m2: float("fp6_e3m2", 3, 2, "none"),
  fp8_e4m3: float("fp8_e4m3", 4, 3, "nan"),
  fp8_e5m2: float("fp8_e5m2", 5, 2, "infinity"),
  int2: integer(2),
  int3: integer(3),
  int4: integer(4),
  int5: integer(5),
  int6: integer(6),
  int7: integer(7),
  int8: integer(8),
} as const satisfies Record<string, Element>;

/** The value of a code: a number, -0, an infinity or NaN. Throws on a code that is no code. */
export function decodeElement(code: number, element: Element): number {
  const { bits, kind, mantissaBits, smallestExponent, largestCode, special } = element;
  if (!Number.isInteger(code) || code < 0 || code >= 2 ** bits) {
    throw new Error(
      `Cannot decode ${element.name}: needs a code from 0 to ${2 ** bits - 1}: got ${code}`,
    );
  }
  const negative = code >= 2 ** (bits - 1);
  if (kind === "integer") return (negative ? code - 2 ** bits : code) / 2 ** mantissaBits;
  const sign = negative ? -1 : 1;
  const magnitude = code % 2 ** (bits - 1);
  if (magnitude > largestCode) {
    return special === "infinity" && magnitude === largestCode + 1 ? sign * Infinity : NaN;
  }
  const exponent = magnitude >> mantissaBits;
  const mantissa = magnitude % 2 ** mantissaBits;
  // A subnormal (exponent field 0) has the smallest exponent and no leading 1.
  const significand = exponent === 0 ? mantissa : mantissa + 2 ** mantissaBits;
  return sign * significand * 2 ** (smallestExponent + Math.max(exponent - 1, 0) - mantissaBits);
}

/**
 * The code of the nearest value. The sign of a zero is kept where the format has two zeros. Throws
 * on NaN when the format has none.
 *
 * ```ts
 * import { strictEqual } from "node:assert/strict";
 * import { decodeElement, elements, encodeElement } from "./elements.ts";
 *
 * const code = encodeElement(-2.5, elements.fp4_e2m1);
 * strictEqual(code, 0b1_10_0);
 * strictEqual(decodeElement(code, elements.fp4_e2m1), -2);
 * strictEqual(encodeElement(-2.5, elements.fp4_e2m1, { rounding: "away" }), 0b1_10_1); // -3
 * ```
 */
export function encodeElement(value: number, element: Element, options: CastOptions = {}): number {
  const { bits, kind, mantissaBits, smallestExponent, largestCode, special } = element;
  if (Number.isNaN(value)) {
    if (special !== "none") return 2 ** (bits - 1) - 1;
    throw new Error(`Cannot cast NaN to ${element.name}: the format has no code for it`);
  }
  const negative = value < 0 || Object.is(value, -0);
  let magnitude = largestCode + 1;
  if (Number.isFinite(value)) {
    const exponent = Math.max(exponentOf(value), smallestExponent);
    // Whole steps of the value's binade. Rounding up to the next binade carries into the exponent.
    const steps = roundPositive(Math.abs(value) * 2 ** (mantissaBits - exponent), options.rounding);
    magnitude = (exponent - smallestExponent) * 2 ** mantissaBits + steps;
  }
  if (magnitude > largestCode) {
    const keep = (options.saturate ?? true) || special === "none";
    magnitude = keep ? largestCode : largestCode + 1;
  }
  if (!negative) return magnitude;
  return kind === "float" ? magnitude + 2 ** (bits - 1) : (2 ** bits - magnitude) % 2 ** bits;
}

/** Casts each value to the format and back, as float32. */
export function castElements(
  values: ArrayLike<number>,
  element: Element,
  options: CastOptions = {},
): Float32Array {
  return Float32Array.from(
    values,
    (value) => decodeElement(encodeElement(value, element, options), element),
  );
}

const float64 = new DataView(new ArrayBuffer(8));

/** floor(log2 |value|), exactly. Below 2^-1022, where no format reaches, it gives -1023. */
function exponentOf(value: number): number {
  float64.setFloat64(0, value);
  return ((float64.getUint16(0) >> 4) & 0x7ff) - 1023;
}

function roundPositive(value: number, rounding: Rounding = "even"): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return rest < 0.5 ? floor : floor + 1;
  return rounding === "even" && floor % 2 === 0 ? floor : floor + 1;
}

function float(
  name: string,
  exponentBits: number,
  mantissaBits: number,
  special: Element["special"],
): Element {
  const bias = 2 ** (exponentBits - 1) - 1;
  const top = 2 ** (exponentBits + mantissaBits) - 1;
  // Infinity takes the topmost exponent, NaN alone the topmost code.
  const largestCode = { none: top, nan: top - 1, infinity: top - 2 ** mantissaBits }[special];
  return {
    name,
    bits: 1 + exponentBits + mantissaBits,
    kind: "float",
    mantissaBits,
    smallestExponent: 1 - bias,
    largestExponent: (largestCode >> mantissaBits) - bias,
    largestCode,
    special,
  };
}

function integer(bits: number): Element {
  return {
    name: `int${bits}`,
    bits,
    kind: "integer",
    mantissaBits: bits - 2,
    smallestExponent: 0,
    largestExponent: 0,
    largestCode: 2 ** (bits - 1) - 1,
    special: "none",
  };
}

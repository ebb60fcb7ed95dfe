import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  castElements,
  decodeElement,
  type Element,
  elements,
  encodeElement,
  type Rounding,
} from "../../lib/quantize/elements.ts";
import { sha256, vectors } from "./formats.ts";

const all = Object.values<Element>(elements);
const roundings: Rounding[] = ["even", "away"];
const { fp4_e2m1, fp6_e2m3, fp6_e3m2, fp8_e4m3, fp8_e5m2, int2, int3, int8 } = elements;

/** Every code's value. */
function table(element: Element): number[] {
  return Array.from({ length: 2 ** element.bits }, (_, code) => decodeElement(code, element));
}

/** Codes of positive finite values, 0 included, in ascending order. */
function positiveCodes(element: Element): number[] {
  return Array.from({ length: element.largestCode + 1 }, (_, code) => code);
}

describe("tables", () => {
  it("FP4 and small integers are the lists of the specification", () => {
    const fp4 = [0, 0.5, 1, 1.5, 2, 3, 4, 6];
    expect(table(fp4_e2m1)).toEqual([...fp4, ...fp4.map((x) => -x)]);
    expect(table(int2)).toEqual([0, 1, -2, -1]);
    expect(table(int3)).toEqual([0, 0.5, 1, 1.5, -2, -1.5, -1, -0.5]);
  });

  // Sign, exponent field, mantissa field and bias, read from the bits as the specifications say.
  it.each([
    { element: fp4_e2m1, exponentBits: 2, bias: 1 },
    { element: fp6_e2m3, exponentBits: 2, bias: 1 },
    { element: fp6_e3m2, exponentBits: 3, bias: 3 },
    { element: fp8_e4m3, exponentBits: 4, bias: 7 },
    { element: fp8_e5m2, exponentBits: 5, bias: 15 },
  ])("every code of $element.name", ({ element, exponentBits, bias }) => {
    table(element).forEach((value, code) => {
      const bits = code.toString(2).padStart(element.bits, "0");
      const sign = bits[0] === "1" ? -1 : 1;
      const exponent = parseInt(bits.slice(1, 1 + exponentBits), 2);
      const fraction = parseInt(bits.slice(1 + exponentBits), 2) /
        2 ** (element.bits - 1 - exponentBits);
      let expected = exponent === 0
        ? sign * 2 ** (1 - bias) * fraction
        : sign * 2 ** (exponent - bias) * (1 + fraction);
      if (element === fp8_e4m3 && bits.endsWith("1111111")) expected = NaN;
      if (element === fp8_e5m2 && exponent === 31) expected = fraction ? NaN : sign * Infinity;
      expect(value).toBe(expected);
    });
  });

  // OCP MX v1.0 tables 2 to 6, OFP8 v1.0 tables 1 and 2: greatest, smallest normal, smallest.
  it.each([
    [fp4_e2m1, 6, 1, 0.5],
    [fp6_e2m3, 7.5, 1, 0.125],
    [fp6_e3m2, 28, 0.25, 0.0625],
    [fp8_e4m3, 448, 2 ** -6, 2 ** -9],
    [fp8_e5m2, 57344, 2 ** -14, 2 ** -16],
    [int8, 1 + 63 / 64, 1, 1 / 64],
  ])("%o has its published range", (element: Element, greatest, normal, smallest) => {
    expect(decodeElement(element.largestCode, element)).toBe(greatest);
    expect(2 ** element.smallestExponent).toBe(normal);
    expect(decodeElement(1, element)).toBe(smallest);
  });

  it("rejects what is no code", () => {
    for (const code of [-1, 16, 0.5, NaN]) {
      expect(() => decodeElement(code, fp4_e2m1)).toThrow(
        `Cannot decode fp4_e2m1: needs a code from 0 to 15: got ${code}`,
      );
    }
  });
});

describe.each(all)("$name", (element) => {
  const greatest = decodeElement(element.largestCode, element);
  /** An integer has no -0. */
  const minus = (value: number) => element.kind === "float" ? -value : 0 - value;
  const cast = (value: number, rounding?: Rounding) =>
    decodeElement(encodeElement(value, element, { rounding }), element);

  it("gives every code back", () => {
    table(element).forEach((value, code) => {
      if (Number.isFinite(value) && value !== -2) {
        expect(encodeElement(value, element)).toBe(code);
      }
    });
  });

  it("rounds on every boundary, and beside it, as its rounding says", () => {
    for (const code of positiveCodes(element).slice(0, -1)) {
      const low = decodeElement(code, element);
      const high = decodeElement(code + 1, element);
      const middle = (low + high) / 2;
      const even = code % 2 === 0 ? low : high;
      for (const rounding of roundings) {
        const tie = rounding === "even" ? even : high;
        for (
          const [times, expected] of [[1, tie], [1 - 2 ** -50, low], [1 + 2 ** -50, high]] as const
        ) {
          expect(cast(middle * times, rounding)).toBe(expected);
          expect(cast(-middle * times, rounding)).toBe(minus(expected));
        }
      }
    }
  });

  it("saturates, and overflows only when asked and able", () => {
    for (const value of [greatest * 1.01, greatest * 8, 1e300, Infinity]) {
      expect(cast(value)).toBe(greatest);
      expect(cast(-value)).toBe(-greatest);
    }
    const overflow = { none: greatest, nan: NaN, infinity: Infinity }[element.special];
    for (const value of [greatest * 8, Infinity]) {
      const code = encodeElement(-value, element, { saturate: false });
      expect(decodeElement(code, element)).toBe(-overflow);
    }
  });

  it("keeps NaN, or rejects it", () => {
    if (element.special === "none") {
      expect(() => encodeElement(NaN, element)).toThrow(
        `Cannot cast NaN to ${element.name}: the format has no code for it`,
      );
    } else expect(cast(NaN)).toBeNaN();
  });

  it("is monotonic and symmetric, and errs by at most half a step", () => {
    const value = fc.oneof(
      fc.double({ noNaN: true, min: -1.2 * greatest, max: 1.2 * greatest }),
      fc.double({ noNaN: true, min: -2, max: 2 }),
    );
    fc.assert(fc.property(value, value, fc.constantFrom(...roundings), (a, b, rounding) => {
      const [low, high] = a < b ? [a, b] : [b, a];
      expect(cast(low, rounding)).toBeLessThanOrEqual(cast(high, rounding));
      expect(cast(-a, rounding)).toBe(minus(cast(a, rounding)));
      const inside = Math.min(Math.max(a, -greatest), greatest);
      const exponent = Math.max(Math.floor(Math.log2(Math.abs(inside))), element.smallestExponent);
      const half = 2 ** (exponent - element.mantissaBits - 1);
      expect(Math.abs(cast(inside, rounding) - inside)).toBeLessThanOrEqual(half);
    }));
  });
});

it("casts every finite float16 to FP8 as PyTorch does", () => {
  const halves = new Float16Array(Uint16Array.from({ length: 65536 }, (_, i) => i).buffer)
    .filter((value) => Number.isFinite(value));
  const codes = (element: Element, saturate: boolean) =>
    Uint8Array.from(halves, (value) => encodeElement(value, element, { saturate }));
  expect(sha256(codes(fp8_e4m3, true))).toBe(vectors.fp8.fp8_e4m3);
  expect(sha256(codes(fp8_e5m2, false))).toBe(vectors.fp8.fp8_e5m2);
});

it("casts arrays", () => {
  const cast = castElements([0.26, -5, 100], fp4_e2m1, { rounding: "away" });
  expect(cast).toEqual(Float32Array.of(0.5, -6, 6));
});

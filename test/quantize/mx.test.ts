import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeElement, encodeElement, type Rounding } from "../../lib/quantize/elements.ts";
import { methods, quantize } from "../../lib/quantize/mod.ts";
import { decodeScale, mxElements, type MxName, scaleCode } from "../../lib/quantize/mx.ts";
import { row, same, sha256, vectors, weights } from "./formats.ts";
import { numbers } from "./reference.ts";

const names = Object.keys(mxElements) as MxName[];
const roundings: Rounding[] = ["even", "away"];

/** The weights of vectors/formats.py. */
function vectorWeights() {
  const data = numbers(1, 64 * 200);
  const sizes = numbers(2, 24 * 200);
  for (let i = 0; i < data.length; i++) {
    const at = Math.floor(i / 200);
    if (at < 16) data[i] = Math.floor(data[i]! * 128) / 16;
    else if (at < 40) data[i]! *= 2 ** Math.floor(sizes[i - 16 * 200]! * 60);
    else if (at < 44) data[i]! *= 2 ** [-126, -140, 127, 128][at - 40]!;
    else if (at === 44 && i % 200 < 64) data[i] = 0;
  }
  return { rows: 64, columns: 200, data };
}

describe("E8M0", () => {
  it("is a power of two from 2^-127 to 2^127, or NaN", () => {
    expect([0, 1, 127, 128, 254].map(decodeScale)).toEqual([2 ** -127, 2 ** -126, 1, 2, 2 ** 127]);
    expect(decodeScale(255)).toBeNaN();
  });

  it("is the greatest weight's power of two over the greatest element's", () => {
    const { mxint8, mxfp4, mxfp8_e4m3, mxfp8_e5m2 } = mxElements;
    expect(scaleCode(1, mxint8)).toBe(127);
    expect(scaleCode(Math.fround(2 - 2 ** -23), mxint8)).toBe(127);
    expect(scaleCode(2, mxint8)).toBe(128);
    expect(scaleCode(1, mxfp4)).toBe(125);
    expect(scaleCode(1, mxfp8_e4m3)).toBe(119);
    expect(scaleCode(1, mxfp8_e5m2)).toBe(112);
  });

  it("stops at 2^-127 and never overflows; what is not finite has NaN", () => {
    const { mxint4, mxfp8_e5m2 } = mxElements;
    expect(scaleCode(0, mxint4)).toBe(0);
    expect(scaleCode(2 ** -127, mxint4)).toBe(0);
    expect(scaleCode(2 ** -149, mxint4)).toBe(0);
    expect(scaleCode(2 ** -113, mxfp8_e5m2)).toBe(0);
    expect(scaleCode(3.4e38, mxint4)).toBe(254);
    expect(scaleCode(Infinity, mxint4)).toBe(255);
    expect(scaleCode(NaN, mxint4)).toBe(255);
  });
});

describe("against PyTorch (vectors/formats.py)", () => {
  const layer = vectorWeights();
  it.each(Object.entries(vectors.mx))("%s", (spec, hash) => {
    expect(sha256(quantize(layer, spec).weights)).toBe(hash);
  });
});

describe.each(names)("%s", (name) => {
  const element = mxElements[name];
  const method = (rounding: Rounding) => `${name}:block=16,rounding=${rounding}`;

  it("stores an element a weight and 8 bits a block", () => {
    const { bitsPerWeight, method, storage } = quantize(row(...Array(64).fill(1)), name);
    expect(method).toBe(name);
    expect(bitsPerWeight).toBe(element.bits + 8 / 32);
    expect(quantize(row(...Array(256).fill(1)), `${name}:block=128`).bitsPerWeight)
      .toBe(element.bits + 8 / 128);
    expect(storage.map((part) => part.bits)).toEqual([element.bits, 8]);
  });

  it("casts each weight over the block's scale, one after another", () => {
    fc.assert(
      fc.property(weights, fc.constantFrom(...roundings), (values, rounding) => {
        const { codes, weights, scales, storage } = quantize(row(...values), method(rounding));
        for (let i = 0; i < values.length; i++) {
          const block = Math.floor(i / 16);
          const greatest = Math.max(...values.slice(block * 16, block * 16 + 16).map(Math.abs));
          let exponent = -127;
          while (2 ** (exponent + 1 + element.largestExponent) <= greatest) exponent++;
          expect(scales[block]).toBe(2 ** exponent);
          expect(storage[1]!.values[block]).toBe(exponent + 127);
          const code = encodeElement(values[i]! / 2 ** exponent, element, { rounding });
          const value = decodeElement(code, element);
          expect(weights[i]! + 0).toBe(value * 2 ** exponent + 0);
          expect(codes[i]).toBe(value === 0 ? 0 : code);
        }
      }),
      { numRuns: 50 },
    );
  });

  it("changes nothing the second time, and follows signs and powers of two", () => {
    fc.assert(fc.property(weights, fc.constantFrom(...roundings), (values, rounding) => {
      const once = quantize(row(...values), method(rounding));
      const twice = quantize(row(...once.weights), method(rounding));
      expect(twice.codes).toEqual(once.codes);
      expect(twice.scales).toEqual(once.scales);
      for (const times of [-1, 2, 2 ** 20, 2 ** -20]) {
        const { weights } = quantize(row(...values.map((x) => x * times)), method(rounding));
        expect(same(weights, once.weights.map((x) => x * times))).toBe(true);
      }
    }));
  });

  it("keeps blocks of zeros, subnormals and the greatest floats", () => {
    const zeros = quantize(row(...Array(40).fill(0), 1), `${name}:block=20`);
    expect(zeros.weights).toEqual(Float32Array.of(...Array(40).fill(0), 1));
    expect(Array.from(zeros.storage[1]!.values.slice(0, 2))).toEqual([0, 0]);
    const largest = Math.fround(3.4028234663852886e38);
    const greatest = decodeElement(element.largestCode, element);
    const edge = quantize(row(largest, -largest, 2 ** 127), name).weights;
    const expected = greatest * 2 ** (127 - element.largestExponent);
    expect(Array.from(edge)).toEqual([expected, -expected, 2 ** 127]);
    // 2^-127 is in reach of every element; beside 1 it is nothing.
    expect(quantize(row(2 ** -127), name).weights[0]).toBe(2 ** -127);
    expect(quantize(row(1, 2 ** -127), name).weights[1]).toBe(0);
  });

  it("rejects what is not finite, and blocks that are none", () => {
    for (const value of [NaN, Infinity]) {
      expect(() => quantize(row(1, value), name)).toThrow(
        `Cannot use weights: needs finite values: got ${value} at row 0, column 1`,
      );
    }
    expect(() => quantize(row(1), `${name}:block=0`)).toThrow(
      `Bad value for ${name}: block: needs a whole number of at least 1: got 0`,
    );
    expect(() => quantize(row(1), `${name}:rounding=up`)).toThrow("needs even or away: got up");
  });
});

it("blocks stay in their row, and the last may be shorter", () => {
  const layer = { rows: 2, columns: 3, data: Float32Array.of(1, 1, 4, 0.5, 1, 0.25) };
  const { scales, weights, bitsPerWeight } = quantize(layer, "mxint4:block=2");
  expect(scales).toEqual(Float32Array.of(1, 4, 1, 0.25));
  expect(weights).toEqual(layer.data);
  expect(bitsPerWeight).toBe((6 * 4 + 4 * 8) / 6);
});

it("a block by hand", () => {
  // Greatest 7: 2^2, e2m1 has 2^2 as its greatest power, so the scale is 1; 7 saturates to 6.
  const { weights, codes, scales } = quantize(row(7, -2.5, 1.25, 0.2, -0.25, 5), "mxfp4");
  expect(scales).toEqual(Float32Array.of(1));
  expect(weights).toEqual(Float32Array.of(6, -2, 1, 0, 0, 4));
  expect(codes).toEqual(Uint8Array.of(0b0111, 0b1100, 0b0010, 0, 0, 0b0110));
  expect(quantize(row(7, -2.5, 1.25, 0.2, -0.25, 5), "mxfp4:rounding=away").weights)
    .toEqual(Float32Array.of(6, -3, 1.5, 0, -0.5, 6));
});

it("all have their place in the registry", () => {
  expect(Object.keys(methods)).toEqual(expect.arrayContaining(names));
});

import { describe, expect, it } from "vitest";
import { doubleQuantization, dynamicMap } from "../../lib/quantize/double_quantization.ts";
import { vectors } from "./formats.ts";
import { numbers } from "./reference.ts";

describe("the dynamic map", () => {
  it("is that of bitsandbytes to the last bit of float32", () => {
    vectors.dynamicMap.forEach((value, i) => {
      expect(Math.abs(dynamicMap[4 * i + 3]! - value)).toBeLessThanOrEqual(
        2 ** -23 * Math.abs(value),
      );
    });
  });

  it("has 256 ascending values, each but 0 and 1 on both sides", () => {
    expect(dynamicMap.length).toBe(256);
    expect(dynamicMap.every((x, i) => i === 0 || x > dynamicMap[i - 1]!)).toBe(true);
    const negative = dynamicMap.filter((x) => x < 0).map((x) => -x).reverse();
    expect(dynamicMap.slice(128, 255)).toEqual(negative);
    expect([dynamicMap[127], dynamicMap[255]]).toEqual([0, 1]);
  });
});

describe("double quantization", () => {
  it("gives the codes and the scales of bitsandbytes, a block of 256 and a shorter one", () => {
    const { scales, parts } = doubleQuantization(numbers(4, 300).map((x) => x + 0.5));
    expect(Array.from(parts[0]!.values, (x) => x.toString(16).padStart(2, "0")).join(""))
      .toBe(vectors.double.codes);
    vectors.double.scales.forEach((scale, i) => expect(scales[16 * i]).toBeCloseTo(scale, 6));
    expect(parts.map(({ values, bits }) => [values.length, bits]))
      .toEqual([[300, 8], [2, 32], [1, 32]]);
  });

  it("keeps equal scales, and one alone, as they are", () => {
    expect(doubleQuantization(new Float32Array(300).fill(3)).scales)
      .toEqual(new Float32Array(300).fill(3));
    expect(doubleQuantization(Float32Array.of(0.3)).scales).toEqual(Float32Array.of(0.3));
  });

  it("errs by at most half the widest step of the map", () => {
    const given = numbers(6, 256);
    const mean = given.reduce((sum, x) => sum + x, 0) / 256;
    const greatest = Math.max(...given.map((x) => Math.abs(x - mean)));
    doubleQuantization(given).scales.forEach((scale, i) => {
      expect(Math.abs(scale - given[i]!)).toBeLessThan(greatest * 0.9 / 64 / 2 + 1e-6);
    });
  });
});

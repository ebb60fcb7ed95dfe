import { describe, expect, it } from "vitest";
import {
  asGptq,
  describeFormat,
  formatSqnrs,
  landscapeFormats,
  landscapeMethods,
  quantizeModel,
} from "../../lib/measure/mod.ts";
import { tinyModel } from "./tiny.ts";

describe("the grid", () => {
  it("has at least 20 formats, each by both algorithms, with the same description", () => {
    expect(landscapeFormats.length).toBeGreaterThanOrEqual(20);
    expect(new Set(landscapeMethods).size).toBe(2 * landscapeFormats.length);
    for (const format of landscapeFormats) {
      expect(describeFormat(format).format).toBe(format);
      expect(describeFormat(asGptq(format))).toEqual(describeFormat(format));
    }
  });

  it("describes elements as the formats' standards have them", () => {
    expect(describeFormat("mxfp6_e3m2")).toMatchObject({
      ...{ elementBits: 6, exponentBits: 3, block: 32, powerOfTwo: true },
    });
    expect(describeFormat("mxint3:block=128")).toMatchObject({
      ...{ elementBits: 3, exponentBits: 0, block: 128, title: "MXINT3, blocks of 128" },
    });
    expect(describeFormat("gptq:paper,group=16,bits=2")).toMatchObject({
      ...{ elementBits: 2, block: 16, powerOfTwo: false, title: "INT2, groups of 16" },
    });
    expect(() => describeFormat("int8")).toThrow("Cannot describe the format of int8");
  });
});

describe("the SQNR by layer", () => {
  it("is that of the quantized model", async () => {
    const { kernel, config, source } = tinyModel(1);
    const format = "mxint3";
    const { layers, report } = await quantizeModel({ config, source }, format, { kernel });
    const found = await formatSqnrs({ config, source }, [format]);
    expect(found.map(({ layer }) => `${layer}`)).toEqual([
      "model",
      ...layers.map(({ name }) => name),
    ]);
    expect(found[0]!.sqnr).toBeCloseTo(report.sqnr, 9);
    layers.forEach(({ sqnr }, i) => expect(found[i + 1]!.sqnr).toBeCloseTo(sqnr, 9));
  });
});

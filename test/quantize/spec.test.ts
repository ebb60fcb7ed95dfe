import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatSpec, methods, type Option, parseSpec } from "../../lib/quantize/mod.ts";

describe("parseSpec", () => {
  it("takes defaults, a preset's values and given ones, in that order", () => {
    expect(parseSpec("gptq", methods).options).toMatchObject({
      bits: 4,
      group: "row",
      damping: 0.01,
    });
    expect(parseSpec("gptq:paper", methods).options).toMatchObject({
      symmetric: true,
      group: 128,
      damping: 0.1,
      order: false,
    });
    expect(parseSpec(" gptq: paper , bits = 3, damping=1e-3 ", methods).options).toMatchObject({
      bits: 3,
      group: 128,
      damping: 0.001,
    });
  });

  it("writes options that differ from their defaults, in the schema's order", () => {
    const canonical = (text: string) => formatSpec(parseSpec(text, methods));
    expect(canonical("gptq:group=128,bits=3")).toBe("gptq:bits=3,group=128");
    expect(canonical("gptq:paper,bits=3")).toBe("gptq:bits=3,group=128,symmetric=true,damping=0.1");
    expect(canonical("rtn:bits=4,group=row")).toBe("rtn");
  });

  it("reads every spec back that it writes", () => {
    const value = (option: Option): fc.Arbitrary<unknown> => {
      switch (option.kind) {
        case "flag":
          return fc.boolean();
        case "choice":
          return fc.constantFrom(...option.allowed);
        case "number":
          return fc.double({ min: option.minimum, max: option.maximum, noNaN: true })
            .map((number) => number + 0);
        case "integer":
          return fc.oneof(
            fc.integer({ min: option.minimum, max: option.maximum }),
            ...[...option.also ?? [], ...option.words ?? []].map((word) => fc.constant(word)),
          );
      }
    };
    const spec = fc.constantFrom(...Object.values(methods)).chain((method) =>
      fc.record(
        Object.fromEntries(Object.entries(method.options).map(([key, o]) => [key, value(o)])),
      ).map((options) => ({ method, options: { ...options } as never }))
    );
    fc.assert(fc.property(spec, (given) => {
      const text = formatSpec(given);
      expect(parseSpec(text, methods)).toEqual(given);
      expect(formatSpec(parseSpec(text, methods))).toBe(text);
    }));
  });

  it.each([
    ["gtpq:bits=3", 'Unknown quantization method "gtpq": did you mean "gptq"?'],
    ["", 'Unknown quantization method "": did you mean'],
    ["toString", 'Unknown quantization method "toString"'],
    ["gptq:bit=3", 'Unknown option of gptq "bit": did you mean "bits"?'],
    ["gptq:papers", 'Unknown preset of gptq "papers": did you mean "paper"?'],
    ["hqq:paper", 'Unknown preset of hqq "paper": there are none'],
    ["gptq:bits=3,paper", 'put the preset "paper" first'],
    ["gptq:bits=3,bits=3", '"bits" is given twice'],
    ["gptq:", "an option is empty"],
    ["gptq:bits=3,", "an option is empty"],
    ["gptq:bits=9", "gptq: bits: needs a whole number from 1 to 8 or 16: got 9"],
    ["gptq:bits=0", "needs a whole number from 1 to 8 or 16: got 0"],
    ["gptq:bits=2.5", "got 2.5"],
    ["gptq:bits=", "needs a whole number from 1 to 8 or 16: got nothing"],
    ["gptq:bits=three", "got three"],
    ["rtn:group=0", "needs a whole number of at least 1, row or tensor: got 0"],
    ["rtn:group=-1", "got -1"],
    ["gptq:group=tensor", "needs a whole number of at least 1 or row: got tensor"],
    ["gptq:damping=-1", "needs a number from 0 to 1000000: got -1"],
    ["gptq:damping=NaN", "got NaN"],
    ["gptq:order=yes", "needs true or false: got yes"],
    ["gptq:scales=f8", "needs f16 or f32: got f8"],
    ["gptq:grid=nf5", "nf4"],
  ])("rejects %j", (text, message) => {
    expect(() => parseSpec(text, methods)).toThrow(message);
  });
});

import { describe, expect, it } from "vitest";
import { readMethods, suiteMethods } from "../../lib/measure/mod.ts";

describe("a list of methods", () => {
  it("has each combination of values once, in its canonical form", () => {
    const paper = ["gptq:bits=2,group=32,symmetric=true,damping=0.1"];
    expect(readMethods(["gptq:paper,group=32,bits=2"])).toEqual(paper);
    expect(readMethods(["gptq:paper:group=32:bits=2", ...paper])).toEqual(paper);
    expect(readMethods(["rtn:bits=2,3,group=16,32"])).toEqual([
      "rtn:bits=2,group=16",
      "rtn:bits=2,group=32",
      "rtn:bits=3,group=16",
      "rtn:bits=3,group=32",
    ]);
    expect(readMethods(["rtn:group=row,tensor"])).toEqual(["rtn", "rtn:group=tensor"]);
  });

  it("names what is unknown or measures nothing", () => {
    expect(() => readMethods(["gptq:pape,bits=2"])).toThrow('did you mean "paper"');
    expect(() => readMethods(["rtn:bits=2,9"])).toThrow("got 9");
    expect(() => readMethods(["rtn:bits=4,16"])).toThrow("Cannot measure rtn:bits=16");
  });

  it("of the suite has no method twice and quantizes every width in whole groups", () => {
    expect(new Set(suiteMethods).size).toBe(suiteMethods.length);
    expect(
      suiteMethods.filter((method) => method.includes("group=") && !method.includes("group=32")),
    )
      .toEqual([]);
  });
});

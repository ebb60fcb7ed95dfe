import { describe, expect, it } from "vitest";
import {
  declaredParameters,
  executeNotebook,
  injectParameters,
  parseParameter,
} from "../../lib/notebook/mod.ts";
import { notebookOf } from "./fixtures/notebook_of.ts";

const declaration = [
  "// What the notebook can be asked for",
  "const bits: number = 3;",
  "let sizes = [1e9,",
  "  7e9];",
  'var name = "gptq";',
  "if (bits > 2) {",
  "  const inner = 1;",
  "}",
].join("\n");

function notebook() {
  return notebookOf([
    '"before"',
    { source: declaration, tags: ["parameters"] },
    "sizes.push(bits);\nconsole.log(bits, sizes, name);",
  ]);
}

describe("parseParameter", () => {
  it.each([
    ["bits=4", ["bits", 4]],
    ["sizes=[1e9, 2]", ["sizes", [1e9, 2]]],
    ["name=awq", ["name", "awq"]],
    ['name="4"', ["name", "4"]],
    ["text=a=b", ["text", "a=b"]],
    ["text=", ["text", ""]],
    ["none=null", ["none", null]],
  ])("reads %s", (text, expected) => expect(parseParameter(text)).toEqual(expected));

  it("rejects what has no name or no value", () => {
    for (const text of ["bits", "=4", "", "two words=1"]) {
      expect(() => parseParameter(text)).toThrow(
        `Cannot read the parameter "${text}": write it as name=value`,
      );
    }
  });
});

describe("injectParameters", () => {
  it("finds the declarations of the tagged cell", () => {
    expect(declaredParameters(notebook())).toEqual(["bits", "sizes", "name"]);
    expect(declaredParameters(notebookOf(["const bits = 3;"]))).toEqual([]);
  });

  it("puts the values after that cell, where the kernel takes them", async () => {
    const changed = notebook();
    injectParameters(changed, { bits: 4, sizes: [5], name: "a\n`b`" });
    expect(changed.cells[2]).toMatchObject({
      metadata: { tags: ["injected-parameters"] },
      source: '// Parameters\nconst bits = 4;\nlet sizes = [5];\nvar name = "a\\n`b`";',
    });
    expect(await executeNotebook(changed)).toBeUndefined();
    expect(changed.cells[3]).toMatchObject({
      outputs: [{ name: "stdout", text: "4 [ 5, 4 ] a\n`b`\n" }],
    });
  });

  it("replaces the values of an earlier run", () => {
    const changed = notebook();
    injectParameters(changed, { bits: 4 });
    injectParameters(changed, { name: "rtn" });
    expect(changed.cells).toHaveLength(4);
    expect(changed.cells[2]!.source).toBe('// Parameters\nvar name = "rtn";');
  });

  it("rejects a name that is not declared and lists those that are", () => {
    expect(() => injectParameters(notebook(), { bit: 4 }, "n.ipynb")).toThrow(
      'Cannot set the parameter "bit" in n.ipynb: it declares bits, sizes, name',
    );
    expect(() => injectParameters(notebookOf(["1"]), { bit: 4 }, "n.ipynb")).toThrow(
      'Cannot set the parameter "bit" in n.ipynb: no cell with the tag "parameters" declares any',
    );
  });
});

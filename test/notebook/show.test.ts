import pl from "nodejs-polars";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { display } from "../../lib/notebook/display.ts";
import { executableCells, parseNotebook } from "../../lib/notebook/document.ts";
import { executeNotebook } from "../../lib/notebook/execute.ts";
import { formatNumber } from "../../lib/notebook/format.ts";
import { markdown, md, mediaBundle, show } from "../../lib/notebook/show.ts";
import { table } from "../../lib/notebook/table.ts";

describe("formatNumber", () => {
  it.each([
    [0, "0"],
    [-0, "0"],
    [0.52514, "0.5251"],
    [0.5, "0.5"],
    [-5.36, "-5.36"],
    [0.0001, "0.0001"],
    [0.00001234567, "1.235e-5"],
    [1e-6, "1e-6"],
    [1234.56, "1235"],
    [2024, "2024"],
    [9999.9, "10,000"],
    [10000, "10,000"],
    [12345.678, "12,346"],
    [143000, "143,000"],
    [9_999_999, "9,999,999"],
    [9_999_999.6, "1e7"],
    [1.011e9, "1.011e9"],
    [-3e11, "-3e11"],
    [NaN, "NaN"],
    [-Infinity, "-∞"],
    [18915328n, "1.892e7"],
    [512n, "512"],
  ])("writes %s as %s", (value, text) => expect(formatNumber(value)).toBe(text));
});

describe("table", () => {
  const frame = pl.DataFrame({
    model: ["Pythia <1B>", "b", "c"],
    tokens: [3e11, 2.1e9, null],
    qid: [0.123456, 12, 0.5],
  });

  it("aligns numbers right and text left, rounds, and escapes", async () => {
    const bundle = await mediaBundle(frame);
    expect(bundle["text/plain"]).toBe([
      "model        tokens     qid",
      "Pythia <1B>    3e11  0.1235",
      "b             2.1e9      12",
      "c                       0.5",
    ].join("\n"));
    const html = bundle["text/html"] as string;
    expect(html).toContain('<td style="text-align:left">Pythia &lt;1B&gt;</td>');
    expect(html).toContain('<td style="text-align:right">3e11</td>');
    expect(html).not.toMatch(/f64|Float/);
  });

  it("says how many rows it leaves out", () => {
    const long = pl.DataFrame({ step: Array.from({ length: 12_345 }, (_, i) => i) });
    const forms = table(long)[display]();
    expect(forms["text/plain"].split("\n")).toHaveLength(1 + 20 + 1);
    expect(forms["text/plain"]).toMatch(/\n +19\n... 12,325 more rows$/);
    expect(forms["text/html"].match(/<tr>/g)).toHaveLength(22);
    expect(table(long.head(21))[display]()["text/html"]).toContain("... 1 more row<");
    expect(table(long.head(20))[display]()["text/plain"]).not.toContain("more");
    expect(table(long, { limit: 3 })[display]()["text/plain"]).toContain("... 12,342 more rows");
  });

  it("takes plain objects, also with different keys, and no rows at all", () => {
    const rows = [{ bits: 2, note: "low" }, { bits: 3, fit: true }];
    expect(table(rows)[display]()["text/plain"]).toBe(
      "bits  note  fit\n   2  low\n   3        true",
    );
    expect(table(frame.head(0))[display]()["text/plain"]).toBe("model  tokens  qid");
    expect(() => table(rows, { limit: 0 })).toThrow(
      "limit must be a whole number from 1 on: got 0",
    );
  });
});

describe("md", () => {
  it("keeps the backslashes of LaTeX and puts numbers in with 4 digits", () => {
    const text = md`$\xi = ${1 / 3}$, \`code\`, ${md`*in*`} and \${\alpha}`.markdown;
    expect(text).toBe("$\\xi = 0.3333$, `code`, *in* and ${\\alpha}");
  });

  it("drops the indentation that all lines share", () => {
    const text = md`
      # Title

      - one ${1}
        - two
    `.markdown;
    expect(text).toBe("# Title\n\n- one 1\n  - two");
  });
});

describe("mediaBundle", () => {
  it("gives a figure as SVG, with its title and caption as text", async () => {
    const svg = '<svg xmlns="http://www.w3.org/2000/svg"/>';
    expect(await mediaBundle({ svg, title: "QiD", caption: "Digitised." }))
      .toEqual({ "image/svg+xml": svg, "text/plain": "QiD\nDigitised." });
    expect(await mediaBundle(Promise.resolve({ svg }))).toEqual({
      "image/svg+xml": svg,
      "text/plain": "Figure",
    });
  });

  it("lets an object bring its own forms", async () => {
    const own = { [Symbol.for("Jupyter.display")]: () => ({ "text/html": "<b>1</b>" }), n: 1 };
    const bundle = await mediaBundle(own);
    expect(bundle["text/html"]).toBe("<b>1</b>");
    expect(bundle["text/plain"]).toContain("n: 1");
  });

  it("gives anything else as text", async () => {
    expect(await mediaBundle("a `string`")).toEqual({ "text/plain": "a `string`" });
    expect(await mediaBundle({ a: 1 })).toEqual({ "text/plain": "{ a: 1 }" });
    expect(await mediaBundle(undefined)).toEqual({ "text/plain": "undefined" });
  });

  it("refuses an output of 1 MB, counted in bytes", async () => {
    await expect(mediaBundle("é".repeat(500_000))).rejects.toThrow(
      "Cannot show the output: needs less than 1 MB: got 1000017 bytes of text/plain; show fewer",
    );
    await expect(mediaBundle("e".repeat(999_900))).resolves.toBeDefined();
  });
});

describe("show outside Jupyter", () => {
  const log = vi.spyOn(console, "log");
  beforeEach(() => void log.mockImplementation(() => {}));
  afterEach(() => void log.mockReset());

  it("prints the text form", async () => {
    await show(table([{ bits: 4 }]));
    await show(markdown("**4** bits", "4 bits"));
    await show({ svg: "<svg/>", title: "A figure" });
    expect(log.mock.calls).toEqual([["bits\n   4"], ["4 bits"], ["A figure"]]);
  });
});

describe("show in the real kernel", () => {
  it("displays every kind of value, and nothing else", async () => {
    const face = pathToFileURL(resolve("lib/notebook/mod.ts")).href;
    const svg = '<svg xmlns="http://www.w3.org/2000/svg"><g/></svg>';
    const cells = [
      `import pl from "nodejs-polars";\n` +
      `import { commit, exercise, md, reveal, show, table } from "${face}";`,
      `await show({ svg: ${JSON.stringify(svg)}, title: "T", caption: "C" });`,
      "await show(pl.DataFrame({ bits: [2, 3] }));",
      "await show(md`$\\beta = ${0.52514}$`);\nawait show(table([{ bits: 4 }]));",
      `await show({ [Symbol.for("Jupyter.display")]: () => ({ "text/html": "<i>own</i>" }) });`,
      'await show("text");\nawait show(42);',
      'const guess = await commit("How many?", 1);',
      "await reveal(guess, 2);",
      `await exercise({ id: "1", solution: () => 3, hint: "h", explanation: "e" }, 3);`,
      'await show("x".repeat(1_000_000));',
    ].map((source) => ({ cell_type: "code", metadata: {}, source }));
    const text = JSON.stringify({ cells, metadata: {}, nbformat: 4, nbformat_minor: 5 });
    const notebook = parseNotebook(text, "test");
    const failure = await executeNotebook(notebook);
    const data = executableCells(notebook).map((cell) => cell.outputs.map((output) => output.data));
    const table = (text: string) => ({
      "text/html": expect.stringContaining("<table>"),
      "text/plain": text,
    });
    const markdown = (part: string) => ({
      "text/markdown": expect.stringContaining(part),
      "text/plain": expect.any(String),
    });
    expect(data.slice(0, 9)).toEqual([
      [],
      [{ "image/svg+xml": svg, "text/plain": "T\nC" }],
      [table("bits\n   2\n   3")],
      [markdown("$\\beta = 0.5251$"), table("bits\n   4")],
      [{ "text/html": "<i>own</i>", "text/plain": expect.any(String) }],
      [{ "text/plain": "text" }, { "text/plain": "42" }],
      [markdown("**Your guess: 1.**")],
      [markdown("too low by a factor of 2")],
      [markdown("✓ Right: 3.")],
    ]);
    expect(failure?.cell).toBe(10);
    expect(failure?.error.evalue).toContain("Cannot show the output: needs less than 1 MB");
  });
});

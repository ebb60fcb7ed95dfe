import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { linearRegression } from "simple-statistics";
import { afterAll, describe, expect, it } from "vitest";
import {
  type Columns,
  type Frame,
  loadFigure1Labels,
  loadFigure2,
  loadOlmo2,
  loadPythiaSizes,
  loadSmollm3Wsd,
  loadTable1,
  loadTokenCounts,
  readTable,
  recordsOf,
  type Row,
  schemas,
  table,
  type TableSchema,
} from "../lib/data.ts";

const folder = mkdtempSync(join(tmpdir(), "tables-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** The rows of a frame, typed by its schema. */
function records<C extends Columns>(frame: Frame<C>, _schema: TableSchema<C>): Row<C>[] {
  return frame.toRecords() as unknown as Row<C>[];
}

/** Writes `lines` as a CSV file; gives its path. */
function csv(lines: string[]): string {
  const path = join(folder, "table.csv");
  writeFileSync(path, lines.join("\n") + "\n");
  return path;
}

/** The message of the error that reading `lines` throws, without the path. */
function fault<C extends Columns>(schema: TableSchema<C>, lines: string[]): string {
  const path = csv(lines);
  try {
    readTable(path, schema);
  } catch (error) {
    return (error as Error).message.replace(`${path}, `, "");
  }
  return "no error";
}

const TABLE1 = [
  "size,bits,qid,tokens_trillions,tokens,provenance",
  "1000000000,2,0.2,0.0011,1100000000,published",
  "1000000000,2,0.3,0.0025,2500000000,published",
  "7000000000,2,0.2,0.0026,2600000000,published",
];
const FIGURE2 = [
  "model,size,step,tokens,bits,loss16,loss_quantized,qid,provenance",
  "Pythia-1B,805736448,2000,4194304000,2,3.916,,,digitised",
  "Pythia-1B,805736448,2000,4194304000,3,3.916,3.946,0.030,digitised",
];

/** `lines` with one cell replaced; rows count as in the messages, columns from 0. */
function withCell(lines: string[], row: number, column: number, cell: string): string[] {
  return lines.map((line, index) =>
    index === row - 1 ? line.split(",").with(column, cell).join(",") : line
  );
}

// Facts that follow from Table 1 and Figure 1 alone: three laws, one a bit width.
const PER_BIT_WIDTH = [
  { bits: 2, k: 3.7812e-4, beta: 0.52382, alpha: 0.22473 },
  { bits: 3, k: 1.1702e-5, beta: 0.67273, alpha: 0.35469 },
  { bits: 4, k: 6.13249e-6, beta: 0.65506, alpha: 0.3835 },
];

function lawAt(bits: number) {
  const law = PER_BIT_WIDTH.find((entry) => entry.bits === bits);
  if (law === undefined) throw new Error(`no law at ${bits} bits`);
  return law;
}

describe("Table 1", () => {
  const rows = records(loadTable1(), schemas.table1);

  it("has the 48 cells of 4 sizes x 3 bit widths x 4 degradations, each once", () => {
    expect(rows).toHaveLength(48);
    expect(new Set(rows.map((r) => `${r.size}/${r.bits}/${r.qid}`)).size).toBe(48);
    expect([...new Set(rows.map((r) => r.size))]).toEqual([1e9, 7e9, 7e10, 4.05e11]);
    expect([...new Set(rows.map((r) => r.bits))]).toEqual([2, 3, 4]);
    expect([...new Set(rows.map((r) => r.qid))]).toEqual([0.2, 0.3, 0.4, 0.5]);
  });

  it("holds the cells that the paper quotes", () => {
    const cell = (size: number) =>
      rows.find((r) => r.size === size && r.bits === 4 && r.qid === 0.2)?.tokens_trillions;
    expect(cell(7e10)).toBe(17.3499);
    expect(cell(4.05e11)).toBe(48.4861);
  });

  it("is given back by one law a bit width, cell by cell (a wrong digit would stand out)", () => {
    for (const { size, bits, qid, tokens_trillions: printed } of rows) {
      const { k, beta, alpha } = lawAt(bits);
      const trillions = (qid * size ** alpha / k) ** (1 / beta) / 1e12;
      // The printed rounding, and 0.05 % for the rounding of the constants above.
      expect(Math.abs(trillions - printed)).toBeLessThanOrEqual(0.5e-4 + 5e-4 * printed);
    }
  });
});

describe("Figure 1's labels", () => {
  it("are nine, at 100 trillion tokens, and agree with the same three laws", () => {
    const rows = records(loadFigure1Labels(), schemas.figure1Labels);
    expect(rows.map((r) => [r.bits, r.size])).toEqual(
      [2, 3, 4].flatMap((bits) => [7e9, 7e10, 4.05e11].map((size) => [bits, size])),
    );
    for (const { size, bits, tokens, qid } of rows) {
      expect(tokens).toBe(1e14);
      const { k, beta, alpha } = lawAt(bits);
      expect(Math.abs(k * tokens ** beta / size ** alpha - qid)).toBeLessThan(0.011);
    }
  });
});

describe("Figure 2", () => {
  const rows = records(loadFigure2(), schemas.figure2).map((r) => ({ ...r, qid: r.qid ?? NaN }));

  it("has 3 models x 17 checkpoints x 2 bit widths, less the point that could not be read", () => {
    expect(rows).toHaveLength(3 * 17 * 2 - 1);
    expect(rows.filter((r) => r.bits === 2)).toHaveLength(50);
    expect(rows.filter((r) => r.bits === 3)).toHaveLength(51);
    expect(rows.find((r) => r.model === "Pythia-1B" && r.bits === 2 && r.step === 2000)).toBe(
      undefined,
    );
    const steps = [2, 4, 6, 8, 10, 12, 14, 20, 24, 29, 36, 43, 57, 71, 86, 93, 98];
    expect([...new Set(rows.map((r) => r.step / 1000))]).toEqual(steps);
  });

  it("ends where the figure ends", () => {
    const last = rows.filter((r) => r.step === 98_000).map((
      r,
    ) => [r.model, r.bits, r.loss_quantized]);
    expect(last).toEqual([
      ["Pythia-160M", 2, 9.149],
      ["Pythia-160M", 3, 4.502],
      ["Pythia-1B", 2, 5.812],
      ["Pythia-1B", 3, 3.283],
      ["Pythia-12B", 2, 4.974],
      ["Pythia-12B", 3, 2.885],
    ]);
  });

  it("uses the sizes of the Pythia table", () => {
    const sizes = new Map(
      records(loadPythiaSizes(), schemas.pythiaSizes).map((r) => [r.model, r.size]),
    );
    for (const { model, size } of rows) expect(size).toBe(sizes.get(model));
  });

  it.each([[2, 0.951], [3, 0.812]])(
    "lies at %i bits around the paper's unified law with R squared %f",
    (bits, rSquared) => {
      const points = rows.filter((r) => r.bits === bits);
      const mean = points.reduce((sum, r) => sum + r.qid, 0) / points.length;
      let residual = 0;
      let total = 0;
      for (const { size, tokens, qid } of points) {
        residual += (qid - 0.017 * tokens ** 0.5251 / (size ** 0.2261 * bits ** 5.4967)) ** 2;
        total += (qid - mean) ** 2;
      }
      expect(1 - residual / total).toBeCloseTo(rSquared, 2);
    },
  );
});

describe("Pythia sizes", () => {
  it("are the non-embedding counts of the eight model cards", () => {
    const rows = records(loadPythiaSizes(), schemas.pythiaSizes);
    expect(rows.map((r) => [r.model, r.size])).toEqual([
      ["Pythia-70M", 18_915_328],
      ["Pythia-160M", 85_056_000],
      ["Pythia-410M", 302_311_424],
      ["Pythia-1B", 805_736_448],
      ["Pythia-1.4B", 1_208_602_624],
      ["Pythia-2.8B", 2_517_652_480],
      ["Pythia-6.9B", 6_444_163_072],
      ["Pythia-12B", 11_327_027_200],
    ]);
    expect(rows.filter((r) => r.in_study === "yes").map((r) => r.model)).toEqual([
      "Pythia-160M",
      "Pythia-1B",
      "Pythia-12B",
    ]);
  });
});

describe("Token counts", () => {
  const rows = records(loadTokenCounts(), schemas.tokenCounts);

  it("each have a source that can be looked up and a date from 2020 to 2024", () => {
    for (const { source, year, month } of rows) {
      expect(source).toMatch(/^(https:\/\/(github\.com|huggingface\.co)\/|arXiv \d{4}\.\d{5})/);
      expect(year).toBeGreaterThanOrEqual(2020);
      expect(year).toBeLessThanOrEqual(2024);
      expect(month).toBeLessThanOrEqual(12);
    }
  });

  it("grow 50 times from GPT-3 6.7B to Llama-3-8B, as the caption of Figure 13 has it", () => {
    const tokens = (model: string) => rows.find((r) => r.model === model)?.tokens ?? NaN;
    expect(tokens("Llama-3-8B") / tokens("GPT-3 6.7B")).toBe(50);
    expect(tokens("Pythia-6.9B")).toBe(143_000 * 1024 * 2048);
  });

  it("stay within the class of 6 to 8 billion parameters", () => {
    for (const { nominal_size: nominal, total_parameters: total } of rows) {
      expect(nominal).toBeGreaterThanOrEqual(6e9);
      expect(nominal).toBeLessThanOrEqual(8e9);
      if (total !== null) expect(Math.abs(total / nominal - 1)).toBeLessThan(0.05);
    }
  });
});

describe("Learning-rate tables", () => {
  it.each([[1e9, 40, 0.26], [7e9, 44, 0.42], [13e9, 20, 0.41], [32e9, 26, 0.44]])(
    "OLMo 2 of %d parameters: the rows, and their exponent in the tokens",
    (size, count, exponent) => {
      const rows = records(loadOlmo2(), schemas.olmo2).filter((r) => r.nominal_size === size);
      expect(rows).toHaveLength(count);
      const line = linearRegression(
        rows.map((r) => [Math.log(r.tokens), Math.log(r.relative_increase)]),
      );
      expect(Math.abs(line.m - exponent)).toBeLessThan(0.015);
    },
  );

  it("the error after the decay is above all errors before it", () => {
    const rows = records(loadSmollm3Wsd(), schemas.smollm3Wsd);
    expect(rows).toHaveLength(6);
    for (const row of rows) {
      expect(row.increase_high).toBeGreaterThanOrEqual(row.increase_low);
      expect(row.tokens_to).toBeGreaterThanOrEqual(row.tokens_from);
      if (row.phase === "constant") continue;
      const before = rows.find((r) =>
        r.phase === "constant" && r.model === row.model && r.bits === row.bits
      );
      expect(row.increase_low).toBeGreaterThan(before?.increase_high ?? NaN);
    }
  });
});

describe("frames", () => {
  it("have Float64 and String columns only, and the order of the schema", () => {
    for (
      const [frame, schema] of [
        [loadFigure2(), schemas.figure2],
        [loadTable1(), schemas.table1],
        [loadFigure1Labels(), schemas.figure1Labels],
        [loadPythiaSizes(), schemas.pythiaSizes],
        [loadTokenCounts(), schemas.tokenCounts],
        [loadOlmo2(), schemas.olmo2],
        [loadSmollm3Wsd(), schemas.smollm3Wsd],
      ] as const
    ) {
      expect(frame.columns).toEqual(Object.keys(schema.columns));
      const kinds = Object.values(schema.columns).map((c) =>
        c.kind === "number" ? "Float64" : "String"
      );
      expect(frame.dtypes.map((type) => type.variant)).toEqual(kinds);
    }
  });

  it("do not depend on the order of rows or columns in the file", () => {
    const expected = readTable(csv(TABLE1), schemas.table1).toRecords();
    const cells = TABLE1.map((line) => line.split(","));
    const [header = [], ...body] = cells;
    fc.assert(
      fc.property(
        fc.shuffledSubarray(body, { minLength: body.length }),
        fc.shuffledSubarray(header.map((_, i) => i), { minLength: header.length }),
        (rows, order) => {
          const lines = [header, ...rows].map((line) => order.map((i) => line[i]).join(","));
          expect(readTable(csv(lines), schemas.table1).toRecords()).toEqual(expected);
        },
      ),
      { numRuns: 30, seed: 1 },
    );
  });

  it("take quoted commas, quotes and CRLF, and give an empty optional cell as null", () => {
    const schema = table({
      columns: { name: { kind: "text" }, x: { kind: "number", unit: "1", optional: true } },
      key: ["name"],
    });
    const path = csv(['name,x\r\n"a, ""b""",1e-3\r\nc,\r']);
    expect(readTable(path, schema).toRecords()).toEqual([
      { name: 'a, "b"', x: 0.001 },
      { name: "c", x: null },
    ]);
  });
});

describe("a malformed file", () => {
  it("that is sound gives no error", () => {
    expect(fault(schemas.table1, TABLE1)).toBe("no error");
    expect(fault(schemas.figure2, FIGURE2)).toBe("no error");
  });

  it.each([
    ["abc", 'row 3, column tokens: expected a positive whole number: got "abc"'],
    ["", "row 3, column tokens: expected a positive whole number: got nothing"],
    ["0", 'row 3, column tokens: expected a positive whole number: got "0"'],
    ["-2500000000", 'row 3, column tokens: expected a positive whole number: got "-2500000000"'],
    ["2.5", 'row 3, column tokens: expected a positive whole number: got "2.5"'],
    ["NaN", 'row 3, column tokens: expected a positive whole number: got "NaN"'],
    ["1e999", 'row 3, column tokens: expected a positive whole number: got "1e999"'],
    ["0x10", 'row 3, column tokens: expected a positive whole number: got "0x10"'],
    [
      "2600000000",
      "row 3, column tokens: expected tokens_trillions x 10^12 = 2500000000: got 2600000000",
    ],
  ])("with the tokens cell %j", (cell, message) => {
    expect(fault(schemas.table1, withCell(TABLE1, 3, 4, cell))).toBe(message);
  });

  it("with a wrong word of provenance", () => {
    expect(fault(schemas.table1, withCell(TABLE1, 2, 5, "measured"))).toBe(
      'row 2, column provenance: expected "published": got "measured"',
    );
    const counts = [
      "model,year,month,tokens,count,nominal_size,total_parameters,source,note,provenance",
    ];
    expect(fault(schemas.tokenCounts, [...counts, "A,2020,5,1,guessed,1,1,s,n,published"])).toBe(
      'row 2, column count: expected "stated" or "at least" or "at most" or "corpus": got "guessed"',
    );
    expect(fault(schemas.tokenCounts, [...counts, "A,2020,5,1,stated,1,1,,n,published"])).toBe(
      "row 2, column source: expected text: got nothing",
    );
  });

  it("with missing, unknown, repeated or unnamed columns", () => {
    const rename = (to: string) => [TABLE1[0]?.replace("bits", to) ?? "", ...TABLE1.slice(1)];
    expect(fault(schemas.table1, TABLE1.map((line) => line.split(",").toSpliced(1, 1).join(","))))
      .toBe(
        "row 1, column bits: expected this column: got size, qid, tokens_trillions, tokens, provenance",
      );
    expect(fault(schemas.table1, rename("P"))).toBe(
      "row 1, column P: expected one of size, bits, qid, tokens_trillions, tokens, provenance: got another",
    );
    expect(fault(schemas.table1, rename("size"))).toBe(
      "row 1, column size: expected each column once: got it twice",
    );
    expect(fault(schemas.table1, rename(""))).toBe(
      "row 1, column 2: expected one of size, bits, qid, tokens_trillions, tokens, provenance: got no name",
    );
  });

  it("with too many or too few cells in a row", () => {
    expect(fault(schemas.table1, [...TABLE1, "7000000000,2,0.3,0.0057,5700000000,published,7"]))
      .toBe(
        'row 5, column 7: expected 6 cells: got "7" after them',
      );
    expect(fault(schemas.table1, [...TABLE1, "7000000000,2,0.3"])).toBe(
      "row 5, column tokens_trillions: expected a positive number: got nothing",
    );
    expect(fault(schemas.table1, TABLE1.toSpliced(2, 0, ""))).toBe(
      "row 3, column size: expected a positive whole number: got nothing",
    );
  });

  it("with the same row twice", () => {
    expect(fault(schemas.table1, [...TABLE1, TABLE1[1] ?? ""])).toBe(
      "row 5, column bits, size, qid: expected values that no other row has: " +
        "got bits 2, size 1000000000, qid 0.2, as in row 2",
    );
  });

  it("with values that contradict each other", () => {
    expect(fault(schemas.figure2, withCell(FIGURE2, 3, 7, "0.040"))).toBe(
      "row 3, column qid: expected loss_quantized - loss16 = 0.03: got 0.04",
    );
    expect(fault(schemas.figure2, withCell(FIGURE2, 2, 7, "0.040"))).toBe(
      "row 2, column qid: expected loss_quantized - loss16 = nothing: got 0.04",
    );
    expect(fault(schemas.figure2, withCell(FIGURE2, 2, 3, "4194304001"))).toBe(
      "row 2, column tokens: expected step x 2,097,152 (1,024 sequences of 2,048 tokens) = 4194304000: " +
        "got 4194304001",
    );
    expect(fault(schemas.figure2, withCell(FIGURE2, 2, 5, "3.9"))).toBe(
      "row 3, column loss16: expected 3.9, as in row 2 with the same size 805736448, step 2000: got 3.916",
    );
    expect(fault(schemas.pythiaSizes, [
      "model,size,layers,width,in_study,in_study_because,provenance",
      "Pythia-160M,85056001,12,768,yes,x,published",
    ])).toBe(
      "row 2, column size: expected layers (12 width^2 + 13 width) + 2 width = 85056000: got 85056001",
    );
  });

  it("that is empty, has no rows, breaks its quotes or is not there", () => {
    expect(fault(schemas.table1, [""])).toBe(
      "row 1, column 1: expected a header: got an empty file",
    );
    expect(fault(schemas.table1, TABLE1.slice(0, 1))).toBe(
      "row 2, column size: expected at least one row: got none",
    );
    expect(fault(schemas.table1, [...TABLE1, '7000000000,2,"0.3'])).toMatch(
      /^Cannot read .*: expected CSV with closed quotes$/,
    );
    expect(() => readTable("data/paper/none.csv", schemas.table1)).toThrow(
      "Cannot read data/paper/none.csv: expected a CSV file there",
    );
  });
});

describe("recordsOf", () => {
  it("lists rows as objects of numbers and words", () => {
    const [first] = recordsOf(loadFigure2());
    expect(first).toMatchObject({ model: "Pythia-160M", bits: 2, step: 2000, qid: 0.762 });
  });

  it("refuses an empty cell, and names its column and row", () => {
    const frame = readTable("data/paper/figure2.csv", schemas.figure2);
    expect(() => recordsOf(frame)).toThrow(
      "Cannot list the rows: loss_quantized of row 35 is empty: drop its row",
    );
  });
});

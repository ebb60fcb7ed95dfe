import pl from "nodejs-polars";
import { describe, expect, it } from "vitest";
import {
  effectiveBits,
  loadPublic,
  loadPublicModels,
  loadPublicTables,
  type ModelShape,
  nonEmbeddingParameters,
} from "../lib/public.ts";

const frame = loadPublic();
// deno-lint-ignore no-explicit-any -- rows with nulls
const rows = frame.toRecords() as any[];
const sizes = new Map(
  loadPublicModels().toRecords().map((row) => [String(row.model), Number(row.size)]),
);
const sizeOf = (model: string) => sizes.get(model) ?? NaN;

describe("non-embedding parameters", () => {
  // Totals and embeddings as the model cards print them.
  it.each([
    ["BLOOM-1.1B", 1_065_314_304, 385_351_680],
    ["BLOOM-3B", 3_002_557_440, 642_252_800],
    ["BLOOM-7.1B", 7_069_016_064, 250_880 * 4096],
    ["BLOOM-176B", 176_247_271_424, 3_596_615_680],
  ])("of %s are the total of its card without the embeddings", (model, total, embeddings) => {
    expect(sizeOf(model)).toBe(total - embeddings);
  });

  // Totals in millions, with the embedding, which these models share with the output, counted once.
  it.each([["Qwen3-0.6B", 596.0, 1024], ["Qwen3-1.7B", 1720.5, 2048], ["Qwen3-4B", 4022.3, 2560]])(
    "of %s and its embedding make the published %f million",
    (model, millions, width) => {
      expect((sizeOf(model) + 151_936 * width) / 1e6).toBeCloseTo(millions, 0);
    },
  );

  it("of Qwen3-14B are the 13.212 billion that ik_llama.cpp counts without embeddings", () => {
    expect(sizeOf("Qwen3-14B") / 1e9).toBeCloseTo(13.212, 3);
  });

  it("of the Pythia models are those of data/paper/pythia_sizes.csv", () => {
    expect([sizeOf("Pythia-160M"), sizeOf("Pythia-6.9B")]).toEqual([85_056_000, 6_444_163_072]);
  });

  it("say which part of a configuration is missing", () => {
    const shape = { architecture: "llama", layers: 2, width: null, nominal_size: 7 };
    expect(() => nonEmbeddingParameters(shape as unknown as ModelShape)).toThrow(
      "Cannot count parameters: needs width for the architecture llama: got nothing",
    );
  });
});

describe("effective bits", () => {
  it("are those of arXiv 2210.17323: 0.02 more in groups of 1,024, 0.15 more in groups of 128", () => {
    expect(effectiveBits(3, 1024) - 3).toBeCloseTo(0.02, 2);
    expect(effectiveBits(3, 128) - 3).toBeCloseTo(0.15, 2);
  });

  it("of llama.cpp's 4-bit types are 4.5 and 5, as its table prints them", () => {
    const of = (setting: string) =>
      rows.find((row) => row.table === "llama.cpp-readme" && row.setting === setting)
        ?.effective_bits;
    expect([of("q4_0"), of("q4_1"), of("q8_0")]).toEqual([4.5, 5, 8.5]);
  });
});

describe("measurements", () => {
  it("hold cells that were read at their sources", () => {
    const cell = (
      table: string,
      model: string,
      method: string,
      bits: number,
      group: number | null,
    ) =>
      rows.find((row) =>
        row.table === table && row.model === model && row.method === method && row.bits === bits &&
        row.group_size === group && row.test === "wikitext2"
      )?.ppl_quantized;
    expect(cell("ist-gptq", "LLaMA-7B", "gptq", 4, null)).toBe(6.09);
    expect(cell("gptq-paper", "OPT-175B", "gptq", 3, 128)).toBe(8.45);
    expect(cell("omniquant", "Llama-2-13B", "rtn", 3, null)).toBe(10.68);
    expect(cell("omniquant-opt", "OPT-30B", "awq", 4, 128)).toBe(9.59);
    expect(cell("llama3-study", "Llama-3-8B", "gptq", 4, null)).toBe(7.0);
    expect(cell("qwen3-study", "Qwen3-8B-Base", "gptq", 4, null)).toBe(7.63);
  });

  it("each have a source, and each source rows", () => {
    const named = new Set(loadPublicTables().getColumn("table").toArray());
    expect(new Set(rows.map((row) => row.table))).toEqual(named);
    for (const { source } of rows) {
      expect(source).toMatch(/^(github\.com\/|huggingface\.co\/|arXiv \d{4}\.\d{5})/);
    }
  });

  it("with a mark have a reason, those without have none", () => {
    for (const { mark, reason } of rows) expect(mark === "suspect").toBe(reason !== "none");
  });

  it("below the 16-bit value at 4 bits or fewer are all marked", () => {
    const strange = rows.filter(({ qid, bits }) => qid < 0 && bits <= 4);
    expect(strange.length).toBeGreaterThan(0);
    expect(strange.filter(({ mark }) => mark !== "suspect")).toEqual([]);
  });

  it("are confirmed for the most part, and say so of the rest", () => {
    const count = (word: string) => rows.filter(({ confirmed }) => confirmed === word).length;
    expect(rows.length).toBe(1500);
    expect(["confirmed", "copy", "not reached", "contradicted"].map(count)).toEqual([
      1266,
      150,
      81,
      3,
    ]);
  });

  it("join to models of 0.08 to 174 billion parameters and 0.18 to 36 trillion tokens", () => {
    const range = (name: string) => {
      const column = frame.filter(pl.col(name).isNotNull()).getColumn(name);
      return [column.min(), column.max()];
    };
    expect(range("size")).toEqual([85_056_000, 173_961_535_488]);
    expect(range("tokens")).toEqual([180e9, 36e12]);
  });
});

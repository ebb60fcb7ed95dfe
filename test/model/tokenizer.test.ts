import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { openTokenizer } from "../../lib/model/mod.ts";

const fixtures = join(import.meta.dirname!, "fixtures");
const expected: { text: string; ids: number[] }[] = JSON.parse(
  readFileSync(join(fixtures, "tokenizer_expected.json"), "utf8"),
);
const scratch = mkdtempSync(join(tmpdir(), "tokenizer-"));
afterAll(() => rmSync(scratch, { recursive: true }));

describe("a tokenizer", () => {
  const tokenizer = openTokenizer(join(fixtures, "llama"))!;

  it.each(expected)("gives the ids of the public library: $text", ({ text, ids }) => {
    expect([...tokenizer.encode(text)]).toEqual(ids);
  });

  it.each(expected)("knows how many bytes tokens stand for: $text", ({ text, ids }) => {
    const bytes = ids.reduce((sum, id) => sum + tokenizer.bytes[id]!, 0);
    expect(bytes).toBe(new TextEncoder().encode(text).length);
  });

  it("counts bytes in a vocabulary with marks for spaces and bytes", () => {
    const json = JSON.parse(readFileSync(join(fixtures, "llama", "tokenizer.json"), "utf8"));
    const vocab = { "<s>": 0, "\u2581the": 1, "<0xE2>": 2, "\u2581": 3, "caf\u00e9": 4 };
    const sentencePiece = {
      ...json,
      added_tokens: [{ ...json.added_tokens[0], id: 0, content: "<s>" }],
      pre_tokenizer: { type: "Metaspace", replacement: "\u2581", prepend_scheme: "never" },
      decoder: { type: "ByteFallback" },
      model: { ...json.model, vocab, merges: [], byte_fallback: true },
    };
    writeFileSync(join(scratch, "tokenizer.json"), JSON.stringify(sentencePiece));
    expect([...openTokenizer(scratch)!.bytes]).toEqual([3, 4, 1, 1, 5]);
  });

  it("is undefined where there is none, and says which file is broken", () => {
    expect(openTokenizer(fixtures)).toBeUndefined();
    writeFileSync(join(scratch, "tokenizer.json"), "{");
    expect(() => openTokenizer(scratch)).toThrow(`Cannot read the tokenizer ${scratch}`);
  });
});

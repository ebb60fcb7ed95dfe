import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { readSequences } from "../../lib/measure/mod.ts";

const folder = mkdtempSync(join(tmpdir(), "sequences-"));
afterAll(() => rmSync(folder, { recursive: true }));

const file = join(folder, "text.txt");
// Byte i is i: where a sequence starts is its first byte.
writeFileSync(file, Uint8Array.from({ length: 101 }, (_, i) => i));
const text = { name: "text", file, length: 10 };
const startsOf = (tokens: ArrayLike<number>) =>
  Array.from({ length: tokens.length / 11 }, (_, row) => tokens[11 * row]!);

describe("sequences of a text", () => {
  it("lie evenly from its start to its end", () => {
    const { tokens, length, stride } = readSequences({ ...text, sequences: 4 });
    expect([length, stride]).toEqual([10, 30]);
    expect(startsOf(tokens)).toEqual([0, 30, 60, 90]);
    expect([...tokens.slice(33)]).toEqual([90, 91, 92, 93, 94, 95, 96, 97, 98, 99, 100]);
  });

  it("are drawn by a seed, none twice", () => {
    const draw = (seed: number, sequences = 6) => readSequences({ ...text, sequences, seed });
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1).sha256).not.toBe(draw(2).sha256);
    expect(startsOf(draw(5, 10).tokens).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 10 }, (_, i) => 10 * i),
    );
  });

  it("are refused when the text is too short, or not there", () => {
    expect(() => readSequences({ ...text, sequences: 11 })).toThrow(
      `Cannot take 11 sequences of 10 bytes from ${file}: needs 111 bytes: got 101`,
    );
    const none = join(folder, "none.txt");
    expect(() => readSequences({ ...text, file: none, sequences: 1 })).toThrow(
      `Cannot read the text ${none}`,
    );
  });
});

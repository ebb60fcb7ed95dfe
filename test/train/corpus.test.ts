import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { Assembly } from "../../lib/train/corpus/assemble.ts";
import { extract } from "../../lib/train/corpus/extract.ts";
import type { FormatName } from "../../lib/train/corpus/formats.ts";
import { isProse, tidy } from "../../lib/train/corpus/prose.ts";
import { buildCorpus, readRecipe, readText, type Recipe } from "../../lib/train/mod.ts";

const scratch = mkdtempSync(join(tmpdir(), "corpus-"));
afterAll(() => rmSync(scratch, { recursive: true }));

/** A paragraph of prose that is told from others by its number. */
const prose = (i: number) =>
  `This is the paragraph of number ${i}, and it is long enough to be taken for one that was written.`;

const sha256 = (path: string) => createHash("sha256").update(readFileSync(path)).digest("hex");
const linesOf = (path: string) => readFileSync(path, "utf8").split("\n").slice(0, -1);

describe("prose", () => {
  it("is text of 40 characters with plain letters and common words", () => {
    expect(isProse("The cat sat on the mat and looked at him.")).toBe(true);
    expect(isProse("The cat sat on the mat.")).toBe(false); // short
    expect(isProse("x = f(a[0], b[1]) + 17 * 3 # the sum of it and of that")).toBe(false);
    expect(isProse("Ein Satz, der auf Deutsch ist, hat kaum eines dieser W\u00f6rter.")).toBe(
      false,
    );
    expect(isProse("alphabet binary capacity driver element function gateway hash")).toBe(false);
  });

  it("is tidied into one line, which tidying leaves alone", () => {
    expect(tidy("  One\n\ttwo\u00a0\u201cthree\u201d \u2014 fo\u00adur\u2026 ")).toBe(
      'One two "three" -- four...',
    );
    const unit = fc.constantFrom(..."a \n\u2014\u2026\u00ad\u0085\u{1f600}");
    fc.assert(fc.property(fc.string({ unit }), (text) => {
      expect(tidy(tidy(text))).toBe(tidy(text));
    }));
  });
});

describe("formats", () => {
  const first = "Here is a sentence of some length that is in the first paragraph.";
  const second = "And this is another of the same kind, which comes after the first.";
  /** The same two paragraphs in every format. */
  const files: Record<Exclude<FormatName, "sword">, string | Uint8Array> = {
    text: gzipSync(`${first.replace(" that", "\nthat")}\n%\n${second}\n`),
    html: `<html><head><title>${first} No.</title></head><body><p>${
      first.replace("sentence", "<em>sent</em>ence")
    }<ul><li>${second}</ul><pre>${first} Not this one.</pre></body>`,
    rst: `Title\n=====\n\n.. note:: ${second} Not this.\n\n${
      first.replace("sentence", ":ref:`sentence <x>`").replace("length", "``length``")
    }\n\n:field: it is the one\n\n${second}`,
    pod: `=head1 NAME of the thing that is not to be taken here\n\n${
      first.replace("sentence", "C<sentence>").replace("length", "L<length|perlfunc/of>")
    }\n\n    ${second} Not this.\n\n${second}\n`,
    json: JSON.stringify([{ id: "the-id", text: [first] }, { deep: { name: second, n: 1 } }]),
    wordnet:
      `  1 the licence of the list\n0001 04 n 01 x 0 | ${first}  \n0002 04 n 01 y 0 | ${second}`,
  };

  for (const [format, content] of Object.entries(files)) {
    it(`takes the paragraphs out of ${format}`, () => {
      const folder = mkdtempSync(join(scratch, "format-"));
      writeFileSync(join(folder, "file"), content);
      const found = extract(folder, { format: format as FormatName, files: ["*"] });
      expect(found).toEqual([first, second]);
    });
  }

  it("inflates the blocks of a SWORD module", () => {
    const folder = mkdtempSync(join(scratch, "sword-"));
    const blocks = [first, second].map((text) => deflateSync(`<verse osisID="x"/>${text}<p/>`));
    const index = new Uint32Array([0, blocks[0]!.length, 99, 0, 0, 0, blocks[0]!.length]);
    const last = new Uint32Array([...index, blocks[1]!.length, 99]);
    writeFileSync(join(folder, "ot.bzz"), Buffer.concat(blocks));
    writeFileSync(join(folder, "ot.bzs"), new Uint8Array(last.buffer));
    expect(extract(folder, { format: "sword", files: ["*.bzz"] })).toEqual([first, second]);
    writeFileSync(join(folder, "ot.bzz"), blocks[0]!);
    expect(() => extract(folder, { format: "sword", files: ["*.bzz"] })).toThrow(/ot\.bzz.*block/);
  });

  it("reads windows-1252 where a file is not UTF-8, and names a file it cannot read", () => {
    const folder = mkdtempSync(join(scratch, "encoding-"));
    writeFileSync(
      join(folder, "a.txt"),
      Buffer.from(first.replace("sentence", "caf\u00e9"), "latin1"),
    );
    expect(extract(folder, { format: "text", files: ["*.txt"] })[0]).toContain("caf\u00e9");
    writeFileSync(join(folder, "b.json"), "{");
    expect(() => extract(folder, { format: "json", files: ["*.json"] })).toThrow(/b\.json as json/);
    expect(() => extract(folder, { format: "json", files: ["*.x"] })).toThrow("No file fits *.x");
  });

  it("takes files in the order of their paths, without those that are excepted", () => {
    const folder = mkdtempSync(join(scratch, "order-"));
    for (const path of ["b/2", "a", "b/10", "B"]) {
      mkdirSync(join(folder, path, ".."), { recursive: true });
      writeFileSync(join(folder, path), `${first} In ${path.replace("/", " ")}`);
    }
    const found = extract(folder, { format: "text", files: ["**"], except: ["b/10"] });
    expect(found.map((text) => text.split(" In ")[1])).toEqual(["B", "a", "b 2"]);
  });
});

describe("the texts", () => {
  it("hold each paragraph once, and none of a test text is trained on", () => {
    const folder = mkdtempSync(join(scratch, "texts-"));
    const assembly = new Assembly(folder, { chunkBytes: 500, heldOut: 0.1 });
    const numbers = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, i) => prose(from + i));
    assembly.addOutOfDomain([...numbers(0, 50), ...numbers(0, 5)]);
    assembly.addTraining([...numbers(40, 1000), ...numbers(300, 400)]);
    const kept = assembly.addTraining(numbers(900, 2000));
    const written = assembly.finish();
    const [train, inDomain, outOfDomain] = ["train", "in_domain", "out_of_domain"].map((name) =>
      linesOf(join(folder, `${name}.txt`))
    ) as [string[], string[], string[]];
    expect(outOfDomain).toEqual(numbers(0, 50));
    expect(kept.paragraphs).toBe(1000);
    expect([...train, ...inDomain].sort()).toEqual(numbers(50, 2000).sort());
    // 10 % of about 325 chunks, give or take three standard deviations.
    expect(inDomain.length).toBeGreaterThan(0.05 * 1950);
    expect(inDomain.length).toBeLessThan(0.15 * 1950);
    expect(written.train.sha256).toBe(sha256(join(folder, "train.txt")));
    expect(written.train.bytes).toBe(readFileSync(join(folder, "train.txt")).length);
  });

  it("have a chunk to test on even where the hash holds none out", () => {
    const folder = mkdtempSync(join(scratch, "small-"));
    const assembly = new Assembly(folder, { chunkBytes: 90, heldOut: 1e-9 });
    const paragraphs = [1, 2, 3, 4].map(prose);
    assembly.addTraining(paragraphs);
    assembly.finish();
    const [train, test] = ["train", "in_domain"].map((name) =>
      linesOf(join(folder, `${name}.txt`))
    );
    expect(test).toHaveLength(1);
    expect([...train!, ...test!].sort()).toEqual(paragraphs.sort());
  });
});

describe("a corpus", () => {
  const recipe: Recipe = {
    extraction: 1,
    chunkBytes: 300,
    heldOut: 0.1,
    train: [],
    outOfDomain: [],
  };

  /** Two files of one's own, one of them compressed. */
  function ownTexts(): string[] {
    const folder = mkdtempSync(join(scratch, "own-"));
    const paths = [join(folder, "a.txt"), join(folder, "b.html.gz")];
    const text = Array.from({ length: 60 }, (_, i) => prose(i)).join("\n\n");
    writeFileSync(paths[0]!, text);
    writeFileSync(paths[1]!, gzipSync(`<p>kurz</p><p>${prose(3)}</p><p>${prose(70)}</p>`));
    return paths;
  }

  it("is built of one's own texts, whatever their language, to the same bytes", async () => {
    const texts = ownTexts();
    const [out, again] = [join(scratch, "built"), join(scratch, "again")];
    const manifest = await buildCorpus(recipe, { out, texts });
    const second = await buildCorpus(recipe, { out: again, texts });
    expect(second).toEqual(manifest);
    expect(manifest.parts.map(({ name, paragraphs }) => [name, paragraphs])).toEqual([
      ["a.txt", 60],
      ["b.html.gz", 2],
    ]);
    const { bytes } = readText(out, "train");
    expect(new TextDecoder().decode(bytes) + readFileSync(join(out, "in_domain.txt"), "utf8"))
      .toContain("kurz\n");
    expect(JSON.stringify(manifest)).not.toContain(scratch);
    expect(readdirSync(out).filter((name) => name.endsWith(".partial"))).toEqual([]);
  });

  it("is refused when its text was cut, naming the file", async () => {
    const out = join(scratch, "cut");
    await buildCorpus(recipe, { out, texts: ownTexts() });
    const path = join(out, "train.txt");
    writeFileSync(path, readFileSync(path).subarray(0, -1));
    expect(() => readText(out, "train")).toThrow(/cut\/train\.txt is not the text/);
    expect(() => readText(join(scratch, "nowhere"), "train")).toThrow("deno task corpus");
  });

  it("keeps the texts that are there when a build fails", async () => {
    const out = join(scratch, "kept");
    const [text] = ownTexts();
    await buildCorpus(recipe, { out, texts: [text!] });
    const before = sha256(join(out, "train.txt"));
    const broken = join(scratch, "broken.json");
    writeFileSync(broken, "{");
    await expect(buildCorpus(recipe, { out, texts: [text!, broken] })).rejects.toThrow(
      "broken.json",
    );
    await expect(buildCorpus(recipe, { out, texts: [join(scratch, "no.txt")] })).rejects.toThrow(
      "No file",
    );
    expect(sha256(join(out, "train.txt"))).toBe(before);
    expect(existsSync(join(out, ".train.txt.partial"))).toBe(false);
  });
});

describe("recipes", () => {
  it("of the suite are sound, and errors name the entry", () => {
    const path = new URL("../../data/suite/recipe.json", import.meta.url);
    expect(readRecipe(path).train.length).toBeGreaterThan(30);
    const wrong = join(scratch, "recipe.json");
    const part = { name: "x", version: "1", from: "npm", format: "pdf", files: ["*"], licence: "" };
    const recipe = { extraction: 1, chunkBytes: 9, heldOut: 0.1, train: [part], outOfDomain: [] };
    writeFileSync(wrong, JSON.stringify(recipe));
    expect(() => readRecipe(wrong)).toThrow(/train, x: needs text, html, .*: got "pdf"/);
  });
});

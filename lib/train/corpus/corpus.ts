/** Builds a corpus in a folder, and reads one back. */
import { createHash, hash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { lockFolder } from "../lock.ts";
import { Assembly, type HoldOut, textFiles, type TextName } from "./assemble.ts";
import { extract, paragraphsOf } from "./extract.ts";
import type { FormatName } from "./formats.ts";
import { fetchPackage, hasApt } from "./packages.ts";
import type { Part, Recipe } from "./recipe.ts";
import { TextWriter, type WrittenText } from "./text_writer.ts";

/** What a corpus was made of, and what came out: corpus.json beside its texts. */
export interface CorpusManifest extends HoldOut {
  readonly extraction: number;
  readonly texts: Readonly<Record<TextName, WrittenText>>;
  readonly parts: readonly PartRecord[];
  /** Packages that could not be had, with the reason. */
  readonly missing: readonly { readonly name: string; readonly reason: string }[];
}

/** One source of a corpus. */
export interface PartRecord {
  readonly name: string;
  readonly from: Part["from"] | "file";
  readonly version?: string;
  /** SHA-256 of the package's file. */
  readonly archive?: string;
  /** SHA-256 of the prose that was taken out, before paragraphs were dropped. */
  readonly prose: string;
  /** Paragraphs and bytes that were kept. */
  readonly paragraphs: number;
  readonly bytes: number;
}

/** What a build reports on its way. */
export interface BuildProgress {
  readonly name: string;
  readonly done: number;
  readonly of: number;
  /** Undefined when the package could not be had. */
  readonly record: PartRecord | undefined;
  readonly reason?: string;
}

/** Where a corpus is built. */
export interface BuildOptions {
  /** Folder of the texts; downloads go below it. */
  readonly out: string;
  /** Files to train on instead of the recipe's packages. */
  readonly texts?: readonly string[];
  readonly onProgress?: (progress: BuildProgress) => void;
}

const manifestName = "corpus.json";

/**
 * Builds the texts of a recipe. Equal packages give equal bytes. What was downloaded and extracted
 * before is used again, so a build that was killed goes on where it was; texts appear when whole.
 *
 * A package that cannot be had is left out and listed under `missing`.
 * @throws if nothing is left to train on, a file is not in its format, or the disk is full.
 */
export async function buildCorpus(recipe: Recipe, options: BuildOptions): Promise<CorpusManifest> {
  const { out, texts = [], onProgress = () => {} } = options;
  for (const path of texts) if (!existsSync(path)) throw new Error(`No file ${path}`);
  const cache = join(out, "cache");
  mkdirSync(cache, { recursive: true });
  using _lock = lockFolder(cache, "build a corpus");
  for (const name of readdirSync(cache)) {
    if (name.startsWith("unpacked-")) rmSync(join(cache, name), { recursive: true, force: true });
  }
  const apt = await hasApt();
  const parts: PartRecord[] = [];
  const missing: { name: string; reason: string }[] = [];
  const assembly = new Assembly(out, recipe);
  const training = texts.length > 0 ? texts : recipe.train;
  const of = recipe.outOfDomain.length + training.length;
  const add = async (source: Part | string, kind: "addTraining" | "addOutOfDomain") => {
    const name = typeof source === "string" ? basename(source) : source.name;
    const done = parts.length + missing.length + 1;
    try {
      const { lines, ...known } = typeof source === "string"
        ? readOwn(source)
        : await readPart(source, { cache, recipe, apt });
      const record = { name, ...known, ...assembly[kind](lines) };
      parts.push(record);
      onProgress({ name, done, of, record });
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      missing.push({ name, reason: error.message });
      onProgress({ name, done, of, record: undefined, reason: error.message });
    }
  };
  try {
    for (const part of recipe.outOfDomain) await add(part, "addOutOfDomain");
    for (const source of training) await add(source, "addTraining");
    if (parts.length <= recipe.outOfDomain.length) {
      throw new Error("Cannot build a text to train on: none of its packages could be had");
    }
    const { extraction, chunkBytes, heldOut } = recipe;
    const manifest = { extraction, chunkBytes, heldOut, texts: assembly.finish(), parts, missing };
    writeWhole(join(out, manifestName), `${JSON.stringify(manifest, null, 2)}\n`);
    return manifest;
  } finally {
    assembly.discard();
  }
}

/** Reads what a built corpus was made of; throws when there is none. */
export function readManifest(path: string | URL): CorpusManifest {
  return JSON.parse(readFileSync(path, "utf8")) as CorpusManifest;
}

/** One text of a corpus. */
export interface CorpusText {
  readonly bytes: Uint8Array;
  readonly sha256: string;
}

/**
 * Reads one text of a built corpus.
 * @throws if it is not there, or is not the text that corpus.json tells of.
 */
export function readText(folder: string, name: TextName): CorpusText {
  const path = join(folder, textFiles[name]);
  const manifest = join(folder, manifestName);
  if (!existsSync(path) || !existsSync(manifest)) {
    throw new Error(`No corpus in ${folder}: build it with: deno task corpus`);
  }
  const { sha256 } = readManifest(manifest).texts[name];
  const bytes = new Uint8Array(readFileSync(path));
  const found = createHash("sha256").update(bytes).digest("hex");
  if (found !== sha256) {
    throw new Error(
      `${path} is not the text of ${manifest}: needs SHA-256 ${sha256}: got ${found}: ` +
        "build it again with: deno task corpus",
    );
  }
  return { bytes, sha256 };
}

class Unavailable extends Error {}

interface Prose extends Omit<PartRecord, "name" | "paragraphs" | "bytes"> {
  readonly lines: string[];
}

interface PartOptions {
  readonly cache: string;
  readonly recipe: Recipe;
  readonly apt: boolean;
}

/** The prose of a package, from the cache if it was extracted before. */
async function readPart(part: Part, { cache, recipe, apt }: PartOptions): Promise<Prose> {
  const { name, from, format, files, except } = part;
  if (from === "debian" && !apt) {
    throw new Unavailable("a Debian package, and there is no apt-get on this machine");
  }
  const fetched = await fetchPackage(part, cache).catch((error: Error) => {
    throw new Unavailable(error.message, { cause: error });
  });
  const { version, archive } = fetched;
  const how = { extraction: recipe.extraction, archive, version, format, files, except };
  const key = hash("sha256", JSON.stringify(how), "hex").slice(0, 16);
  const path = join(cache, "prose", `${name}-${key}.txt`);
  if (!existsSync(path)) {
    const lines = await fetched.unpacked((folder) => extract(folder, part));
    writeWhole(path, lines.map((line) => `${line}\n`).join(""));
  }
  const text = readFileSync(path, "utf8");
  const prose = hash("sha256", text, "hex");
  return { from, version, archive, prose, lines: linesOf(text) };
}

/** All paragraphs of a file of one's own: its language is its owner's matter. */
function readOwn(path: string): Prose {
  const lines = paragraphsOf(path, formatOf(path)).filter((line) => line !== "");
  return { from: "file", prose: hash("sha256", lines.join("\n"), "hex"), lines };
}

function formatOf(path: string): FormatName {
  const ending = path.replace(/\.gz$/, "").split(".").at(-1)!.toLowerCase();
  const known: Record<string, FormatName> = {
    html: "html",
    htm: "html",
    rst: "rst",
    pod: "pod",
    json: "json",
  };
  return known[ending] ?? "text";
}

function linesOf(text: string): string[] {
  return text.split("\n").filter((line) => line !== "");
}

function writeWhole(path: string, text: string): void {
  const writer = new TextWriter(path);
  try {
    writer.write(text);
    writer.close();
    writer.commit();
  } finally {
    writer.discard();
  }
}

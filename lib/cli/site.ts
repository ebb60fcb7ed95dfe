/** `deno task site`: writes the notebooks as web pages that need no network. */
import { Command } from "commander";
import { listNotebooks } from "../notebook/mod.ts";
import { opening, writeSite } from "../notebook/site/mod.ts";

if (import.meta.main) {
  const command = new Command("deno task site")
    .description(
      "Writes one offline HTML page a notebook, and an index. The pages show the outputs that the\n" +
        "notebooks hold: execute them first with `deno task notebooks` if they have none.",
    )
    .option("--out <folder>", "folder to write into", "site")
    .addHelpText("after", "\nExample:\n  deno task site --out pages")
    .allowExcessArguments(false)
    .parse();
  try {
    await main(command.opts().out);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    Deno.exit(1);
  }
}

async function main(out: string): Promise<void> {
  // What the whole is, README says; so the index needs no words of its own.
  const { title, paragraph } = opening(await Deno.readTextFile("README.md"));
  if (!title) throw new Error('Cannot write the index: README.md needs a heading "# Title"');
  const notebooks = await listNotebooks("notebooks");
  const pages = await writeSite(notebooks, { out, title, introduction: paragraph ?? "" });
  for (const { path, bytes } of pages) console.log(`${path}  ${Math.ceil(bytes / 1000)} kB`);
}

/** `deno task figures`: draws every figure into figures/, or checks those that are there. */
import { Command } from "commander";
import { type ExportedFigure, exportFigures, figures } from "../figures/mod.ts";

interface Options {
  check?: boolean;
  list?: boolean;
  out: string;
}

const explanations: Record<ExportedFigure["status"], string> = {
  written: "✓ written",
  unchanged: "✓ unchanged",
  same: "✓",
  changed: "✗ changed: compare it with",
  missing: "✗ missing:",
  unknown: "✗ no figure draws",
};

if (import.meta.main) {
  const command = new Command("deno task figures")
    .description("Draws the figures as SVG files. This is also how a changed figure is accepted.")
    .argument("[names...]", "figures to draw; all if left out")
    .option("--check", "compare with the files that are there, and write none of them")
    .option("--list", "print the names of the figures")
    .option("--out <folder>", "folder of the SVG files", "figures")
    .addHelpText(
      "after",
      `
Examples:
  deno task figures                        draw all into figures/
  deno task figures figure-1 table-1       draw two
  deno task figures --check                fail when a figure differs from its file
  deno task figures --out mine             draw all elsewhere`,
    )
    .parse();
  try {
    await run(command.args, command.opts<Options>());
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    Deno.exit(1);
  }
}

async function run(names: readonly string[], { check, list, out }: Options): Promise<void> {
  if (list) {
    for (const name of Object.keys(figures)) console.log(name);
    return;
  }
  const exported = await exportFigures({
    out,
    check,
    only: names.length > 0 ? names : undefined,
    onProgress: ({ name, status, path }) => {
      const detail = status === "unchanged" || status === "same" ? "" : ` ${path}`;
      console.log(`${name.padEnd(20)} ${explanations[status]}${detail}`);
    },
  });
  if (!check) return;
  const failed = exported.filter(({ status }) => status !== "same");
  if (failed.length > 0) {
    console.log(
      "\nTo accept: deno task figures. A file that no figure draws: delete it, or add the figure to " +
        "lib/figures/registry.ts",
    );
  }
  console.log(`\n${exported.length - failed.length} passed, ${failed.length} failed`);
  if (failed.length > 0) Deno.exit(1);
}

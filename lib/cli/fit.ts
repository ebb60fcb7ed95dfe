/** `deno task fit`: fits a law to a table of one's own. */
import { Command, InvalidArgumentError, Option } from "commander";
import { renameSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { ownTable } from "../figures/mod.ts";
import { bitList } from "./bit_list.ts";
import { laws } from "../laws/mod.ts";
import { fitTable, rangesOf, readLawTable, type TableOptions } from "./law_table.ts";

interface Flags extends TableOptions {
  readonly out?: string;
}

const examples = `
The table has the columns size (N), tokens (D), bits (P) and qid (nats per token): what deno task
measure writes, or your own. Where it has methods, texts and models, rows are chosen by them.
Writes TABLE-LAW.svg and TABLE-LAW.json beside the table.

Examples:
  deno task fit qid.parquet --law unified
  deno task fit qid.parquet --law unified --method rtn --test in_domain --bits 2,3,4,8
  deno task fit data/paper/figure2.csv --law unified --out digitised`;

if (import.meta.main) {
  await new Command("deno task fit")
    .description("Fits a law to a table, prints its parameters with intervals, and draws them.")
    .argument("<table>", "a .parquet or .csv file")
    .addOption(
      new Option("--law <name>", "the law").choices(Object.keys(laws)).default("unified"),
    )
    .option("--method <name>", "gptq, or gptq:group=32 where there are several (default: gptq)")
    .option("--test <name>", "the text whose rows are used (default: the first)")
    .option("--bits <list>", "bit widths whose rows are used", bitList, [2, 3, 4])
    .addOption(
      new Option("--space <name>", "least squares of QiD, or of its logarithm")
        .choices(["raw", "log"]).default("raw"),
    )
    .addOption(
      new Option(
        "--by <unit>",
        "what is drawn again for the intervals (default: model, if there are 4)",
      )
        .choices(["row", "model"]),
    )
    .option("--resamples <count>", "resamples for the intervals", whole, 1000)
    .option("--out <stem>", "write STEM.svg and STEM.json")
    .addHelpText("after", examples)
    .allowExcessArguments(false)
    .action((path: string, flags: Flags) => {
      try {
        run(path, flags);
      } catch (error) {
        console.error(`error: ${error instanceof Error ? error.message : String(error)}`);
        Deno.exit(1);
      }
    })
    .parseAsync();
}

function whole(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError("needs a whole number");
  return Number(text);
}

function run(path: string, flags: Flags): void {
  const table = readLawTable(path, flags);
  const fitted = fitTable(table, flags);
  const { fit } = fitted;
  const { law } = fit;
  console.log(String(fitted));
  console.log(
    `Fit: ${fit.rows} rows, R squared ${fit.rSquared.toFixed(4)}, ${fit.status}` +
      `${fit.usable ? "" : ": NOT usable"}`,
  );
  for (const note of table.notes) console.log(`- ${note}`);
  const stem = flags.out ?? join(dirname(path), `${table.name}-${law.name}`);
  const result = {
    law: law.name,
    title: law.title,
    source: law.source,
    table: basename(path),
    table_sha256: table.sha256,
    rows: fit.rows,
    ranges: rangesOf(table),
    notes: table.notes,
    ...{ space: fit.space, loss: fit.loss, status: fit.status, usable: fit.usable },
    parameters: fit.parameters,
    intervals: fitted.intervals,
    level: fitted.level,
    resamples: fitted.resamples,
    standard_errors: fitted.standardErrors,
    ...{ r_squared: fit.rSquared, r_squared_log: orNull(fit.rSquaredLog) },
  };
  writeWhole(`${stem}.json`, `${JSON.stringify(result, null, 2)}\n`);
  const { provenance } = table;
  const { svg } = ownTable({ fitted, frame: table.frame, table: table.name, provenance });
  writeWhole(`${stem}.svg`, svg);
  console.log(`${stem}.svg and ${stem}.json are written`);
}

/** A number that JSON has. */
function orNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

function writeWhole(path: string, text: string): void {
  writeFileSync(`${path}.partial`, text);
  renameSync(`${path}.partial`, path);
}

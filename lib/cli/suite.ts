/** `deno task suite`: the tables and kept checkpoints of data/suite/ from the folders of trained runs. */
import { Command } from "commander";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { suiteFolder, suiteTables, writeSuiteRows } from "../suite_tables.ts";
import { type Unseen, writePredictions } from "../suite_predictions.ts";
import {
  readRecord,
  type RunRecord,
  runSize,
  suiteSeries,
  textFiles,
  tokensPerStep,
} from "../train/mod.ts";
import {
  bitnetRows,
  fluctuationRows,
  keepCheckpoints,
  runRow,
  trainingRows,
} from "./suite_rows.ts";

interface Flags {
  runs: string;
  corpus: string;
  out: string;
  predict?: true;
}

if (import.meta.main) {
  await new Command("deno task suite")
    .description(
      "Writes the tables of the suite from the folders of its finished runs: what each run was trained with, its " +
        "training curve, the changes of its weights between checkpoints, and BitNet's losses; and the checkpoints " +
        "that notebooks run. Rows of runs that are not in the folder stay as they are. The degradation by " +
        "quantization is measured by deno task measure.",
    )
    .option("--runs <folder>", "folder of the runs (deno task train)", ".cache/suite")
    .option("--corpus <folder>", "folder of the texts (deno task corpus)", ".cache/corpus")
    .option("--out <folder>", "folder of the tables", suiteFolder)
    .option(
      "--predict",
      "instead, write down what the laws foretell for the checkpoints of the main series that are not in " +
        "qid.parquet yet, into predictions.csv, where it stays",
    )
    .addHelpText(
      "after",
      `
Examples:
  deno task suite --runs .cache/suite --out data/suite
  deno task suite --predict`,
    )
    .allowExcessArguments(false)
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

async function run({ runs: folder, corpus, out, predict }: Flags): Promise<void> {
  if (predict) {
    const rows = writePredictions(mainCheckpoints(), out);
    return console.log(`${join(out, "predictions.csv")}: ${rows} new predictions`);
  }
  const started = startedRuns(folder);
  const records = started.filter(({ finished }) => finished);
  const tests = [textFiles.inDomain, textFiles.outOfDomain].map((file) => join(corpus, file));
  mkdirSync(out, { recursive: true });
  writeSuiteRows(suiteTables.runs, started.map(runRow), out);
  for (const record of records) {
    const { run } = record;
    const runFolder = join(folder, run.name);
    writeSuiteRows(suiteTables.training, trainingRows(record, runFolder), out);
    if (run.bitLinear === undefined) {
      writeSuiteRows(suiteTables.fluctuation, fluctuationRows(record, runFolder), out);
    } else {
      writeSuiteRows(suiteTables.bitnet, await bitnetRows(record, runFolder, tests), out);
    }
    const kept = keepCheckpoints(run.name, runFolder, join(out, "checkpoints"));
    console.log(`${run.name}${kept > 0 ? `, ${kept} checkpoints kept` : ""}`);
  }
  console.log(`${out}: the rows of ${records.length} runs`);
}

/** The records of the runs in a folder. One that is not finished has no rows but its own yet. */
function startedRuns(folder: string): RunRecord[] {
  if (!existsSync(folder)) {
    throw new Error(`No suite in ${folder}: train it with: deno task train suite`);
  }
  const records = readdirSync(folder).sort().flatMap((name) =>
    readRecord(join(folder, name)) ?? []
  );
  for (const { run, finished } of records) {
    if (!finished) console.log(`${run.name} is not finished: no curve and no changes of it yet`);
  }
  return records;
}

/** The checkpoints of the main series. */
function mainCheckpoints(): Unseen[] {
  return suiteSeries.main.flatMap((run) =>
    run.checkpoints.map((step) => ({
      model: run.name,
      size: runSize(run),
      tokens: step * tokensPerStep(run),
    }))
  );
}

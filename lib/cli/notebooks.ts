/** `deno task notebooks`: executes notebooks in the real Deno kernel, then exports the figures. */

import { Command, InvalidArgumentError, Option } from "commander";
import { availableParallelism } from "node:os";
import {
  chooseNotebooks,
  type ParameterValues,
  parseParameter,
  Progress,
  runNotebooks,
} from "../notebook/mod.ts";

interface Options {
  jobs: number;
  timeout: number;
  check?: true;
  param: ParameterValues;
  strip?: true;
  out?: string;
}

const EXAMPLES = `
Examples:
  deno task notebooks                        execute all, write them, export figures/*.svg
  deno task notebooks token-law '0[1-3]*'    only these: names, globs or paths
  deno task notebooks --check                execute all again and name each stale cell
  deno task notebooks sizes --param bits=4 --param 'sizes=[1e9, 7e9]' --out sizes
  deno task notebooks --strip                remove outputs before a review of the text

A cell is called by its number among the cells that run: what Jupyter shows as [n].`;

const command = new Command("deno task notebooks")
  .description(
    "Executes notebooks, each in a Deno Jupyter kernel of its own, and stores their outputs as " +
      "Jupyter does. After all of them it exports the figures too.",
  )
  .argument("[notebooks...]", "names, globs or paths (default: all in notebooks/)")
  .option("--jobs <n>", "notebooks at a time", positiveInteger, availableParallelism())
  .option("--timeout <seconds>", "the longest that a cell may take", positiveNumber, 600)
  .addOption(
    new Option("--check", "write nothing; fail if a cell's outputs differ from those in the file")
      .conflicts(["param", "strip", "out"]),
  )
  .addOption(
    new Option(
      "--param <name=value>",
      'set a parameter that the notebook\'s cell tagged "parameters" declares; the value is\n' +
        "JSON, or else a string; needs --out",
    ).argParser(parameter).default({}, "none").conflicts(["check", "strip"]),
  )
  .addOption(
    new Option("--strip", "execute nothing; remove outputs and counts").conflicts(["check"]),
  )
  .option("--out <folder>", "write there and leave the notebooks as they are")
  .addHelpText("after", EXAMPLES)
  .showHelpAfterError("(add --help for all options)")
  .action(async (words: string[], options: Options) => Deno.exit(await run(words, options)));

if (import.meta.main) {
  try {
    await command.parseAsync();
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    Deno.exit(1);
  }
}

/** Returns the exit code. */
async function run(words: string[], options: Options): Promise<number> {
  const { jobs, timeout, check, param, strip, out } = options;
  const parameters = Object.keys(param).length > 0 ? param : undefined;
  if (parameters && out === undefined) {
    throw new Error(
      "Cannot use --param without --out: the notebooks would no longer be those in git",
    );
  }
  const paths = await chooseNotebooks(words, "notebooks");
  const stop = new AbortController();
  for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
    Deno.addSignalListener(signal, () => stop.abort(code));
  }
  const progress = new Progress(Deno.stdout.isTerminal());
  try {
    const results = await runNotebooks(paths, {
      action: check ? "check" : strip ? "strip" : "execute",
      jobs,
      timeout,
      parameters,
      out,
      onProgress: (event) => progress.update(event),
      signal: stop.signal,
    });
    progress.stop();
    const passed = results.filter((result) => result.passed).length;
    let failed = results.length - passed;
    const everything = words.length === 0 && !check && !strip && out === undefined;
    if (everything && !await exportAll()) failed++;
    if (results.some((result) => result.stale.length > 0)) {
      console.error("To accept the new outputs: deno task notebooks, then commit the files");
    }
    console.log(`${passed} passed, ${failed} failed`);
    return failed > 0 ? 1 : 0;
  } catch (error) {
    progress.stop();
    if (!stop.signal.aborted) throw error;
    console.error("Interrupted: notebooks that were not finished are as they were");
    return stop.signal.reason;
  }
}

function positiveInteger(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) {
    throw new InvalidArgumentError(`Needs a whole number from 1: got ${text}`);
  }
  return value;
}

function positiveNumber(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError(`Needs a number above 0: got ${text}`);
  return value;
}

function parameter(text: string, values: ParameterValues): ParameterValues {
  const [name, value] = parseParameter(text);
  return { ...values, [name]: value };
}

/** Returns whether it worked. */
async function exportAll(): Promise<boolean> {
  try {
    // Loaded late: the figures bring Polars and Plot with them.
    const { exportFigures } = await import("../figures/mod.ts");
    const exported = await exportFigures({ out: "figures" });
    console.log(`ok   figures: ${exported.length} exported`);
    return true;
  } catch (error) {
    console.error(`FAIL figures: ${error instanceof Error ? error.message : error}`);
    return false;
  }
}

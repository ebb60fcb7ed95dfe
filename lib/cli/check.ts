/** `deno task check`: format, lint and types of the code and of the notebooks' cells, and the examples. */
import { Command } from "commander";
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { checkCells, formatCells, lintCells, listNotebooks, runDeno } from "../notebook/mod.ts";

/** One step of the check: returns the problems it found, none when all is well. */
interface Step {
  name: string;
  run(signal: AbortSignal): Promise<string[]>;
}

if (import.meta.main) {
  const command = new Command("deno task check")
    .description(
      "Checks format, lint and types of the code and of the notebooks' cells, and runs the examples\n" +
        "in doc comments.",
    )
    .option("--fix", "write code and cells in the right format first")
    .addHelpText("after", "\nExample:\n  deno task check --fix")
    .allowExcessArguments(false)
    .parse();
  const stop = new AbortController();
  for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
    Deno.addSignalListener(signal, () => stop.abort(code));
  }
  try {
    const failed = await runAll(
      steps(await listNotebooks("notebooks"), command.opts().fix ?? false),
      stop.signal,
    );
    Deno.exit(failed > 0 ? 1 : 0);
  } catch (error) {
    if (stop.signal.aborted) Deno.exit(stop.signal.reason);
    console.error(messageOf(error));
    Deno.exit(1);
  }
}

function steps(notebooks: readonly string[], fix: boolean): Step[] {
  return [
    deno("Types of the code", ["check", ...codeFolders()]),
    {
      name: "Types of the notebooks' cells",
      run: (signal) => checkCells(notebooks, { signal }),
    },
    // Deno itself imports the whole module into each example, so that most names are unused there.
    deno("Examples in doc comments", ["test", "--doc", "--no-check", "-A", "lib"]),
    deno("Lint of the code", ["lint"]),
    { name: "Lint of the notebooks' cells", run: (signal) => lintCells(notebooks, { signal }) },
    deno("Format of the code", fix ? ["fmt"] : ["fmt", "--check"]),
    {
      name: "Format of the notebooks' cells",
      run: (signal) => formatCells(notebooks, { fix, signal }),
    },
  ];
}

/** The folders that hold code. Not all of `notebooks`: other steps write modules there meanwhile. */
function codeFolders(): string[] {
  return ["lib", "test", "notebooks/exercises"].filter((folder) => existsSync(folder));
}

function deno(name: string, args: readonly string[]): Step {
  return {
    name,
    async run(signal) {
      const { ok, stdout, stderr } = await runDeno(args, { signal });
      return ok
        ? []
        : [`${stdout}\n${stderr}`.replace(/^Check .*\n|\n*Stack backtrace:[^]*/gm, "").trim()];
    },
  };
}

/** Runs the steps, as many at a time as there are cores, prints a line each, and counts the failed. */
async function runAll(all: readonly Step[], signal: AbortSignal): Promise<number> {
  const waiting = [...all];
  let failed = 0;
  const work = async () => {
    for (let step = waiting.shift(); step; step = waiting.shift()) {
      const problems = await step.run(signal).catch((error) => [messageOf(error)]);
      if (signal.aborted) return;
      if (problems.length === 0) {
        console.log(`✓ ${step.name}`);
      } else {
        failed++;
        console.log(`✗ ${step.name}\n\n${problems.join("\n\n").replace(/^(?=.)/gm, "  ")}\n`);
      }
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  // Only here have the steps removed what they wrote beside the notebooks.
  signal.throwIfAborted();
  console.log(`\n${all.length - failed} passed, ${failed} failed`);
  return failed;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

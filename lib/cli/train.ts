/** `deno task train`: trains runs of the suite, or a run of one's own. */
import { Command, InvalidArgumentError } from "commander";
import { distance } from "fastest-levenshtein";
import {
  progressOf,
  type Run,
  runSize,
  suite,
  suiteRun,
  tokensPerStep,
  trainSideBySide,
} from "../train/mod.ts";
import { count, TrainDisplay } from "./train_display.ts";

interface Flags {
  corpus: string;
  out: string;
  backend: "wasm" | "blas";
  runs?: number;
  list?: true;
  width?: number;
  depth?: number;
  tokens?: number;
  seed?: number;
  schedule?: "cosine" | "constant";
  learningRate?: number;
}

if (import.meta.main) {
  await new Command("deno task train")
    .description(
      "Trains runs, several side by side, each in a process with one thread. A run that was stopped " +
        "or killed goes on from its last state.",
    )
    .argument("[names...]", '"suite" for all runs, or names of runs (--list)')
    .option("--list", "list the runs of the suite and how far they are")
    .option("--corpus <folder>", "folder of the texts (deno task corpus)", ".cache/corpus")
    .option("--out <folder>", "folder of the runs", ".cache/suite")
    .option("--runs <count>", "runs at a time (default: one for each core)", whole)
    .option(
      "--backend <name>",
      "wasm, or blas for the system's BLAS (libopenblas0)",
      backend,
      "wasm",
    )
    .option("--width <size>", "train a run of your own: its width, a multiple of 32", whole)
    .option("--depth <layers>", "its layers (default: 3)", whole)
    .option("--tokens <bytes>", "bytes it trains on, such as 4M (default: 64M)", bytes)
    .option("--seed <number>", "its seed (default: 0)", whole)
    .option("--schedule <name>", "cosine or constant (default: cosine)", schedule)
    .option("--learning-rate <rate>", "its peak learning rate (default: by width)", Number)
    .addHelpText(
      "after",
      `
Examples:
  deno task train --list
  deno task train w64-d3-s0 w128-d3-s0
  deno task train suite --backend blas --runs 2
  deno task train --width 64 --tokens 4M --corpus .cache/books --out .cache/my-runs`,
    )
    .action(async (names: string[], flags: Flags) => {
      try {
        await run(names, flags);
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

function bytes(text: string): number {
  const parts = text.match(/^(\d+)([KMkm]?)$/);
  if (!parts) throw new InvalidArgumentError("needs bytes, such as 4194304, 4096K or 4M");
  const unit = { K: 2 ** 10, M: 2 ** 20 }[parts[2]!.toUpperCase()] ?? 1;
  return Number(parts[1]) * unit;
}

function backend(text: string): string {
  if (text !== "wasm" && text !== "blas") throw new InvalidArgumentError("needs wasm or blas");
  return text;
}

function schedule(text: string): string {
  if (text !== "cosine" && text !== "constant") {
    throw new InvalidArgumentError("needs cosine or constant");
  }
  return text;
}

async function run(names: readonly string[], flags: Flags): Promise<void> {
  const { corpus, out: folder, backend, runs: processes, list, width } = flags;
  if (list) return console.log(suite.map((run) => describe(run, folder)).join("\n"));
  const chosen = width === undefined
    ? names.flatMap(find)
    : [...names.flatMap(find), own(width, flags)];
  if (chosen.length === 0) throw new Error('Give names of runs, "suite", --width or --list');
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => stop.abort());
  }
  const display = new TrainDisplay(Deno.stdout.isTerminal());
  const ended = await trainSideBySide(chosen, {
    corpus,
    folder,
    backend,
    processes,
    signal: stop.signal,
    onEvent: (event) => display.update(event),
  });
  display.close();
  const failed = ended.filter(({ type }) => type === "failed").length;
  const finished = ended.filter(({ type }) => type === "finished").length;
  console.log(`${finished} of ${chosen.length} runs finished, ${failed} failed`);
  if (failed > 0) Deno.exit(1);
  if (finished < chosen.length) Deno.exit(130);
}

function find(name: string): readonly Run[] {
  if (name === "suite") return suite;
  const found = suite.filter((run) => run.name === name);
  if (found.length > 0) return found;
  const nearest = [...suite].sort((a, b) => distance(name, a.name) - distance(name, b.name))[0]!;
  throw new Error(
    `No run "${name}" in the suite: did you mean ${nearest.name}? (--list shows all)`,
  );
}

function own(width: number, flags: Flags): Run {
  const { depth, tokens, seed, schedule, learningRate } = flags;
  if (width === 0 || width % 32 !== 0) {
    throw new Error(`--width needs a multiple of 32, the width of a head: got ${width}`);
  }
  return suiteRun({ width, depth, seed, bytes: tokens }, {
    schedule,
    learningRate,
    suffix: `-${(tokens ?? 2 ** 26) / 2 ** 10}k${schedule === "constant" ? "-constant" : ""}`,
  });
}

function describe(run: Run, folder: string): string {
  const { step, finished } = progressOf(folder, run);
  const done = finished ? "done" : step > 0 ? `${Math.floor(100 * step / run.steps)} %` : "";
  const columns = [
    run.name.padEnd(26),
    `N ${count(runSize(run)).padStart(5)}`,
    `D ${count(run.steps * tokensPerStep(run)).padStart(5)}`,
    `rate ${run.learningRate.toPrecision(3).padEnd(8)}`,
    run.schedule.kind.padEnd(8),
    `${String(run.checkpoints.length).padStart(2)} checkpoints`,
    done,
  ];
  return columns.join("  ").trimEnd();
}

/** `deno task measure`: quantizes checkpoints by many methods and measures what each costs in loss. */
import { Command, InvalidArgumentError } from "commander";
import logUpdate from "log-update";
import { existsSync } from "node:fs";
import { basename, extname, join } from "node:path";
import {
  gather,
  makePlan,
  type Plan,
  readPlan,
  runStudy,
  stateOf,
  type StudyProgress,
  suiteCheckpoints,
  suiteMethods,
  type TextSequences,
  writePlan,
} from "../measure/mod.ts";
import { codeVersion, textFiles } from "../train/mod.ts";

interface Flags {
  suite?: string | true;
  model?: string[];
  method?: string[];
  test?: string[];
  calibration?: string;
  corpus: string;
  length: number;
  sequences: number;
  calibrationSequences: number;
  seed: number;
  plan: string;
  out?: string;
  resume?: true;
  list?: true;
  workers?: number;
  backend: "wasm" | "blas";
  allowEqual?: true;
}

/** Folders of lib/ that a row depends on. */
const measuringCode = ["checkpoint", "compute", "measure", "model", "quantize"];
/** Seconds between two lines of progress where the output is no terminal. */
const quietSeconds = 60;

const examples = `
A plan of all checkpoints by all methods is written first. Each item is then measured once: a study
that was stopped or killed goes on with the same command, or with --resume. Methods are those of
deno task quantize --list; an option may have several values.

Examples:
  deno task measure --suite --out data/suite/qid.parquet --backend blas
  deno task measure --suite --method gptq:paper,group=32,bits=2,3 --list
  deno task measure --resume --out qid.parquet --workers 1
  deno task measure --model runs/a/step512 runs/a/step1024 --method rtn:bits=2,3,4 \\
    --method gptq:paper,group=32,bits=3 --test text:held_out.txt --calibration text:train.txt \\
    --plan runs/a.json --out runs/a.parquet`;

function whole(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError("needs a whole number");
  return Number(text);
}

function backend(text: string): string {
  if (text !== "wasm" && text !== "blas") throw new InvalidArgumentError("needs wasm or blas");
  return text;
}

async function run(flags: Flags): Promise<void> {
  const { plan: path, out, list, workers, backend } = flags;
  const plan = openPlan(flags);
  if (list) return console.log(describe(path, plan));
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => stop.abort());
  }
  const display = new Display(plan, Deno.stdout.isTerminal());
  const open = await runStudy(path, {
    workers,
    backend,
    codeVersion: codeVersion(measuringCode),
    signal: stop.signal,
    onProgress: (progress) => display.update(progress),
  });
  display.close();
  console.log(`${plan.items.length - open} of ${plan.items.length} items are done`);
  if (out !== undefined) {
    const { rows, failed } = gather(path, out);
    console.log(`${out}: ${rows} rows, of which ${failed} have an error instead of a result`);
  }
  if (open > 0) Deno.exit(130);
}

/** The plan on the disk, or a new one in its place: what is done stays done. */
function openPlan(flags: Flags): Plan {
  const { plan: path, resume, suite, model, corpus, length, allowEqual } = flags;
  const chosen = [resume, suite, model].filter((flag) => flag !== undefined).length;
  if (chosen > 1) throw new Error("Give one of --suite, --model and --resume");
  if (resume) return readPlan(path);
  if (chosen === 0) throw new Error("Give --suite, --model FOLDER... or --resume (see --help)");
  const folders = model ?? suiteCheckpoints(suite === true ? ".cache/suite" : suite!);
  const ofCorpus = (name: keyof typeof textFiles) => {
    const file = join(corpus, textFiles[name]);
    if (!existsSync(file)) {
      throw new Error(
        `No text ${file}: build it with: deno task corpus, or give --test and --calibration`,
      );
    }
    return `text:${file}`;
  };
  const test = flags.test ?? [ofCorpus("inDomain"), ofCorpus("outOfDomain")];
  const calibration = flags.calibration ?? ofCorpus("train");
  const { sequences, calibrationSequences, seed } = flags;
  const plan = makePlan(folders, {
    methods: flags.method ?? suiteMethods,
    tests: test.map((text) => ({ ...textOf(text), length, sequences })),
    calibration: { ...textOf(calibration), length, sequences: calibrationSequences, seed },
    allowEqual,
  });
  writePlan(path, plan);
  return plan;
}

function textOf(text: string): Pick<TextSequences, "name" | "file"> {
  const file = /^text:(.+)$/.exec(text)?.[1];
  if (file === undefined) throw new Error(`Cannot read the text ${text}: needs text:FILE`);
  return { file, name: basename(file, extname(file)) };
}

/** A line a checkpoint: how many of its items are done. */
function describe(path: string, plan: Plan): string {
  const { done } = stateOf(path, plan);
  const doneOf = Map.groupBy(done, ({ checkpoint }) => checkpoint);
  const itemsOf = Map.groupBy(plan.items, ({ checkpoint }) => checkpoint);
  const lines = plan.checkpoints.map(({ model, revision, size, tokens, error }, index) => {
    const [finished, all] = [doneOf, itemsOf].map((items) => items.get(index)?.length ?? 0);
    const what = error ?? `N ${count(size)}  D ${count(tokens)}`;
    return `${model.padEnd(26)} ${revision.padEnd(10)} ${finished}/${all}  ${what}`;
  });
  const methods = [...new Set(plan.items.map(({ method }) => method))];
  return [
    ...lines,
    "",
    `methods: ${methods.join(" ")}`,
    `tests: ${
      plan.tests.map(({ name, sequences, length }) => `${name} ${sequences} x ${length}`).join(", ")
    }`,
    `${done.length} of ${plan.items.length} items are done`,
  ].join("\n");
}

function count(value: number | null): string {
  if (value === null) return "unknown";
  return value < 1e6 ? `${(value / 1e3).toFixed(0)}K` : `${(value / 1e6).toFixed(1)}M`;
}

/** A live line on a terminal, or else a line a minute; and a line for each error. */
class Display {
  readonly #plan: Plan;
  readonly #live: boolean;
  #told?: number;

  constructor(plan: Plan, live: boolean) {
    this.#plan = plan;
    this.#live = live;
  }

  update({ item, error, done, total, secondsLeft }: StudyProgress): void {
    const { model, revision } = this.#plan.checkpoints[item.checkpoint]!;
    const name = `${model} ${revision} ${item.method}`;
    if (error !== null) {
      if (this.#live) logUpdate.clear();
      console.log(`${name}: ${error}`);
    }
    const line = `${done}/${total}  ${duration(secondsLeft)} left  ${name}`;
    if (this.#live) return logUpdate(line);
    if (this.#told === undefined || performance.now() - this.#told > quietSeconds * 1000) {
      this.#told = performance.now();
      console.log(line);
    }
  }

  close(): void {
    if (this.#live) logUpdate.done();
  }
}

function duration(seconds: number): string {
  const minutes = Math.ceil(seconds / 60);
  return minutes >= 60 ? `${Math.floor(minutes / 60)} h ${minutes % 60} min` : `${minutes} min`;
}

if (import.meta.main) {
  await new Command("deno task measure")
    .description(
      "Quantizes checkpoints and measures the degradation (QiD): the loss of each quantized model less " +
        "that of the model itself, on the same sequences.",
    )
    .option("--suite [folder]", "measure the checkpoints of all runs in a folder (.cache/suite)")
    .option("--model <folders...>", "measure these checkpoints: config.json and model.safetensors")
    .option("--method <specs...>", "methods, such as gptq:paper,bits=2,3,4 (default: the suite's)")
    .option(
      "--test <texts...>",
      "text:FILE, texts to take the loss on (default: both of the corpus)",
    )
    .option("--calibration <text>", "text:FILE, text to calibrate on (default: the corpus's)")
    .option("--corpus <folder>", "folder of the texts (deno task corpus)", ".cache/corpus")
    .option("--length <bytes>", "positions in a sequence", whole, 256)
    .option("--sequences <count>", "sequences of each test text, evenly spaced", whole, 256)
    .option("--calibration-sequences <count>", "sequences to calibrate on", whole, 128)
    .option("--seed <number>", "seed by which these are drawn", whole, 0)
    .option(
      "--plan <file>",
      "where the plan is; its parts lie beside it",
      ".cache/measure/plan.json",
    )
    .option("--resume", "go on with the plan as it is")
    .option("--list", "show what is planned and done, and measure nothing")
    .option("--out <file>", "gather all that is done into this Parquet file")
    .option("--workers <count>", "processes at a time (default: one for each core)", whole)
    .option(
      "--backend <name>",
      "wasm, or blas for the system's BLAS (libopenblas0)",
      backend,
      "wasm",
    )
    .option("--allow-equal", "go on when two checkpoints hold the same weights")
    .addHelpText("after", examples)
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

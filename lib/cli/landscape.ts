/** `deno task landscape`: the features and the grid of losses of the second paper, of kept checkpoints. */
import { Command, InvalidArgumentError } from "commander";
import logUpdate from "log-update";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { loadKernel } from "../compute/mod.ts";
import {
  type CheckpointEntry,
  checkpointsOf,
  gather,
  gatherLandscapes,
  landscapeMethods,
  landscapeProtocol,
  landscapeState,
  type LandscapeStudy,
  makePlan,
  readCheckpoint,
  runLandscapes,
  runStudy,
  stateOf,
  writePlan,
} from "../measure/mod.ts";
import { writePredictorTables } from "../predictor/mod.ts";
import { codeVersion, textFiles } from "../train/mod.ts";

interface Flags {
  checkpoints: string;
  corpus: string;
  length: number;
  sequences: number;
  calibrationSequences: number;
  profileSequences: number;
  curvatureSequences: number;
  directions: number;
  traceVectors: number;
  seed: number;
  plan: string;
  out: string;
  list?: true;
  predict?: true;
  workers?: number;
  backend: "wasm" | "blas";
}

/** Folders of lib/ that a row depends on. */
const measuringCode = ["checkpoint", "compute", "measure", "model", "quantize"];

const examples = `
Measured first: landscape_features.parquet (how the loss rises around the weights of each checkpoint,
its curvature, and the SQNR of each format by layer, with their sampling errors), then
landscape.parquet (the loss of each checkpoint in each format, by rounding and by GPTQ, on each text).
At the end every row is predicted from the checkpoints of other sizes, and of other stages of training:
landscape_predictions.parquet, landscape_importance.parquet and landscape_dependence.parquet.
A run that was stopped or killed goes on with the same command; rows of other checkpoints stay.

Examples:
  deno task landscape --backend blas --list
  deno task landscape --backend blas --workers 1
  deno task landscape --predict
  deno task landscape --checkpoints runs --out runs/tables --directions 16`;

function whole(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError("needs a whole number");
  return Number(text);
}

function backend(text: string): string {
  if (text !== "wasm" && text !== "blas") throw new InvalidArgumentError("needs wasm or blas");
  return text;
}

async function run(flags: Flags): Promise<void> {
  if (flags.predict) return predictAll(flags.out);
  const checkpoints = checkpointsIn(flags.checkpoints);
  const files = textFilesOf(flags.corpus);
  const { length, sequences, seed } = flags;
  const study: LandscapeStudy = {
    parts: `${flags.plan.replace(/\.json$/, "")}.landscapes`,
    checkpoints,
    texts: files.tests.map((text) => ({ ...text, length })),
    protocol: {
      ...landscapeProtocol,
      profileSequences: flags.profileSequences,
      curvatureSequences: flags.curvatureSequences,
      directions: flags.directions,
      traceVectors: flags.traceVectors,
      seed,
    },
  };
  const plan = makePlan(checkpoints, {
    methods: landscapeMethods,
    tests: files.tests.map((text) => ({ ...text, length, sequences })),
    calibration: { ...files.calibration, length, sequences: flags.calibrationSequences, seed },
  });
  writePlan(flags.plan, plan);
  const count = checkpoints.length;
  if (flags.list) {
    for (const { model, revision } of checkpoints) console.log(`${model} ${revision}`);
    console.log(`landscapes: ${landscapeState(study).done.length} of ${count} are done`);
    const { done } = stateOf(flags.plan, plan);
    return console.log(`grid: ${done.length} of ${plan.items.length} quantized models are done`);
  }
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => stop.abort());
  }
  const say = sayer(Deno.stdout.isTerminal());
  const version = codeVersion(measuringCode);
  const openLandscapes = await runLandscapes(study, {
    kernel: loadKernel({ backend: flags.backend, memory: 65535 * 65536 }),
    codeVersion: version,
    signal: stop.signal,
    onCheckpoint: ({ model, revision }, done) =>
      say(`landscape ${done + 1}/${count}  ${model} ${revision}`),
  });
  say.end();
  const features = gatherLandscapes(study, flags.out);
  console.log(`${join(flags.out, "landscape_features.parquet")}: ${features} rows of these`);
  if (openLandscapes > 0) Deno.exit(130);
  const open = await runStudy(flags.plan, {
    workers: flags.workers,
    backend: flags.backend,
    codeVersion: version,
    signal: stop.signal,
    onProgress: ({ item, error, done, total, secondsLeft }) => {
      const { model, revision } = plan.checkpoints[item.checkpoint]!;
      const left = `${Math.ceil(secondsLeft / 60)} min left`;
      say(`grid ${done}/${total}  ${left}  ${model} ${revision} ${error ?? item.method}`);
    },
  });
  say.end();
  const out = join(flags.out, "landscape.parquet");
  const { rows, failed } = gather(flags.plan, out);
  console.log(`${out}: ${rows} rows, of which ${failed} have an error instead of a result`);
  if (open > 0) Deno.exit(130);
  predictAll(flags.out);
}

/** Predicts every measured row from other checkpoints. */
function predictAll(folder: string): void {
  const say = sayer(Deno.stdout.isTerminal());
  const { predictions } = writePredictorTables(folder, say);
  say.end();
  const tables = ["predictions", "importance", "dependence"].map((name) =>
    `landscape_${name}.parquet`
  );
  console.log(`${folder}: ${tables.join(", ")}: ${predictions} predictions of held-out rows`);
}

/** The checkpoints of all runs in a folder, the smallest models first. */
function checkpointsIn(folder: string): CheckpointEntry[] {
  if (!existsSync(folder)) {
    throw new Error(
      `No checkpoints in ${folder}: needs folders RUN/stepK, as deno task train writes`,
    );
  }
  const runs = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const found = runs.map(({ name }) => name).sort()
    .flatMap((name) => checkpointsOf(join(folder, name))).map(readCheckpoint);
  if (found.length === 0) {
    throw new Error(`No checkpoints in ${folder}: needs RUN/stepK/model.safetensors`);
  }
  return found.sort((a, b) => (a.size ?? 0) - (b.size ?? 0));
}

function textFilesOf(corpus: string) {
  const text = (name: string) => {
    const file = join(corpus, name);
    if (!existsSync(file)) throw new Error(`No text ${file}: build it with: deno task corpus`);
    return { name: name.replace(/\.txt$/, ""), file };
  };
  return {
    tests: [text(textFiles.inDomain), text(textFiles.outOfDomain)],
    calibration: text(textFiles.train),
  };
}

/** A live line on a terminal; a line of its own, at most one a minute, elsewhere. */
function sayer(live: boolean) {
  let told = -Infinity;
  const say = (line: string) => {
    if (live) return logUpdate(line);
    if (performance.now() - told < 60_000) return;
    told = performance.now();
    console.log(line);
  };
  return Object.assign(say, { end: () => live && logUpdate.done() });
}

if (import.meta.main) {
  await new Command("deno task landscape")
    .description(
      "Measures the loss landscape around checkpoints, and their loss in many number formats: the tables of the " +
        "second paper (arXiv 2410.12119).",
    )
    .option("--checkpoints <folder>", "folders RUN/stepK in it", "data/suite/checkpoints")
    .option("--corpus <folder>", "folder of the texts (deno task corpus)", ".cache/corpus")
    .option("--length <bytes>", "positions in a sequence", whole, 256)
    .option("--sequences <count>", "sequences of each test text in the grid", whole, 128)
    .option("--calibration-sequences <count>", "sequences that GPTQ is calibrated on", whole, 64)
    .option(
      "--profile-sequences <count>",
      "sequences of each text that the radial profile is taken on",
      whole,
      landscapeProtocol.profileSequences,
    )
    .option(
      "--curvature-sequences <count>",
      "sequences of each text that curvatures are taken on",
      whole,
      landscapeProtocol.curvatureSequences,
    )
    .option("--directions <count>", "random directions", whole, landscapeProtocol.directions)
    .option(
      "--trace-vectors <count>",
      "vectors that the Hessian's trace is estimated with",
      whole,
      landscapeProtocol.traceVectors,
    )
    .option("--seed <number>", "seed of directions, vectors and calibration", whole, 0)
    .option(
      "--plan <file>",
      "where the plan of the grid is; parts lie beside it",
      ".cache/landscape/plan.json",
    )
    .option("--out <folder>", "folder of the tables", "data/suite")
    .option("--predict", "measure nothing, and predict again what is measured")
    .option("--list", "show what is planned and done, and measure nothing")
    .option("--workers <count>", "processes of the grid at a time (default: one a core)", whole)
    .option(
      "--backend <name>",
      "wasm, or blas for the system's BLAS (libopenblas0)",
      backend,
      "wasm",
    )
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

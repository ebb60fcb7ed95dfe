/** `deno task measure`: quantizes checkpoints by many methods and measures what each costs in loss. */
import { Command, InvalidArgumentError, Option } from "commander";
import {
  gather,
  memoryOfPlan,
  type Plan,
  reopenFailed,
  runStudy,
  type Submitted,
  submitToSlurm,
  writeKubernetesJob,
} from "../measure/mod.ts";
import { codeVersion } from "../train/mod.ts";
import { describePlan, Display, gigabytes } from "./measure_display.ts";
import { openPlan, type PlanFlags } from "./measure_plan.ts";

interface Flags extends PlanFlags {
  out?: string;
  workers?: number;
  backend: "wasm" | "blas";
  submit?: "slurm" | "kubernetes";
  chunk?: number;
  sbatch?: string[];
  claim: string;
  mount?: string;
  image?: string;
}

/** Folders of lib/ that a row depends on. */
const measuringCode = ["checkpoint", "compute", "measure", "model", "quantize"];

const examples = `
A plan of all checkpoints by all methods is written first. Each item is then measured once: a study
that was stopped or killed goes on with the same command, or with --resume. Methods are those of
deno task quantize --list; an option may have several values. Models of the hub are kept in its
usual cache; HF_TOKEN, HF_HOME, HF_ENDPOINT and HF_HUB_OFFLINE mean what they always mean.

Examples:
  deno task measure --suite --out data/suite/qid.parquet --backend blas
  deno task measure --suite --method gptq:paper,group=32,bits=2,3 --list
  deno task measure --resume --out qid.parquet --workers 1
  deno task measure --model runs/a/step512 runs/a/step1024 --method rtn:bits=2,3,4 \\
    --method gptq:paper,group=32,bits=3 --test text:held_out.txt --calibration text:train.txt \\
    --plan runs/a.json --out runs/a.parquet
  deno task measure --model EleutherAI/pythia-160m-deduped --revision step1000,step4000,step143000 \\
    --method gptq:paper:bits=2,3,4 --method awq:bits=4 --method nf4 --test text:wikitext2.txt \\
    --out qid.parquet

On a cluster whose nodes share the file system:
  deno task measure --plan plan.json --submit slurm --sbatch "--partition=cpu --time=12:00:00"
  deno task measure --plan plan.json --list
  deno task measure --plan plan.json --gather --out qid.parquet
A second --submit hands over what failed or was killed.`;

function whole(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError("needs a whole number");
  return Number(text);
}

async function run(flags: Flags): Promise<void> {
  const { plan: path, out, list, workers, backend, submit, retry } = flags;
  if (flags.gather && out === undefined) throw new Error("--gather needs --out FILE");
  const display = new Display(Deno.stdout.isTerminal());
  const plan = await openPlan(flags, (line) => {
    line.startsWith("Looking") ? display.line(line) : display.note(line);
  });
  if (retry) display.note(`${reopenFailed(path)} items with an error are open again`);
  if (list) return display.note(describePlan(path, plan));
  if (flags.gather) return tellGathered(path, out!);
  if (submit) return await handOver(plan, flags);
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => stop.abort());
  }
  const open = await runStudy(path, {
    workers,
    backend,
    codeVersion: codeVersion(measuringCode),
    signal: stop.signal,
    onProgress: (progress) => display.update(plan, progress),
    onDownload: ({ file, done, total }) =>
      display.line(`downloading ${file}: ${gigabytes(done)} of ${gigabytes(total)}`),
  });
  display.close();
  console.log(`${plan.items.length - open} of ${plan.items.length} items are done`);
  if (out !== undefined) tellGathered(path, out);
  if (open > 0) Deno.exit(130);
}

function tellGathered(path: string, out: string): void {
  const { rows, failed } = gather(path, out);
  console.log(`${out}: ${rows} rows, of which ${failed} have an error instead of a result`);
}

/** Gives what is open to a cluster, and says how to go on. */
async function handOver(plan: Plan, flags: Flags): Promise<void> {
  const { plan: path, submit, backend, chunk, claim, mount, image } = flags;
  const memory = memoryOfPlan(plan);
  if (memory === undefined) throw new Error("Cannot submit the plan: no checkpoint can be read");
  const options = {
    ...{ backend, chunk, codeVersion: codeVersion(measuringCode) },
    megabytes: Math.ceil(memory / 2 ** 20),
  };
  let done: Submitted;
  if (submit === "slurm") {
    const sbatch = (flags.sbatch ?? []).flatMap((text) => text.split(/\s+/)).filter(Boolean);
    const { job, ...submitted } = await submitToSlurm(path, { ...options, sbatch });
    done = submitted;
    if (job !== undefined) {
      console.log(
        `Slurm job ${job}: ${done.submission!.chunks.length} tasks, ${gigabytes(memory)} each`,
      );
    }
  } else {
    const { manifest, ...submitted } = await writeKubernetesJob(path, {
      ...options,
      ...{ claim, mount, image },
    });
    done = submitted;
    if (manifest !== undefined) console.log(`kubectl create -f ${manifest}`);
  }
  const { underWay, failed, submission } = done;
  const handed = submission?.chunks.flat().length ?? 0;
  console.log(
    `${handed} items handed over, ${failed} of them again after they failed; ${underWay} under way`,
  );
  console.log(`When they are done: deno task measure --plan ${path} --gather --out FILE`);
}

if (import.meta.main) {
  await new Command("deno task measure")
    .description(
      "Quantizes checkpoints and measures the degradation (QiD): the loss of each quantized model less " +
        "that of the model itself, on the same sequences.",
    )
    .option("--suite [folder]", "measure the checkpoints of all runs in a folder (.cache/suite)")
    .option(
      "--model <models...>",
      "measure these: names on the hub, or folders with config.json and safetensors",
    )
    .option("--revision <names...>", "revisions of the models on the hub (default: main)")
    .option(
      "--tokens-per-step <count>",
      "training tokens of a step, for revisions named stepN (default: Pythia's for a Pythia)",
      whole,
    )
    .option("--method <specs...>", "methods, such as gptq:paper,bits=2,3,4 (default: the suite's)")
    .option(
      "--test <texts...>",
      "text:FILE, texts to take the loss on (default: both of the corpus)",
    )
    .option(
      "--calibration <text>",
      "text:FILE, text to calibrate on (default: the corpus's, or the first quarter of the test text)",
    )
    .option("--corpus <folder>", "folder of the texts (deno task corpus)", ".cache/corpus")
    .option(
      "--length <positions>",
      "positions in a sequence (default: 256 bytes, or the model's context up to 4,096 tokens)",
      whole,
    )
    .option(
      "--stride <positions>",
      "from one test sequence to the next; the loss is taken on the last so many (default: spread evenly)",
      whole,
    )
    .option("--sequences <count>", "sequences of each test text at most", whole, 256)
    .option("--calibration-sequences <count>", "sequences to calibrate on", whole, 128)
    .option("--seed <number>", "seed by which these are drawn", whole, 0)
    .option(
      "--plan <file>",
      "where the plan is; its parts lie beside it",
      ".cache/measure/plan.json",
    )
    .option("--resume", "go on with the plan as it is")
    .option("--retry", "measure again what has an error")
    .option("--list", "show what is planned and done, and measure nothing")
    .option("--out <file>", "gather all that is done into this Parquet file")
    .option("--gather", "gather, and measure nothing")
    .option(
      "--workers <count>",
      "processes at a time (default: one for each core, as far as the memory goes)",
      whole,
    )
    .addOption(
      new Option("--backend <name>", "wasm, or blas for the system's BLAS (libopenblas0)")
        .choices(["wasm", "blas"]).default("wasm"),
    )
    .addOption(
      new Option("--submit <cluster>", "hand the plan to a cluster, and measure nothing here")
        .choices(["slurm", "kubernetes"]),
    )
    .option("--chunk <count>", "items of one task (default: as few as 1,000 tasks allow)", whole)
    .option("--sbatch <options...>", 'more options for sbatch, such as "--partition=cpu"')
    .option("--claim <name>", "Kubernetes: the volume claim that holds all files", "measure")
    .option("--mount <folder>", "Kubernetes: where the volume is mounted (default: as found here)")
    .option("--image <name>", "Kubernetes: the image (default: denoland/deno:2.9.6)")
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

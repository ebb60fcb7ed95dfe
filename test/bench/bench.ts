/**
 * What a benchmark is made of. A file `NAME.bench.ts` beside this one default-exports a {@link Benchmark};
 * `deno task bench` finds it, runs it and prints its rows.
 */
import { spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { Bench } from "tinybench";

/** One line of the table: something that we do, and how long it takes, beside a peer that does the same. */
export interface BenchRow {
  /** What was done, with its size: "1,000 resamples of 1,500 rows". */
  readonly name: string;
  /** Our median time in milliseconds. */
  readonly ours: number;
  /** The peer and its median time on the same data; nothing where it is not installed. */
  readonly peer?: { readonly name: string; readonly milliseconds: number };
  /** What else to print: how far the results agree, a rate such as GF/s. */
  readonly note?: string;
}

/** Times one part of the project. What it returns is printed; an error, such as results that differ, fails the bench. */
export type Benchmark = () => Promise<readonly BenchRow[]>;

/** How long to measure. */
export interface TimeOptions {
  /** Timed runs at least. Default: 5. */
  readonly runs?: number;
  /** Milliseconds to measure at least; short functions run more often. Default: 500. */
  readonly milliseconds?: number;
}

/** The median time of a function in milliseconds, after a warm-up. Waits for a promise it may return. */
export async function timeIt(
  run: () => unknown,
  { runs = 5, milliseconds = 500 }: TimeOptions = {},
): Promise<number> {
  const bench = new Bench({
    iterations: runs,
    time: milliseconds,
    warmupIterations: 2,
    warmupTime: milliseconds / 4,
    throws: true,
  });
  bench.add("run", run);
  const [task] = await bench.run();
  if (task?.result.state !== "completed") throw new Error("Cannot time a function that fails");
  return task.result.latency.p50;
}

/** How to run a peer that is written in Python. */
export interface PythonOptions {
  /** Modules that the script cannot do without. Default: none. */
  readonly modules?: readonly string[];
  /** Threads that its libraries may use. Default: 1. */
  readonly threads?: number;
}

/** What was not found, and said so. */
const missing = new Set<string>();

/**
 * Runs `script`, a file beside this one, with `input` as JSON on its standard input, and returns the JSON that it
 * prints. Nothing, and a line that says so, when there is no `python3` or it lacks one of `modules`; a script that
 * fails is an error.
 */
export async function runPython<Output>(
  script: string,
  input: unknown,
  { modules = [], threads = 1 }: PythonOptions = {},
): Promise<Output | undefined> {
  const imports = modules.map((module) => `import ${module}`).join("\n");
  const found = await python(["-c", imports], "", threads).catch(() => undefined);
  if (found?.code !== 0) {
    const needs = modules.length === 0 ? "python3" : `python3 with ${modules.join(" and ")}`;
    if (!missing.has(needs)) {
      console.log(`The peer is not here (it needs ${needs}): our times alone`);
    }
    missing.add(needs);
    return undefined;
  }
  const path = fileURLToPath(new URL(script, import.meta.url));
  const { code, output, errors } = await python([path], JSON.stringify(input), threads);
  if (code !== 0) throw new Error(`Cannot run ${script}: it ended with code ${code}\n${errors}`);
  return JSON.parse(output) as Output;
}

/** Runs `python3`; rejects where there is none. */
function python(
  args: readonly string[],
  input: string,
  threads: number,
): Promise<{ code: number | null; output: string; errors: string }> {
  const names = ["OMP", "OPENBLAS", "MKL", "VECLIB_MAXIMUM", "NUMEXPR"];
  const limits = Object.fromEntries(names.map((name) => [`${name}_NUM_THREADS`, String(threads)]));
  return new Promise((resolve, reject) => {
    const child = spawn("python3", args, { env: { ...process.env, ...limits } });
    let output = "";
    let errors = "";
    child.stdout.setEncoding("utf8").on("data", (text) => output += text);
    child.stderr.setEncoding("utf8").on("data", (text) => errors += text);
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, output, errors }));
    child.stdin.on("error", () => {});
    child.stdin.end(input);
  });
}

/**
 * One run in a process of its own: `deno run -A worker.ts JSON`. Progress goes to the standard output,
 * a JSON object a line. SIGINT, SIGTERM and the end of its standard input stop it between two steps
 * with its state saved.
 */
import { loadKernel } from "../compute/mod.ts";
import { readText } from "./corpus/corpus.ts";
import type { Run } from "./run.ts";
import { train } from "./train.ts";

/** What the process is told. */
export interface WorkerTask {
  readonly run: Run;
  readonly corpus: string;
  readonly folder: string;
  readonly backend: "wasm" | "blas";
  readonly saveEverySeconds?: number;
}

/** The code with which the process ends when its state is saved and its run is not finished. */
export const stoppedCode = 130;

if (import.meta.main) {
  const { run, corpus, backend, ...options } = JSON.parse(Deno.args[0]!) as WorkerTask;
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => stop.abort());
  }
  (async () => {
    for await (const _ of Deno.stdin.readable);
    stop.abort();
  })();
  try {
    const finished = await train(run, {
      ...options,
      text: readText(corpus, "train"),
      kernel: loadKernel({ backend }),
      signal: stop.signal,
      onProgress: (progress) => console.log(JSON.stringify(progress)),
    });
    Deno.exit(finished ? 0 : stoppedCode);
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    Deno.exit(1);
  }
}

/**
 * A share of a study in a process of its own: `deno run -A worker.ts JSON`. Each item that is done goes to the standard
 * output, a JSON object a line. SIGINT, SIGTERM and the end of its standard input stop it after the item that it is at.
 */
import { type Backend, loadKernel } from "../compute/mod.ts";
import { kernelMemory } from "./memory.ts";
import { measureShare } from "./study.ts";

/** What the process is told. */
export interface StudyTask {
  readonly plan: string;
  readonly backend: Backend;
  readonly codeVersion: string;
  /** The items to measure; all that are open when left out. */
  readonly items?: readonly string[];
}

/** A line of its output when an item is done. */
export interface ItemDone {
  readonly id: string;
  readonly error: string | null;
}

/** A line of its output while a file is downloaded, in bytes. */
export interface Downloading {
  readonly file: string;
  readonly done: number;
  readonly total: number;
}

if (import.meta.main) {
  const { plan, backend, codeVersion, items } = JSON.parse(Deno.args[0]!) as StudyTask;
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => stop.abort());
  }
  (async () => {
    for await (const _ of Deno.stdin.readable);
    stop.abort();
  })();
  try {
    const kernel = loadKernel({ backend, memory: kernelMemory });
    const onItem = (id: string, error: string | null) => {
      console.log(JSON.stringify({ id, error } satisfies ItemDone));
    };
    let told = 0;
    const onDownload = (file: string, done: number, total: number) => {
      if (done < total && performance.now() - told < 500) return;
      told = performance.now();
      console.log(JSON.stringify({ file, done, total } satisfies Downloading));
    };
    const { signal } = stop;
    await measureShare(plan, { kernel, codeVersion, items, signal, onItem, onDownload });
    Deno.exit(0);
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    Deno.exit(1);
  }
}

import { availableParallelism } from "node:os";
import { PoolError, type PoolReply, send } from "./pool_message.ts";
import type { PoolOptions } from "./types.ts";

/**
 * Calls a task for every item, several at a time, each in a worker of its own thread, and returns
 * the results in the order of the items. A worker takes the next item when it is done with one, so
 * a task must not depend on which worker it runs in.
 *
 * `task` is the URL of a module whose default export is a {@linkcode PoolTask}. Items, context and
 * results are copied; they may be plain objects, arrays and typed arrays, of which only the values
 * are sent, wherever they lie.
 *
 * Rejects with a {@linkcode PoolError} as soon as one item fails, or with the signal's reason. All
 * workers are ended before the promise settles.
 *
 * ```ts
 * import { deepStrictEqual } from "node:assert/strict";
 * import { mapPool } from "./mod.ts";
 *
 * const task = "data:text/javascript,export default (x) => x * x";
 * deepStrictEqual(await mapPool([1, 2, 3], task, { workers: 2 }), [1, 4, 9]);
 * ```
 */
export async function mapPool<Result>(
  items: readonly unknown[],
  task: URL | string,
  options: PoolOptions = {},
): Promise<Result[]> {
  const { context, signal } = options;
  const wanted = options.workers ?? availableParallelism();
  if (!(Number.isInteger(wanted) && wanted >= 1)) {
    throw new RangeError(
      `Cannot start a pool: workers must be a whole number of at least 1: got ${wanted}`,
    );
  }
  signal?.throwIfAborted();
  const workers: Worker[] = [];
  const { promise: stopped, reject: stop } = Promise.withResolvers<never>();
  const abort = () => stop(signal?.reason);
  signal?.addEventListener("abort", abort);
  try {
    const results: Result[] = new Array(items.length);
    const queue = items.entries();
    const work = async () => {
      const worker = new Worker(new URL("./pool_worker.ts", import.meta.url), { type: "module" });
      workers.push(worker);
      send(worker, { kind: "start", task: String(task), context });
      for (const [index, item] of queue) {
        results[index] = await ask<Result>(worker, index, item);
      }
    };
    const all = Promise.all(Array.from({ length: Math.min(wanted, items.length) }, work));
    await Promise.race([all, stopped]);
    return results;
  } finally {
    signal?.removeEventListener("abort", abort);
    for (const worker of workers) worker.terminate();
  }
}

/** Has a worker do one item. */
function ask<Result>(worker: Worker, index: number, item: unknown): Promise<Result> {
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<PoolReply>) => {
      if (data.kind === "result") return resolve(data.result as Result);
      const cause = new Error(data.message);
      cause.name = data.name;
      if (data.stack) cause.stack = data.stack;
      reject(new PoolError(index, item, cause));
    };
    worker.onerror = (event) => {
      event.preventDefault();
      reject(new PoolError(index, item, new Error(event.message)));
    };
    send(worker, { kind: "item", index, item });
  });
}

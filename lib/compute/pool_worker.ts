// Runs in a worker of mapPool: loads the task, then answers each item with a result or a failure.

import { type PoolReply, type PoolRequest, send } from "./pool_message.ts";
import type { PoolTask } from "./types.ts";

let task: Promise<PoolTask<unknown, unknown, unknown>> | undefined;
let context: unknown;
/** The item at work. */
let current = 0;

self.onmessage = async ({ data }: MessageEvent<PoolRequest>) => {
  if (data.kind === "start") {
    task = load(data.task);
    // A module that does not load is the failure of the first item.
    task.catch(() => {});
    context = data.context;
    return;
  }
  const { index, item } = data;
  current = index;
  try {
    reply({ kind: "result", index, result: await (await task)?.(item, context) });
  } catch (error) {
    fail(error);
  }
};

// What is thrown outside the task's call, in a timer for example, fails the item at work too.
self.addEventListener("error", (event) => {
  event.preventDefault();
  fail(event.error);
});
self.addEventListener("unhandledrejection", (event) => {
  event.preventDefault();
  fail(event.reason);
});

async function load(url: string): Promise<PoolTask<unknown, unknown, unknown>> {
  const { default: exported } = await import(url);
  if (typeof exported !== "function") {
    throw new TypeError(`Cannot use the task ${url}: its default export must be a function`);
  }
  return exported;
}

function fail(thrown: unknown): void {
  const { name, message, stack } = thrown instanceof Error ? thrown : new Error(String(thrown));
  reply({ kind: "failure", index: current, name, message, stack });
}

function reply(message: PoolReply): void {
  send(self, message);
}

/** A running Deno kernel: starts, executes code without losing an output, ends. */

import { randomUUID } from "node:crypto";
import { Channels, KernelError } from "./channels.ts";
import { KernelProcess } from "./kernel_process.ts";
import type { Message } from "./messages.ts";
import { within } from "./within.ts";

export { KernelError } from "./channels.ts";
export type { Message } from "./messages.ts";

/** How often a start is tried, should another program take a port before the kernel does. */
const ATTEMPTS = 3;

/**
 * An error that nobody catches, in a timer or a promise, kills the part of the kernel that runs
 * cells, which then never answer, or passes unseen. This makes it an error output like any other.
 */
const REPORT_UNCAUGHT = `for (const type of ["error", "unhandledrejection"]) {
  addEventListener(type, (event) => {
    event.preventDefault();
    const error = event.error ?? event.reason;
    const [ename, evalue, traceback] = error instanceof Error
      ? [error.name, error.message, error.stack ?? ""]
      : ["Error", String(error), ""];
    Deno.jupyter.broadcast("error", { ename, evalue, traceback: traceback.split("\\n") });
  });
}`;

/** What `Kernel.start` may be given. */
export interface KernelOptions {
  /** The kernel's working folder (default: the executor's). */
  cwd?: string;
}

/** What `Kernel.execute` may be given. */
export interface ExecuteOptions {
  /** Called with every message on IOPub that belongs to the code, in order. */
  onMessage?: (message: Message) => void;
  /** Seconds until the kernel is killed (default: no limit). */
  timeout?: number;
}

/** The kernel's answer to an execution. */
export interface ExecuteReply {
  status: "ok" | "error";
  ename?: string;
  evalue?: string;
  traceback?: string[];
}

/** What a kernel says of its language, as notebooks store it. */
export type LanguageInfo = { name: string } & Record<string, unknown>;

/** The code took longer than it may, and the kernel has been killed. */
export class KernelTimeout extends KernelError {
  override name = "KernelTimeout";
}

/** One kernel. End it with `close`, or let `await using` do so. */
export class Kernel {
  /** The kernel's language. */
  readonly languageInfo: LanguageInfo;
  #process: KernelProcess;
  #channels: Channels;

  private constructor(process: KernelProcess, channels: Channels, languageInfo: LanguageInfo) {
    this.#process = process;
    this.#channels = channels;
    this.languageInfo = languageInfo;
  }

  /**
   * Starts a kernel with the Deno that runs this code, and waits until its output arrives.
   * @throws {KernelError} if it does not get ready.
   */
  static async start(options: KernelOptions = {}): Promise<Kernel> {
    let failure: unknown;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const process = KernelProcess.start(options.cwd);
      let channels: Channels | undefined;
      try {
        channels = await Channels.open(process);
        const info = await channels.whenReady();
        await channels.request("execute_request", execution(REPORT_UNCAUGHT, true));
        process.removeConnectionFile();
        return new Kernel(process, channels, info.language_info as LanguageInfo);
      } catch (error) {
        failure = error;
        channels?.close();
        await process.kill();
      }
    }
    const reason = failure instanceof Error ? failure.message : String(failure);
    throw new KernelError(`Cannot start a kernel in ${ATTEMPTS} attempts: ${reason}`);
  }

  /** The process id of the kernel. */
  get pid(): number {
    return this.#process.pid;
  }

  /**
   * Executes one cell and returns when all it has printed has arrived. The kernel says "idle"
   * before its own output queue is empty; so a silent request follows which sends a mark through
   * that queue, first in, first out. When the mark is here, so is everything before it.
   * @throws {KernelTimeout} if it takes too long.
   * @throws {KernelError} if the kernel ends, or its output cannot be read to the end.
   */
  async execute(code: string, options: ExecuteOptions = {}): Promise<ExecuteReply> {
    const { onMessage = () => {}, timeout = Infinity } = options;
    const executed = this.#executeToMark(code, onMessage);
    try {
      const reply = Number.isFinite(timeout) ? await within(executed, timeout) : await executed;
      if (reply) return reply;
      throw new KernelTimeout(`it took longer than the ${timeout} seconds that a cell may take`);
    } catch (error) {
      await this.close();
      await executed.catch(() => {}); // Until then, what came before the end is still handed on.
      throw error;
    }
  }

  /** Kills the kernel. */
  async close(): Promise<void> {
    this.#channels.close();
    await this.#process.kill();
  }

  /** Kills the kernel at the end of the scope that holds it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #executeToMark(
    code: string,
    onMessage: (message: Message) => void,
  ): Promise<ExecuteReply> {
    const channels = this.#channels;
    // What a cell throws does not go through the queue and can overtake what it printed before.
    let held: Message[] | undefined = [];
    const receive = (message: Message) => {
      if (message.type === "error" && held) held.push(message);
      else onMessage(message);
    };
    try {
      const reply = await channels.request("execute_request", execution(code, false), receive);
      const mark = randomUUID();
      const marked = Promise.withResolvers<void>();
      // A rejection that nobody handles is reported when the event loop turns.
      const sendMark = `await new Promise((resolve) => setTimeout(resolve, 0));
        await Deno.jupyter.broadcast("mark", { mark: "${mark}" })`;
      // What leaves the kernel's queue after this request has come names it as its parent.
      await channels.request("execute_request", execution(sendMark, true), (message) => {
        if (message.type !== "mark") receive(message);
        else if (message.content.mark === mark) marked.resolve();
      });
      await channels.expect(marked.promise);
      return reply as unknown as ExecuteReply;
    } finally {
      const errors = held;
      held = undefined;
      errors.forEach(onMessage);
    }
  }
}

function execution(code: string, silent: boolean): Record<string, unknown> {
  return {
    code,
    silent,
    store_history: !silent,
    user_expressions: {},
    allow_stdin: false,
    stop_on_error: true,
  };
}

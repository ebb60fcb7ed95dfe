/** The two connections that an executor has to a kernel: shell to ask, IOPub to listen. */

import { randomUUID } from "node:crypto";
import type { KernelProcess } from "./kernel_process.ts";
import { decodeMessage, encodeMessage, type Message, type Signing } from "./messages.ts";
import { within } from "./within.ts";
import { type SocketType, StreamCorrupt, ZmtpSocket } from "./zmtp.ts";

/** Seconds until a kernel must be ready. */
const STARTUP_TIMEOUT = 60;
/** Seconds of silence after which a promised message counts as lost. */
const SILENCE = 15;

/** The kernel has ended, or its stream has broken: nothing more can be executed. */
export class KernelError extends Error {
  override name = "KernelError";
}

/** Who gets what comes back for a request. */
interface Request {
  onReply: (content: Record<string, unknown>) => void;
  onMessage: ((message: Message) => void) | undefined;
}

/** The open connections to one kernel. */
export class Channels {
  #process: KernelProcess;
  #shell: ZmtpSocket;
  #iopub: ZmtpSocket;
  #signing: Signing;
  #requests = new Map<string, Request>();
  #broken = Promise.withResolvers<never>();
  #heard = 0;

  private constructor(process: KernelProcess, shell: ZmtpSocket, iopub: ZmtpSocket) {
    this.#process = process;
    this.#shell = shell;
    this.#iopub = iopub;
    this.#signing = { key: process.connection.key, session: randomUUID() };
    this.#broken.promise.catch(() => {}); // Requests race against it; alone it is no error.
    this.#listen(shell, (message, request) => request?.onReply(message.content));
    this.#listen(iopub, (message, request) => {
      this.#heard++;
      request?.onMessage?.(message);
    });
  }

  /**
   * Connects as soon as the kernel listens.
   * @throws {KernelError} if the kernel ends before.
   */
  static async open(process: KernelProcess): Promise<Channels> {
    const { shell_port, iopub_port } = process.connection;
    const shell = await connect(process, shell_port, "DEALER");
    try {
      return new Channels(process, shell, await connect(process, iopub_port, "SUB"));
    } catch (error) {
      shell.close();
      throw error;
    }
  }

  /**
   * Asks for the kernel's information until the answer comes on both channels: only then does the
   * kernel know this subscriber, and nothing it publishes later is missed.
   */
  async whenReady(): Promise<Record<string, unknown>> {
    const deadline = Date.now() + STARTUP_TIMEOUT * 1000;
    while (Date.now() < deadline) {
      const info = await within(this.request("kernel_info_request", {}), STARTUP_TIMEOUT);
      await pause(5);
      if (info && this.#heard > 0) return info;
    }
    throw new KernelError(`the kernel was not ready within ${STARTUP_TIMEOUT} seconds`);
  }

  /**
   * Sends a request on the shell channel.
   * @param onMessage is called with what IOPub brings for this request, now and later.
   * @returns the content of the reply.
   * @throws {KernelError} if the kernel ends before it replies.
   */
  async request(
    type: string,
    content: Record<string, unknown>,
    onMessage?: (message: Message) => void,
  ): Promise<Record<string, unknown>> {
    const { id, frames } = encodeMessage(type, content, this.#signing);
    const reply = new Promise<Record<string, unknown>>((onReply) => {
      this.#requests.set(id, { onReply, onMessage });
    });
    const sent = this.#shell.send(frames).catch(() => this.#broken.promise);
    await Promise.race([sent, this.#broken.promise]);
    return await Promise.race([reply, this.#broken.promise]);
  }

  /**
   * Waits for something that IOPub brings, as long as IOPub brings anything.
   * @throws {KernelError} if the kernel ends, or is silent for too long.
   */
  async expect(promise: Promise<void>): Promise<void> {
    const arrived = Promise.race([promise.then(() => true), this.#broken.promise]);
    for (let heard = -1; heard !== this.#heard;) {
      heard = this.#heard;
      if (await within(arrived, SILENCE)) return;
    }
    throw new KernelError("output was lost: the kernel's stream has stopped");
  }

  /** Ends both connections. */
  close(): void {
    this.#shell.close();
    this.#iopub.close();
  }

  /** Hands on what a socket brings, and breaks the channels when it ends. */
  async #listen(
    socket: ZmtpSocket,
    handle: (message: Message, request: Request | undefined) => void,
  ): Promise<void> {
    try {
      while (true) {
        const message = decodeMessage(await socket.receive(), this.#signing);
        handle(message, this.#requests.get(message.parent ?? ""));
      }
    } catch (error) {
      if (error instanceof StreamCorrupt) {
        return this.#broken.reject(
          new KernelError(
            `output was lost: the kernel mixed up its stream and sent ${error.message}; ` +
              "it can do so after an output of 8 MB: print less, or in parts of 1 MB",
          ),
        );
      }
      // IOPub ends when the last byte is read; the shell's end must not cut that short.
      const how = await within(this.#process.ended, 2);
      if (socket === this.#shell) await pause(500);
      this.#broken.reject(new KernelError(`the kernel ${how ?? "closed its connection"}`));
    }
  }
}

/** Connects once somebody listens; gives up when the kernel has ended, or after a while. */
async function connect(
  process: KernelProcess,
  port: number,
  type: SocketType,
): Promise<ZmtpSocket> {
  const stop = new AbortController();
  const timer = setTimeout(
    () => stop.abort(`did not listen within ${STARTUP_TIMEOUT} seconds`),
    STARTUP_TIMEOUT * 1000,
  );
  process.ended.then((how) => stop.abort(how));
  try {
    while (true) {
      try {
        return await ZmtpSocket.connect(port, type, stop.signal);
      } catch (error) {
        if (stop.signal.aborted) throw new KernelError(`the kernel ${stop.signal.reason}`);
        if (!(error instanceof Deno.errors.ConnectionRefused)) throw error;
      }
      await pause(10);
    }
  } finally {
    clearTimeout(timer);
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

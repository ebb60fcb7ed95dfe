/** The operating system's side of a kernel: its process, its connection file, and its end. */

import { randomBytes } from "node:crypto";
import { dirname, join } from "node:path";
import { within } from "./within.ts";

const PORTS = ["shell_port", "iopub_port", "stdin_port", "control_port", "hb_port"] as const;

/** Waits until the executor is gone, however it went; then kills the kernel's process group. */
const WATCHDOG = 'read -r _; kill -s KILL -- "-$1"; rm -rf -- "$2"';

/** Where a kernel listens and what it signs with: the content of a connection file. */
export interface ConnectionInfo extends Record<typeof PORTS[number], number> {
  ip: string;
  transport: string;
  key: string;
  signature_scheme: string;
  kernel_name: string;
}

/**
 * One `deno jupyter` process. It is the leader of its own process group, so that Ctrl-C in a
 * terminal reaches the executor alone, and a kill reaches what the cells have started too.
 *
 * It dies with the executor. A watchdog, a shell that waits for the end of a pipe which only the
 * executor holds open, sees to that when the executor cannot: after SIGINT, SIGTERM, SIGKILL, a
 * crash. Windows has no such shell: there a kernel outlives an executor that is killed.
 */
export class KernelProcess {
  readonly connection: ConnectionInfo;
  /** The connection file. It is in a folder that only this user can read. */
  readonly file: string;
  /** Settles when the process has ended, with a few words on how and its last messages. */
  readonly ended: Promise<string>;
  #child: Deno.ChildProcess;
  #watchdog: Deno.ChildProcess | undefined;
  #released = false;

  private constructor(connection: ConnectionInfo, file: string, child: Deno.ChildProcess) {
    this.connection = connection;
    this.file = file;
    this.#child = child;
    const messages = lastLines(child.stderr);
    this.ended = child.status.then(async (status) => {
      this.#release();
      const how = status.signal ? `was killed by ${status.signal}` : `exited with ${status.code}`;
      return [how, await within(messages, 1)].filter(Boolean).join(": ");
    });
  }

  /**
   * Starts a kernel that listens on free ports of this machine.
   * @throws if the operating system cannot start it.
   */
  static start(cwd: string | undefined): KernelProcess {
    const connection = {
      ip: "127.0.0.1",
      transport: "tcp",
      ...freePorts(),
      key: randomBytes(32).toString("hex"),
      signature_scheme: "hmac-sha256",
      kernel_name: "deno",
    };
    const folder = Deno.makeTempDirSync({ prefix: "kernel-" });
    const file = join(folder, "connection.json");
    let kernel: KernelProcess | undefined;
    try {
      Deno.writeTextFileSync(file, JSON.stringify(connection), { mode: 0o600 });
      // Outputs must not depend on whether the executor's own output is coloured.
      const { NO_COLOR: _, FORCE_COLOR: __, ...env } = Deno.env.toObject();
      const child = new Deno.Command(Deno.execPath(), {
        args: ["jupyter", "--kernel", "--conn", file],
        cwd,
        env,
        clearEnv: true,
        stdin: "null",
        stdout: "null",
        stderr: "piped",
        detached: true,
      }).spawn();
      kernel = new KernelProcess(connection, file, child);
      kernel.#watch();
      return kernel;
    } catch (error) {
      void kernel?.kill();
      Deno.removeSync(folder, { recursive: true });
      throw error;
    }
  }

  /** The process id. */
  get pid(): number {
    return this.#child.pid;
  }

  /** Removes the connection file: a kernel needs it only to start. */
  removeConnectionFile(): void {
    try {
      Deno.removeSync(dirname(this.file), { recursive: true });
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }

  /** Kills the kernel and what its cells have started. */
  async kill(): Promise<void> {
    this.#killGroup();
    await this.ended;
  }

  #watch(): void {
    if (Deno.build.os === "windows") return;
    this.#watchdog = new Deno.Command("/bin/sh", {
      args: ["-c", WATCHDOG, "watchdog", String(this.pid), dirname(this.file)],
      stdin: "piped",
      stdout: "null",
      stderr: "null",
      detached: true,
    }).spawn();
  }

  #killGroup(): void {
    if (this.#released) return; // Another process may have got the number since.
    try {
      if (Deno.build.os === "windows") this.#child.kill("SIGKILL");
      else Deno.kill(-this.pid, "SIGKILL");
    } catch {
      // All of it has ended already.
    }
  }

  /** Clears up after a kernel that has ended. */
  #release(): void {
    this.#killGroup();
    this.#released = true;
    this.removeConnectionFile();
    try {
      this.#watchdog?.kill("SIGKILL");
    } catch {
      // It has ended already.
    }
  }
}

/** Ports that were free a moment ago. All are held until the last is known, so they differ. */
function freePorts(): Record<typeof PORTS[number], number> {
  const listeners = PORTS.map(() => Deno.listen({ hostname: "127.0.0.1", port: 0 }));
  const ports = listeners.map((listener) => listener.addr.port);
  for (const listener of listeners) listener.close();
  return Object.fromEntries(PORTS.map((name, index) => [name, ports[index]!])) as Record<
    typeof PORTS[number],
    number
  >;
}

/** The last lines of a stream, without the warning that every kernel prints. */
async function lastLines(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<string> {
  let text = "";
  for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
    text = (text + chunk).slice(-2000);
  }
  return text.split("\n").filter((line) => !line.includes('"deno jupyter" is unstable')).join("\n")
    .trim();
}

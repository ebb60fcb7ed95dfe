// A Slurm cluster of one node on this machine: munge, slurmctld and slurmd, each with its files in one folder.
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { hostname, totalmem } from "node:os";
import { join } from "node:path";
import process from "node:process";

/** Why no cluster can be started here; undefined when one can. */
export function whyNoSlurm(): string | undefined {
  const missing = ["munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel"].filter((name) =>
    spawnSync("sh", ["-c", `PATH=$PATH:/usr/sbin command -v ${name}`]).status !== 0
  );
  if (missing.length > 0) return `${missing.join(", ")} not installed (Debian: slurm-wlm)`;
  return process.getuid?.() === 0 ? undefined : "slurmd needs root";
}

/** A running cluster. */
export interface SlurmCluster {
  /** The environment in which Slurm's commands find it. */
  readonly env: Readonly<Record<string, string>>;
  /** Runs one of Slurm's commands and returns its output. */
  run(command: string, ...args: string[]): string;
  /** Waits until a condition holds. */
  until(holds: () => boolean, what: string): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a cluster whose files lie in a new folder. */
export async function startSlurm(folder: string): Promise<SlurmCluster> {
  const at = (...parts: string[]) => join(folder, ...parts);
  for (const name of ["munge", "state", "spool"]) mkdirSync(at(name), { recursive: true });
  chmodSync(folder, 0o755);
  writeFileSync(at("munge/key"), randomBytes(1024), { mode: 0o400 });
  const host = hostname().split(".")[0]!;
  const [controller, node] = [await freePort(), await freePort()];
  writeFileSync(
    at("slurm.conf"),
    [
      ...["ClusterName=test", `SlurmctldHost=${host}(127.0.0.1)`, "SlurmUser=root"],
      ...["SlurmdUser=root", "AuthType=auth/munge", `AuthInfo=socket=${at("munge/socket")}`],
      ...[`SlurmctldPort=${controller}`, `SlurmdPort=${node}`],
      ...[`StateSaveLocation=${at("state")}`, `SlurmdSpoolDir=${at("spool")}`],
      ...[`SlurmctldPidFile=${at("slurmctld.pid")}`, `SlurmdPidFile=${at("slurmd.pid")}`],
      ...[`SlurmctldLogFile=${at("slurmctld.log")}`, `SlurmdLogFile=${at("slurmd.log")}`],
      ...["ProctrackType=proctrack/linuxproc", "TaskPlugin=task/none", "SwitchType=switch/none"],
      ...["MpiDefault=none", "ReturnToService=2", "SelectType=select/cons_tres"],
      ...["SelectTypeParameters=CR_Core", "JobAcctGatherType=jobacct_gather/none"],
      ...["AccountingStorageType=accounting_storage/none", "SchedulerParameters=sched_interval=1"],
      `NodeName=${host} NodeAddr=127.0.0.1 CPUs=${navigator.hardwareConcurrency} ` +
      `RealMemory=${Math.floor(totalmem() / 2 ** 20)} State=UNKNOWN`,
      `PartitionName=test Nodes=${host} Default=YES MaxTime=INFINITE State=UP`,
      "",
    ].join("\n"),
  );
  const env = { SLURM_CONF: at("slurm.conf"), PATH: `${process.env.PATH}:/usr/sbin:/usr/bin` };
  const run = (command: string, ...args: string[]) => {
    const options = { encoding: "utf8", env: { ...process.env, ...env } } as const;
    const { status, stdout, stderr, error } = spawnSync(command, args, options);
    if (status === 0) return stdout;
    throw new Error(`${command} ended with ${status}: ${stderr || error?.message}`);
  };
  const until = async (holds: () => boolean, what: string) => {
    for (let tries = 0; tries < 600; tries++) {
      if (holds()) return;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    throw new Error(`Waited for nothing: ${what}`);
  };
  const pids = [at("slurmd.pid"), at("slurmctld.pid"), at("munge/pid")];
  const stop = async () => {
    // After a failure jobs may be left, which would outlive the cluster.
    if (responds(() => run("scancel", "--user=root"))) {
      const ended = () => run("squeue", "--noheader").trim() === "";
      await until(ended, "the end of the jobs").catch(console.error);
    }
    const running = pids.filter(existsSync).map((path) => Number(readFileSync(path, "utf8")));
    for (const pid of running) kill(pid, "SIGTERM");
    await until(() => running.every((pid) => !kill(pid, 0)), "the end of the cluster");
  };
  try {
    const files = ["key", "socket", "pid", "log", "seed"].map((name) => {
      const flag = { pid: "pid-file", log: "log-file", key: "key-file", seed: "seed-file" };
      return `--${name === "socket" ? name : flag[name as keyof typeof flag]}=${at("munge", name)}`;
    });
    run("munged", "--force", ...files);
    run("slurmctld");
    await until(() => responds(() => run("sinfo", "--noheader")), "slurmctld");
    run("slurmd");
    await until(() => run("sinfo", "--noheader", "--format=%t").trim() === "idle", "slurmd");
  } catch (error) {
    await stop();
    throw error;
  }
  return { env, run, until, stop };
}

function responds(call: () => unknown): boolean {
  try {
    call();
    return true;
  } catch {
    return false;
  }
}

/** Sends a signal; false when there is no such process. */
function kill(pid: number, signal: "SIGTERM" | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().on("error", reject).listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Run, type TrainEvent, trainSideBySide } from "../../lib/train/mod.ts";
import { filesOf, tinyCorpus, tinyRun } from "./tiny.ts";

const scratch = mkdtempSync(join(tmpdir(), "side-by-side-"));
const worker = fileURLToPath(new URL("../../lib/train/worker.ts", import.meta.url));
const whole = join(scratch, "whole");
const long = tinyRun({ steps: 600, checkpoints: [20, 300, 500, 600] });
const short = tinyRun({ name: "short", seed: 2 });
let corpus: string;

beforeAll(async () => {
  corpus = await tinyCorpus(join(scratch, "corpus"));
  await together([long, short], whole);
});
afterAll(() => rmSync(scratch, { recursive: true }));

function together(
  runs: readonly Run[],
  folder: string,
  stopping: { signal?: AbortSignal; saveEverySeconds?: number } = {},
) {
  const events: TrainEvent[] = [];
  const onEvent = (event: TrainEvent) => events.push(event);
  const options = { corpus, folder, backend: "wasm", processes: 2, onEvent, ...stopping } as const;
  return trainSideBySide(runs, options).then((ended) => ({ ended, events }));
}

/** One process, in a shell that may limit it; resolves with its code and messages. */
function inShell(folder: string, limits: string) {
  const task = JSON.stringify({ run: long, corpus, folder, backend: "wasm", saveEverySeconds: 0 });
  const child = new Deno.Command("sh", {
    args: ["-c", `${limits} exec "$0" run -A --quiet "$1" "$2"`, Deno.execPath(), worker, task],
    stdin: "piped",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const errors = new Response(child.stderr).text();
  const ended = child.status.then(async ({ code }) => ({ code, errors: await errors }));
  return { child, ended };
}

const wait = (milliseconds: number) => new Promise((done) => setTimeout(done, milliseconds));

describe("runs side by side", () => {
  it("finish, each in its folder", () => {
    const names = readdirSync(whole).sort();
    expect(names).toEqual(["short", "tiny"]);
    expect(existsSync(join(whole, "tiny", "step600", "model.safetensors"))).toBe(true);
  });

  it("killed at random moments give the same bytes as if they had not been", async () => {
    const folder = join(scratch, "killed");
    const state = join(folder, "tiny", "state.safetensors");
    let kills = 0;
    while (true) {
      const { child, ended } = inShell(folder, "");
      let running = true;
      ended.finally(() => running = false);
      // The process is at it, and writes a state at every step, when it holds the folder.
      while (running && !existsSync(state)) await wait(5);
      const delay = kills < 5 ? wait(300 + 200 * Math.random()) : undefined;
      await Promise.race([ended, delay ?? ended]);
      if (running) child.kill("SIGKILL");
      const { code, errors } = await ended;
      expect(errors).toBe("");
      if (code === 0) break;
      kills++;
    }
    expect(kills).toBeGreaterThanOrEqual(3);
    expect(filesOf(join(folder, "tiny"))).toEqual(filesOf(join(whole, "tiny")));
  });

  it("on a full disk name the file, lose nothing and go on when there is room", async () => {
    const folder = join(scratch, "full");
    // A process that may write no file above 100 blocks of 512 bytes: the state is larger.
    const { ended } = inShell(folder, "trap '' XFSZ; ulimit -f 100;");
    const { code, errors } = await ended;
    expect(code).toBe(1);
    expect(errors).toContain(`Cannot write ${join(folder, "tiny")}`);
    expect(readdirSync(join(folder, "tiny")).filter((name) => name.includes("partial"))).toEqual(
      [],
    );
    await together([long], folder);
    expect(filesOf(join(folder, "tiny"))).toEqual(filesOf(join(whole, "tiny")));
  });

  it("leave the others alone when one fails, and say why", async () => {
    const wrong = tinyRun({ name: "wrong", steps: 1e6, schedule: { kind: "constant", warmUp: 1 } });
    const { ended } = await together([wrong, short], join(scratch, "wrong"));
    const outcome = Object.fromEntries(ended.map((event) => [event.run.name, event]));
    expect(outcome.short).toMatchObject({ type: "finished" });
    expect(outcome.wrong).toMatchObject({ type: "failed" });
    expect(outcome.wrong).toHaveProperty(
      "reason",
      expect.stringContaining("bytes of text, each once"),
    );
  });

  it("wait for the state that they branch off, and stop with their states saved", async () => {
    const stable = tinyRun({
      name: "stable",
      schedule: { kind: "constant", warmUp: 5 },
      branchPoints: [40],
    });
    const decay = tinyRun({
      name: "decay",
      schedule: { kind: "wsd", warmUp: 5, decayFrom: 40, steps: 60 },
      from: { run: "stable", step: 40 },
      checkpoints: [60],
    });
    const folder = join(scratch, "branch");
    const stop = new AbortController();
    const endless = { ...long, name: "endless" };
    // Stopped when it is at it: with a state at every step it has a second and more to go.
    const state = join(folder, "endless", "state.safetensors");
    const stopping = together([endless], folder, { signal: stop.signal, saveEverySeconds: 0 });
    while (!existsSync(state)) await wait(5);
    stop.abort();
    expect((await stopping).ended).toMatchObject([{ type: "stopped" }]);
    expect(existsSync(state)).toBe(true);
    const { ended } = await together([decay, stable, endless], folder);
    expect(ended.map(({ type }) => type)).toEqual(["finished", "finished", "finished"]);
    const both = [join(folder, "endless"), join(whole, "tiny")].map((path) =>
      filesOf(path)["log.csv"]
    );
    expect(both[0]).toBe(both[1]);
  });
});

import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { HubError, type HubOptions } from "../../lib/checkpoint/mod.ts";
import type { Fault } from "./hub_server.ts";
import { config, gitHash, sha256, step1Weights, useHub } from "./hub_models.ts";

const test = useHub();
const { hub } = test;

/** The waits between tries, in milliseconds, which the tests do not sit through. */
let waits: number[];
beforeEach(() => {
  waits = [];
  const { setTimeout } = globalThis;
  vi.spyOn(globalThis, "setTimeout").mockImplementation(
    ((run: () => void, wait = 0) => {
      const between = new Error().stack?.includes("hub_client.ts");
      if (between) waits.push(wait);
      return setTimeout(run, between ? 0 : wait);
    }) as typeof setTimeout,
  );
});
afterEach(() => {
  vi.restoreAllMocks();
});

const etag = sha256(step1Weights);
const size = step1Weights.length;
const fromCdn = /^cdn.*model.safetensors$/;
const blobFolder = () => join(test.settings.cache, "models--tiny--neox", "blobs");
const blob = () => join(blobFolder(), etag);
const partial = () => `${blob()}.incomplete`;
const ranges = () => hub.requests.filter(({ host }) => host === "cdn").map(({ range }) => range);
/** The cache as it is when all went well. */
const wholeCache = () => [gitHash(config), etag].sort();

/** Leaves a part of the weights, as a download that was killed does. */
function leavePart(bytes: Uint8Array): void {
  mkdirSync(blobFolder(), { recursive: true });
  writeFileSync(partial(), bytes);
}

async function openAndCheck(): Promise<void> {
  using checkpoint = await test.open();
  expect(checkpoint.weights.names).toEqual(["w"]);
  expect(test.blobs()).toEqual(wholeCache());
  expect(sha256(readFileSync(blob()))).toBe(etag);
}

describe("a download", () => {
  it("goes on where the connection was cut, however often", async () => {
    hub.faults.push({ path: fromCdn, cut: 30_000, times: 3 });
    await openAndCheck();
    expect(ranges()).toEqual([null, "bytes=30000-", "bytes=60000-", "bytes=90000-"]);
  });

  it("goes on when the connection brings nothing", async () => {
    hub.faults.push({ path: fromCdn, stall: 40_000 });
    test.settings = { ...test.settings, stallSeconds: 0.3 };
    await openAndCheck();
    expect(ranges()).toEqual([null, "bytes=40000-"]);
  });

  it("goes on where an earlier process was killed", async () => {
    leavePart(step1Weights.subarray(0, 12_345));
    await openAndCheck();
    expect(ranges()).toEqual(["bytes=12345-"]);
  });

  it("needs no request when a part turns out to be whole", async () => {
    leavePart(step1Weights);
    await openAndCheck();
    expect(ranges()).toEqual([]);
  });

  it.each<[string, Uint8Array]>([
    ["damaged", new Uint8Array(5000)],
    ["too long", new Uint8Array(size + 1)],
  ])("starts again when what was left is %s", async (_, left) => {
    leavePart(left);
    await openAndCheck();
    expect(ranges().at(-1)).toBe(null);
  });

  it("takes the whole file from a server that knows no ranges", async () => {
    leavePart(step1Weights.subarray(0, 50_000));
    hub.faults.push({ path: fromCdn, noRange: true });
    await openAndCheck();
    expect(ranges()).toEqual(["bytes=50000-"]);
  });

  it.each<[string, Omit<Fault, "path">, string]>([
    [
      "is shorter than listed",
      { body: (file) => file.subarray(0, -7) },
      `needs ${size} bytes: got ${size - 7}`,
    ],
    [
      "is longer than listed",
      { body: (file) => Uint8Array.of(...file, 0) },
      `needs ${size} bytes: got ${size + 1}`,
    ],
    [
      "is longer and does not say so",
      { body: (file) => Uint8Array.of(...file, 0), chunked: true },
      `needs ${size} bytes: got more`,
    ],
    [
      "is shorter and does not say so",
      { body: (file) => file.subarray(0, 1000), chunked: true, times: 2 },
      `needs ${size} bytes: got fewer`,
    ],
    [
      "has other bytes",
      { body: (file) => file.map((byte, i) => i === 99 ? byte ^ 1 : byte) },
      "is damaged: its hash is",
    ],
  ])("keeps no file that %s", async (_, fault, message) => {
    hub.faults.push({ path: fromCdn, ...fault });
    const failed = await test.open().catch((error) => error);
    expect(failed).toBeInstanceOf(HubError);
    expect(failed.message).toContain("The download of model.safetensors");
    expect(failed.message).toContain(message);
    expect(test.blobs()).toEqual([gitHash(config)]);
    // Nothing is left of it.
    await openAndCheck();
  });

  it("checks small files, too", async () => {
    hub.faults.push({ path: /^hub.*config.json$/, body: (file) => file.toReversed() });
    await expect(test.open()).rejects.toThrow("The download of config.json is damaged");
    expect(test.blobs()).toEqual([]);
  });

  it("gives up after five tries that bring nothing, and keeps the part", async () => {
    hub.faults.push({ path: fromCdn, cut: 60_000 }, { path: fromCdn, cut: 0, times: 5 });
    await expect(test.open()).rejects.toThrow(
      `The download of model.safetensors was cut at byte 60000 of ${size}, 5 times: start again`,
    );
    expect(waits).toEqual([250, 500, 1000, 2000]);
    expect(statSync(partial()).size).toBe(60_000);
    await openAndCheck();
    expect(ranges().at(-1)).toBe("bytes=60000-");
  });

  it("happens once when two ask for the same file", async () => {
    hub.faults.push({ path: fromCdn, cut: 50_000 });
    await Promise.all([openAndCheck(), openAndCheck(), openAndCheck()]);
    expect(ranges()).toEqual([null, "bytes=50000-"]);
  });

  it("that is killed is taken up by the next process", async () => {
    hub.faults.push({ path: fromCdn, stall: 70_000 });
    const child = openInChild();
    await expect.poll(() => statSync(partial(), { throwIfNoEntry: false })?.size, {
      timeout: 30_000,
    })
      .toBe(70_000);
    child.kill("SIGKILL");
    await child.status;
    await openAndCheck();
    expect(ranges()).toEqual([null, "bytes=70000-"]);
  });

  it("is shared by processes that run at the same time", async () => {
    hub.faults.push({ path: fromCdn, cut: 20_000, times: 2 });
    const children = [openInChild(), openInChild()];
    for (const child of children) expect((await child.status).success).toBe(true);
    expect(ranges()).toEqual([null, "bytes=20000-", "bytes=40000-"]);
    expect(test.blobs()).toEqual(wholeCache());
  });
});

/** Opens step1 in another process, with the settings in its environment. */
function openInChild(): Deno.ChildProcess {
  const { endpoint, cache, token } = test.settings as Required<HubOptions>;
  const module = join(import.meta.dirname!, "../../lib/checkpoint/mod.ts");
  const script = `import { openCheckpoint } from ${JSON.stringify(module)};
    (await openCheckpoint("tiny/neox", { revision: "step1" })).close();`;
  return new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-check", script],
    env: { HF_ENDPOINT: endpoint, HF_HUB_CACHE: cache, HF_TOKEN: token },
    stdout: "inherit",
    stderr: "inherit",
  }).spawn();
}

describe("a request", () => {
  it("waits as long as the hub asks for", async () => {
    const past = new Date(0).toUTCString();
    hub.faults.push(
      { path: /^hub.*revision/, status: 429, retryAfter: "3" },
      { path: /^hub.*tree/, status: 429, rateLimit: '"api";r=0;t=0' },
      { path: /^hub.*config.json/, status: 503, retryAfter: past },
      { path: fromCdn, status: 500 },
    );
    await openAndCheck();
    expect(waits).toEqual([3000, 0, 0, 250]);
    expect(test.seen(/revision/)).toHaveLength(2);
    expect(hub.faults).toEqual([]);
  });

  it("is made five times and no more", async () => {
    hub.faults.push({ path: /^hub.*revision/, status: 429, retryAfter: "0", times: 99 });
    await expect(test.open()).rejects.toThrow("429: too many requests: wait a while");
    expect(test.seen(/revision/)).toHaveLength(5);
  });

  it("does not wait for hours, nor for what will not change", async () => {
    hub.faults.push({ path: /^hub.*revision/, status: 429, retryAfter: "7200" });
    await expect(test.open()).rejects.toThrow("429");
    hub.faults.push({ path: fromCdn, status: 404 });
    await expect(test.open()).rejects.toThrow("404: no such file, revision or model");
    expect(test.seen(/revision/)).toHaveLength(2);
    expect(readdirSync(blobFolder())).not.toContain(etag);
  });

  it("says where it went when nobody answers", async () => {
    const endpoint = "http://127.0.0.1:9";
    await expect(test.open("tiny/neox", { hub: { endpoint } })).rejects.toThrow(
      /^Cannot reach http:\/\/127.0.0.1:9: .*HF_HUB_OFFLINE=1 to use what is in the cache$/,
    );
  });
});

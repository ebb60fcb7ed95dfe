import { scanCachedRepo } from "@huggingface/hub";
import {
  existsSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import {
  type DownloadProgress,
  findEqualWeights,
  HubError,
  listRevisions,
  openCheckpoint,
  publishedHashes,
  SafetensorsFile,
} from "../../lib/checkpoint/mod.ts";
import {
  config,
  fixture,
  gitHash,
  secondShard,
  sha256,
  step1Weights,
  temporaryFolder,
  token,
  useHub,
} from "./hub_models.ts";

const test = useHub();
const { hub } = test;
afterEach(() => {
  vi.unstubAllEnvs();
});

describe("openCheckpoint of a model on the hub", () => {
  it("gives configuration and tensors, and tells how far it is", async () => {
    const progress: DownloadProgress[] = [];
    using checkpoint = await openCheckpoint("tiny/neox", {
      hub: test.settings,
      progress: (event) => progress.push(event),
    });
    expect(checkpoint).toMatchObject({
      model: "tiny/neox",
      revision: "main",
      commit: hub.commit("tiny/neox", "main"),
      config: JSON.parse(readFileSync(join(fixture, "config.json"), "utf8")),
    });
    using expected = new SafetensorsFile(join(fixture, "model.safetensors"));
    expect(checkpoint.weights.names).toEqual(expected.names);
    for (const name of expected.names) {
      expect(checkpoint.weights.tensor(name)).toEqual(expected.tensor(name));
    }
    const { size } = statSync(join(fixture, "model.safetensors"));
    const whole = { model: "tiny/neox", revision: "main", file: "model.safetensors" };
    expect(progress.at(-1)).toEqual({ ...whole, done: size, total: size });
  });

  it("keeps files in the layout of the hub's cache", async () => {
    (await test.open("tiny/neox", { revision: "step10" })).close();
    const commit = hub.commit("tiny/neox", "step10");
    const folder = join(test.settings.cache, "models--tiny--neox");
    expect(readFileSync(join(folder, "refs", "step10"), "utf8")).toBe(commit);
    const blobs = {
      "config.json": gitHash(config),
      "model.safetensors": sha256(step1Weights),
      "tokenizer.json": gitHash("{}"),
      "tokenizer_config.json": gitHash("{}"),
    };
    for (const [name, blob] of Object.entries(blobs)) {
      expect(readlinkSync(join(folder, "snapshots", commit, name))).toBe(`../../blobs/${blob}`);
    }
    expect(test.blobs()).toEqual([...new Set(Object.values(blobs))].sort());
    // As the hub's own library reads it.
    const scanned = await scanCachedRepo(folder);
    expect(scanned.id).toEqual({ name: "tiny/neox", type: "model" });
    expect(scanned.revisions).toMatchObject([{ commitOid: commit, refs: ["step10"] }]);
    expect(scanned.revisions[0]!.files.map(({ path }) => path).sort()).toEqual(
      Object.keys(blobs).map((name) => join(folder, "snapshots", commit, name)),
    );
  });

  it("downloads a file once, whichever revisions have it", async () => {
    (await test.open()).close();
    (await test.open()).close();
    using other = await test.open("tiny/neox", { revision: "step10" });
    expect(test.seen(/safetensors$/)).toHaveLength(2); // The redirect and the file.
    // tokenizer_config.json has the same bytes as tokenizer.json.
    expect(test.seen(/json$/).map((path) => path.split("/").at(-1))).toEqual([
      "config.json",
      "tokenizer.json",
    ]);
    expect(other.tokenizer).toBe(join(other.folder, "tokenizer.json"));
    expect(other.tokenizerConfig).toBe(join(other.folder, "tokenizer_config.json"));
  });

  it("takes a commit for a revision, and writes no ref for it", async () => {
    const commit = hub.commit("tiny/neox", "step1");
    using checkpoint = await test.open("tiny/neox", { revision: commit });
    expect(checkpoint.commit).toBe(commit);
    expect(existsSync(join(test.settings.cache, "models--tiny--neox", "refs"))).toBe(false);
  });

  it("downloads a cached file of another length again", async () => {
    (await test.open()).close();
    const blob = join(test.settings.cache, "models--tiny--neox", "blobs", sha256(step1Weights));
    writeFileSync(blob, "cut");
    (await test.open()).close();
    expect(sha256(readFileSync(blob))).toBe(sha256(step1Weights));
  });

  it("opens shards, and refuses an index that leads elsewhere", async () => {
    using checkpoint = await test.open("tiny/sharded", {});
    expect([...checkpoint.weights.bytes("b")]).toEqual([4]);
    await expect(test.open("tiny/sharded", { revision: "lost" })).rejects.toThrow(
      "tiny/sharded at lost has no file gone.safetensors",
    );
    await expect(test.open("tiny/sharded", { revision: "escaping" })).rejects.toThrow(
      "beside the index",
    );
  });

  it("asks for no network when it is told so", async () => {
    const offline = { hub: { offline: true } };
    await expect(test.open("tiny/sharded", offline)).rejects.toThrow(
      "tiny/sharded at main is not in the cache: unset HF_HUB_OFFLINE to download it",
    );
    (await test.open("tiny/sharded", {})).close();
    hub.requests.length = 0;
    vi.stubEnv("HF_HUB_OFFLINE", "1");
    using cached = await test.open("tiny/sharded", {});
    expect(cached.weights.names).toEqual(["a", "b"]);
    expect(hub.requests).toEqual([]);
    expect(readdirSync(cached.folder)).toContain(secondShard);
  });

  it.each<[string, string, string | undefined, string]>([
    [
      "a revision that is missing",
      "tiny/neox",
      "step14300",
      'tiny/neox has no revision "step14300": the nearest of 5 are step143000, step10, step1',
    ],
    [
      "a model that is missing",
      "tiny/gone",
      undefined,
      "404: no such model, or a private one: check the name, and set HF_TOKEN",
    ],
    [
      "a gated model",
      "tiny/gated",
      undefined,
      "403: access must be asked for: accept the model's conditions",
    ],
    [
      "pickled weights",
      "tiny/pickled",
      undefined,
      'got "pytorch_model.bin": load it with transformers',
    ],
    [
      "a model without configuration",
      "tiny/bare",
      undefined,
      "tiny/bare at main has no file config.json",
    ],
    [
      "a name that is none",
      "../etc",
      undefined,
      'No folder "../etc", and no model\'s name on the hub',
    ],
    [
      "a revision that is a path",
      "tiny/neox",
      "../../x",
      'Needs the name of a revision: got "../../x"',
    ],
  ])("rejects %s", async (_, model, revision, message) => {
    await expect(test.open(model, revision ? { revision } : {})).rejects.toThrow(message);
  });
});

describe("openCheckpoint of a folder", () => {
  it("needs no hub", async () => {
    using checkpoint = await openCheckpoint(fixture);
    expect(checkpoint).toMatchObject({ model: fixture, folder: fixture });
    expect(checkpoint.commit).toBeUndefined();
    expect(checkpoint.config.model_type).toBe("gpt_neox");
    await expect(openCheckpoint(fixture, { revision: "step1" })).rejects.toThrow(
      "has no revisions: give the folder of step1 itself",
    );
  });

  it("rejects a configuration that is no object", async () => {
    const folder = temporaryFolder();
    await expect(openCheckpoint(folder)).rejects.toThrow(
      `Cannot read ${join(folder, "config.json")}`,
    );
    writeFileSync(join(folder, "config.json"), "[]");
    await expect(openCheckpoint(folder)).rejects.toThrow("needs a JSON object");
  });
});

describe("the token", () => {
  const refused =
    "401: no such model, or a private one: check the name, and set HF_TOKEN to a token";

  it("goes to the hub and to no other host", async () => {
    (await test.open()).close();
    for (const { host, authorization } of hub.requests) {
      expect(authorization).toBe(host === "hub" ? `Bearer ${token}` : null);
    }
    expect(new Set(hub.requests.map(({ host }) => host))).toEqual(new Set(["hub", "cdn"]));
  });

  it("comes from the environment or from the file that a login leaves", async () => {
    const home = temporaryFolder();
    vi.stubEnv("HF_HOME", home);
    for (const name of ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_TOKEN_PATH"]) {
      vi.stubEnv(name, undefined);
    }
    const ask = () => listRevisions("tiny/neox", { hub: { endpoint: hub.endpoint } });
    await expect(ask()).rejects.toThrow(refused);
    vi.stubEnv("HF_TOKEN", token);
    expect(await ask()).toHaveLength(5);
    vi.stubEnv("HF_TOKEN", undefined);
    writeFileSync(join(home, "token"), `${token}\n`);
    vi.stubEnv("HF_ENDPOINT", `${hub.endpoint}/`);
    using checkpoint = await openCheckpoint("tiny/neox", { revision: "step1" });
    expect(checkpoint.folder.startsWith(join(home, "hub", "models--tiny--neox"))).toBe(true);
  });

  it("is in no error and in no checkpoint", async () => {
    const wrong = `${token}X`;
    const errors: unknown[] = [];
    const keep = (error: unknown) => errors.push(error);
    await test.open("tiny/neox", { hub: { token: wrong } }).catch(keep);
    await test.open("tiny/neox", { hub: { token: `${token} X` } }).catch(keep);
    await test.open("tiny/neox", { hub: { endpoint: "ftp://x" } }).catch(keep);
    hub.faults.push({ path: /model.safetensors/, body: (file) => file.toReversed() });
    await test.open().catch(keep);
    using checkpoint = await test.open();
    expect(errors.map((error) => (error as Error).message)).toEqual([
      expect.stringContaining("the one that is set may not"),
      "The token of HF_TOKEN has a space or a character that no token has",
      "HF_ENDPOINT needs an address such as https://huggingface.co",
      expect.stringContaining("is damaged"),
    ]);
    const shown = Deno.inspect([errors, checkpoint], { depth: 20, showHidden: true });
    expect(shown).not.toContain(token);
  });
});

describe("listRevisions and publishedHashes", () => {
  it("list the steps in natural order", async () => {
    expect(await listRevisions("tiny/neox", { hub: test.settings })).toEqual(
      ["main", "step1", "step2", "step10", "step143000"].map((name) => ({
        name,
        commit: hub.commit("tiny/neox", name),
      })),
    );
  });

  it("find equal weights before any download", async () => {
    const revisions = ["step1", "step2", "step10", "step143000", "main"];
    const hashes = await publishedHashes("tiny/neox", revisions, { hub: test.settings });
    expect(hashes[0]).toEqual({
      revision: "step1",
      sha256: sha256(new TextEncoder().encode(`${sha256(step1Weights)}\n`)),
    });
    expect(findEqualWeights(hashes, { final: "step143000" }).map(({ revisions }) => revisions))
      .toEqual([["step1", "step10"]]);
    expect(hub.requests.every(({ host, path }) => host === "hub" && !path.includes("resolve")))
      .toBe(true);
    await expect(publishedHashes("tiny/neox", ["step11"], { hub: test.settings })).rejects.toThrow(
      'no revision "step11": the nearest of 5 are step1, step10',
    );
    await expect(publishedHashes("tiny/pickled", ["main"], { hub: test.settings })).rejects.toThrow(
      HubError,
    );
  });
});

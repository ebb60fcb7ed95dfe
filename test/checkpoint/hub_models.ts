/** A hub for the tests, and tiny models on it. */
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach } from "vitest";
import {
  type Checkpoint,
  type CheckpointOptions,
  type HubOptions,
  openCheckpoint,
  writeSafetensors,
} from "../../lib/checkpoint/mod.ts";
import { startHub, type TestHub } from "./hub_server.ts";

/** A checkpoint of a real shape. */
export const fixture = join(import.meta.dirname!, "../model/fixtures/gpt_neox");
export const token = "hf_sEcReT";
export const config = '{"model_type":"gpt_neox"}';
export const firstShard = "model-00001-of-00002.safetensors";
export const secondShard = "model-00002-of-00002.safetensors";

const root = mkdtempSync(join(tmpdir(), "hub-"));

/** A folder that is gone after the tests. */
export function temporaryFolder(): string {
  return mkdtempSync(join(root, "folder-"));
}

/** The bytes of a safetensors file with one tensor of bytes. */
export function oneTensor(name: string, values: Uint8Array): Uint8Array {
  const path = join(root, "one.safetensors");
  writeSafetensors(path, [{ name, dtype: "U8", shape: [values.length], bytes: values }]);
  return readFileSync(path);
}

/** The weights of tiny/neox at step1, 100 kB. */
export const step1Weights = oneTensor("w", new Uint8Array(100_000).map((_, i) => (i * 7919) % 251));

const step1 = { "config.json": config, "model.safetensors": step1Weights };
const a = oneTensor("a", Uint8Array.of(1, 2, 3));
const index = (weightMap: object) => JSON.stringify({ metadata: {}, weight_map: weightMap });
const sharded = {
  "config.json": config,
  "model.safetensors.index.json": index({ a: firstShard, b: secondShard }),
  [firstShard]: a,
  [secondShard]: oneTensor("b", Uint8Array.of(4)),
};

const models = {
  "tiny/neox": {
    main: fixture,
    step1,
    step2: { ...step1, "model.safetensors": a },
    step10: { ...step1, "tokenizer.json": "{}", "tokenizer_config.json": "{}" },
    step143000: fixture,
  },
  "tiny/sharded": {
    main: sharded,
    lost: { ...sharded, "model.safetensors.index.json": index({ a: "gone.safetensors" }) },
    escaping: { ...sharded, "model.safetensors.index.json": index({ a: `../${firstShard}` }) },
  },
  "tiny/pickled": { main: { "config.json": config, "pytorch_model.bin": "" } },
  "tiny/bare": { main: { "model.safetensors": a } },
  "tiny/gated": { main: step1 },
};

/** What a test of the hub works with. */
export interface HubTest {
  readonly hub: TestHub;
  /** An empty cache and the token of the hub. */
  settings: HubOptions & { readonly cache: string };
  /** Opens step1 of tiny/neox, unless told otherwise. */
  open(model?: string, options?: CheckpointOptions): Promise<Checkpoint>;
  /** The paths of the requests that match. */
  seen(path: RegExp): string[];
  /** The names of the blobs of tiny/neox. */
  blobs(): string[];
}

/** Starts a hub for the tests of a file, which each have a cache of their own. */
export function useHub(): HubTest {
  const hub = startHub({ token, gated: ["tiny/gated"], models });
  const test: HubTest = {
    hub,
    settings: { cache: "" },
    open: (model = "tiny/neox", options = { revision: "step1" }) =>
      openCheckpoint(model, { ...options, hub: { ...test.settings, ...options.hub } }),
    seen: (path) =>
      hub.requests.filter((request) => path.test(request.path)).map(({ path }) => path),
    blobs: () => readdirSync(join(test.settings.cache, "models--tiny--neox", "blobs")).sort(),
  };
  beforeEach(() => {
    const cache = temporaryFolder();
    test.settings = { endpoint: hub.endpoint, cache, token, stallSeconds: 20 };
    hub.requests.length = 0;
  });
  afterEach(() => {
    hub.faults.length = 0;
  });
  afterAll(async () => {
    await hub.close();
    rmSync(root, { recursive: true });
  });
  return test;
}

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** SHA-1 as git gives it to a file. */
export function gitHash(text: string): string {
  return createHash("sha1").update(`blob ${text.length}\0${text}`).digest("hex");
}

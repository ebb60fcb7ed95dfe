/** Models on the hub: their revisions, their files, and what is known of them before a download. */
import { listFiles, modelInfo } from "@huggingface/hub";
import { distance } from "fastest-levenshtein";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { RemoteFile } from "./download.ts";
import { isCommit, ModelCache } from "./hub_cache.ts";
import { HubClient } from "./hub_client.ts";
import { HubError } from "./hub_error.ts";
import type { HubOptions } from "./hub_settings.ts";
import type { RevisionHash } from "./integrity.ts";
import { indexFile, readIndex, singleFile } from "./sharded.ts";
import { quote } from "./strict_json.ts";

/** A branch or tag, and what it stands for. */
export interface Revision {
  readonly name: string;
  readonly commit: string;
}

/** Which hub to ask. */
export interface HubQuery {
  readonly hub?: HubOptions;
}

/** How far the download of a file is, in bytes. */
export interface DownloadProgress {
  readonly model: string;
  readonly revision: string;
  readonly file: string;
  readonly done: number;
  readonly total: number;
}

/** A commit's files in the cache. */
export interface Snapshot {
  readonly folder: string;
  readonly commit: string;
}

/** What to fetch, and who is told. */
export interface SnapshotOptions extends HubQuery {
  readonly revision: string;
  /** Whether to fetch the weights too. Default true. */
  readonly weights?: boolean;
  readonly progress?: (progress: DownloadProgress) => void;
}

/** True for what may be a model's name on the hub. */
export function isModelName(name: string): boolean {
  const part = /^[A-Za-z0-9][\w.-]*$/;
  const parts = name.split("/");
  return parts.length <= 2 && !/--|\.\./.test(name) && parts.every((text) => part.test(text));
}

/** Branches and tags of a model, in natural order: step2 before step10. */
export async function listRevisions(model: string, options: HubQuery = {}): Promise<Revision[]> {
  checkModelName(model);
  return await revisionsOf(new HubClient(options.hub), model);
}

/**
 * A hash of each revision's weights that costs no download: SHA-256 over the hashes that the hub
 * lists of their files. Equal hashes mean equal weights; the same weights in other files have other
 * hashes.
 */
export async function publishedHashes(
  model: string,
  revisions: readonly string[],
  options: HubQuery = {},
): Promise<RevisionHash[]> {
  checkModelName(model);
  const client = new HubClient(options.hub);
  const known = await revisionsOf(client, model);
  const hashes: RevisionHash[] = [];
  for (const revision of revisions) {
    const commit = isCommit(revision)
      ? revision
      : known.find(({ name }) => name === revision)?.commit;
    if (commit === undefined) throw missingRevision(model, revision, known);
    const files = await filesOf(client, { model, commit });
    const hash = createHash("sha256");
    const shards = [...files.keys()].filter((path) => /-of-\d+\.safetensors$/.test(path)).sort();
    const chosen = files.has(singleFile) ? [singleFile] : shards;
    if (chosen.length === 0) throw noWeights(model, revision, files);
    for (const path of chosen) hash.update(`${files.get(path)!.etag}\n`);
    hashes.push({ revision, sha256: hash.digest("hex") });
  }
  return hashes;
}

/**
 * Brings a revision's configuration, tokenizer and weights into the cache, where they are not there
 * yet. Throws a HubError that says what is missing and what to do.
 */
export async function fetchSnapshot(model: string, options: SnapshotOptions): Promise<Snapshot> {
  checkModelName(model);
  const { revision } = options;
  checkRevision(revision);
  const client = new HubClient(options.hub);
  const cache = new ModelCache(client, model);
  if (client.offline) return cachedSnapshot(cache, model, revision);

  const commit = await commitOf(client, model, revision);
  cache.setCommit(revision, commit);
  const files = await filesOf(client, { model, commit });
  const fetchFile = async (path: string) => {
    const file = files.get(path);
    if (!file) throw new HubError(`${model} at ${revision} has no file ${path}`);
    const progress = (done: number) =>
      options.progress?.({ model, revision, file: path, done, total: file.size });
    await cache.fetch(commit, file, { progress });
  };
  await fetchFile("config.json");
  for (const path of ["tokenizer.json", "tokenizer_config.json"]) {
    if (files.has(path)) await fetchFile(path);
  }
  const folder = cache.snapshot(commit);
  if (options.weights === false) return { folder, commit };
  if (files.has(singleFile)) await fetchFile(singleFile);
  else if (files.has(indexFile)) {
    await fetchFile(indexFile);
    const shards = new Set(readIndex(join(folder, indexFile)).values());
    for (const shard of [...shards].sort()) await fetchFile(shard);
  } else throw noWeights(model, revision, files);
  return { folder, commit };
}

function cachedSnapshot(cache: ModelCache, model: string, revision: string): Snapshot {
  const commit = cache.commitOf(revision);
  const folder = commit === undefined ? undefined : cache.snapshot(commit);
  if (commit === undefined || folder === undefined || !existsSync(join(folder, "config.json"))) {
    throw new HubError(
      `${model} at ${revision} is not in the cache: unset HF_HUB_OFFLINE to download it`,
    );
  }
  return { folder, commit };
}

async function commitOf(client: HubClient, model: string, revision: string): Promise<string> {
  const { endpoint: hubUrl, fetch } = client;
  try {
    const info = await modelInfo({
      name: model,
      revision,
      additionalFields: ["sha"],
      hubUrl,
      fetch,
    });
    const commit: unknown = info.sha;
    if (typeof commit !== "string" || !isCommit(commit)) {
      throw new HubError(
        `The hub gives no commit for ${model} at ${revision}: got ${quote(commit)}`,
      );
    }
    return commit;
  } catch (error) {
    if (!(error instanceof HubError) || error.status !== 404) throw error;
    // The model may be missing, or the revision alone.
    const known = await revisionsOf(client, model).catch(() => undefined);
    throw known ? missingRevision(model, revision, known) : error;
  }
}

function missingRevision(model: string, revision: string, known: readonly Revision[]): HubError {
  const nearest = known
    .map(({ name }) => ({ name, far: distance(name, revision) }))
    .sort((a, b) => a.far - b.far)
    .slice(0, 5)
    .map(({ name }) => quote(name).slice(1, -1));
  return new HubError(
    `${model} has no revision ${quote(revision)}: the nearest of ${known.length} are ` +
      nearest.join(", "),
    { status: 404 },
  );
}

function noWeights(
  model: string,
  revision: string,
  files: ReadonlyMap<string, RemoteFile>,
): HubError {
  const others = [...files.keys()].filter((path) => /\.(bin|pt|pth|gguf|msgpack|h5)$/.test(path));
  return new HubError(
    `${model} at ${revision} has no ${singleFile} and no ${indexFile}: ` +
      `got ${others.map(quote).join(", ") || "no weights"}: load it with transformers and ` +
      "save_pretrained it to a folder",
  );
}

async function revisionsOf(client: HubClient, model: string): Promise<Revision[]> {
  const response = await client.fetch(`${client.endpoint}/api/models/${model}/refs`);
  const { branches, tags } = await response.json();
  const revisions = [branches ?? [], tags ?? []].flat().map(({ name, targetCommit: commit }) => {
    if (typeof name !== "string" || typeof commit !== "string" || !isCommit(commit)) {
      throw new HubError(`The hub lists a revision of ${model} without name or commit`);
    }
    return { name, commit };
  });
  const { compare } = new Intl.Collator("en", { numeric: true });
  return revisions.sort((a, b) => compare(a.name, b.name));
}

/** The files of a commit, by path. */
async function filesOf(
  client: HubClient,
  { model, commit }: { readonly model: string; readonly commit: string },
): Promise<ReadonlyMap<string, RemoteFile>> {
  const { endpoint: hubUrl, fetch } = client;
  const files = new Map<string, RemoteFile>();
  const repo = { type: "model", name: model } as const;
  for await (const entry of listFiles({ repo, revision: commit, hubUrl, fetch })) {
    if (entry.type !== "file") continue;
    const { path, size } = entry;
    const etag = entry.lfs?.oid ?? entry.oid;
    // What the hub says becomes names of files.
    const sound = /^[\w-][\w.-]*$/.test(path) && Number.isSafeInteger(size) && size >= 0 &&
      /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(etag ?? "");
    if (sound) {
      const url = `${hubUrl}/${model}/resolve/${commit}/${path}`;
      files.set(path, { path, url, size, etag: etag! });
    }
  }
  return files;
}

function checkModelName(model: string): void {
  if (!isModelName(model)) {
    throw new HubError(`Needs a model's name such as EleutherAI/pythia-160m: got ${quote(model)}`);
  }
}

function checkRevision(revision: string): void {
  const sound = /^[\w][\w./+@-]*$/.test(revision) &&
    !revision.split("/").some((part) => /^\.*$/.test(part));
  if (!sound) throw new HubError(`Needs the name of a revision: got ${quote(revision)}`);
}

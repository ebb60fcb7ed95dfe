/**
 * The cache that Hugging Face's libraries share: models--ORG--NAME/ with blobs/ETAG, refs/REVISION
 * and snapshots/COMMIT/FILE, a link to a blob. What `transformers` has downloaded is found here, and
 * the other way round. (Written by hand: @huggingface/hub keeps no ref for a single file, and two
 * processes write to the same part.)
 */
import { getRepoFolderName } from "@huggingface/hub";
import {
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative } from "node:path";
import process from "node:process";
import { download, type RemoteFile } from "./download.ts";
import type { HubClient } from "./hub_client.ts";

/** 40 digits, as git names a commit. */
export function isCommit(text: string): boolean {
  return /^[0-9a-f]{40}$/.test(text);
}

/** The files of one model in the cache. */
export class ModelCache {
  readonly #client: HubClient;
  readonly #folder: string;
  readonly #locks: string;

  constructor(client: HubClient, model: string) {
    const name = getRepoFolderName({ name: model, type: "model" });
    this.#client = client;
    this.#folder = join(client.cache, name);
    this.#locks = join(client.cache, ".locks", name);
  }

  /** The folder of a commit's files. */
  snapshot(commit: string): string {
    return join(this.#folder, "snapshots", commit);
  }

  /** The commit that a revision stood for when it was last asked for. */
  commitOf(revision: string): string | undefined {
    if (isCommit(revision)) return revision;
    try {
      const commit = readFileSync(join(this.#folder, "refs", revision), "utf8").trim();
      return isCommit(commit) ? commit : undefined;
    } catch {
      return undefined;
    }
  }

  /** Remembers which commit a revision stands for. */
  setCommit(revision: string, commit: string): void {
    if (isCommit(revision) || this.commitOf(revision) === commit) return;
    const path = join(this.#folder, "refs", revision);
    const partial = `${path}.${process.pid}.partial`;
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(partial, commit);
    renameSync(partial, path);
  }

  /** Makes sure that a commit's file is in the cache. One process at a time downloads a file. */
  async fetch(
    commit: string,
    file: RemoteFile,
    options: { readonly progress?: (done: number) => void } = {},
  ): Promise<void> {
    const link = join(this.snapshot(commit), file.path);
    if (hasSize(link, file.size)) return;
    const blob = join(this.#folder, "blobs", file.etag);
    for (const path of [blob, link]) mkdirSync(dirname(path), { recursive: true });
    mkdirSync(this.#locks, { recursive: true });
    // The same lock as huggingface_hub takes.
    using lock = Deno.openSync(join(this.#locks, `${file.etag}.lock`), {
      create: true,
      write: true,
    });
    await lock.lock(true);
    if (!hasSize(blob, file.size)) {
      const partial = `${blob}.incomplete`;
      await download(this.#client, file, { partial, ...options });
      // Where locks do not hold, another process may have been faster.
      if (!hasSize(blob, file.size)) renameSync(partial, blob);
    }
    // Another process may have the link open by now: it is never away, only replaced.
    if (hasSize(link, file.size)) return;
    const fresh = `${link}.${process.pid}.partial`;
    rmSync(fresh, { force: true });
    symlinkSync(relative(dirname(link), blob), fresh);
    renameSync(fresh, link);
  }
}

function hasSize(path: string, size: number): boolean {
  return statSync(path, { throwIfNoEntry: false })?.size === size;
}

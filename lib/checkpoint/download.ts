/**
 * One file from the hub, whole or not at all. (Written by hand: the download of @huggingface/hub
 * neither goes on where it was cut nor checks size and hash.)
 */
import { createHash, type Hash } from "node:crypto";
import { rmSync, statSync } from "node:fs";
import { backoff, delay, type HubClient, tries } from "./hub_client.ts";
import { HubError } from "./hub_error.ts";

/** A file as the hub lists it. */
export interface RemoteFile {
  readonly path: string;
  readonly url: string;
  /** Bytes. */
  readonly size: number;
  /** SHA-256 of a large file (64 digits), or git's SHA-1 of a small one (40 digits). */
  readonly etag: string;
}

/** Where the parts of a file are kept until it is whole, and who is told. */
export interface DownloadOptions {
  readonly partial: string;
  /** Called at most once every 8 MiB, and when the file is whole. */
  readonly progress?: (done: number) => void;
}

const progressBytes = 2 ** 23;
const readBytes = 2 ** 20;

/** The file came, and is not what the hub says it is. */
class DamagedFile extends HubError {}

/**
 * Downloads a file to `partial`, going on from what is there. Throws a HubError, and leaves no file,
 * when its size or hash is not what the hub lists; leaves the part when the connection fails for
 * good.
 */
export async function download(
  client: HubClient,
  file: RemoteFile,
  options: DownloadOptions,
): Promise<void> {
  const resumed = statSync(options.partial, { throwIfNoEntry: false }) !== undefined;
  try {
    await fetchWhole(client, file, options);
  } catch (error) {
    if (!(error instanceof DamagedFile)) throw error;
    rmSync(options.partial, { force: true });
    if (!resumed) throw error;
    // The fault may lie in what an earlier download left.
    await download(client, file, options);
  }
}

async function fetchWhole(
  client: HubClient,
  file: RemoteFile,
  { partial, progress }: DownloadOptions,
): Promise<void> {
  // Never cut: where a file system has no locks, another process may be at the same bytes.
  using output = Deno.openSync(partial, { create: true, read: true, write: true });
  const hash = startHash(file);
  let done = hashPart(output, hash, file);
  let told = done;
  for (let failures = 0; done < file.size;) {
    const before = done;
    try {
      for await (const chunk of fetchFrom(client, file, done)) {
        if (chunk.length > file.size - done) throw wrongSize(file, "more");
        writeAll(output, chunk);
        hash.update(chunk);
        done += chunk.length;
        if (done - told >= progressBytes) progress?.(told = done);
      }
    } catch (cause) {
      if (cause instanceof HubError) throw cause;
    }
    if (done === file.size) break;
    failures = done > before ? 0 : failures + 1;
    if (failures === tries) {
      throw new HubError(
        `The download of ${file.path} was cut at byte ${done} of ${file.size}, ${tries} times: ` +
          "start again to go on from there",
      );
    }
    if (failures > 0) await delay(backoff(failures));
  }
  const found = hash.digest("hex");
  if (found !== file.etag) {
    throw new DamagedFile(
      `The download of ${file.path} is damaged: its hash is ${found}: the hub says ${file.etag}`,
    );
  }
  output.syncDataSync();
  progress?.(done);
}

/** The file from a byte on; ends early, or throws, where the connection is cut or stalls. */
async function* fetchFrom(
  client: HubClient,
  file: RemoteFile,
  start: number,
): AsyncGenerator<Uint8Array> {
  const stalled = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const wait = () => {
    clearTimeout(timer);
    timer = setTimeout(() => stalled.abort(), client.stallMilliseconds);
  };
  wait();
  try {
    const headers = {
      "Accept-Encoding": "identity",
      ...(start > 0 && { Range: `bytes=${start}-` }),
    };
    const response = await client.fetch(file.url, { headers, signal: stalled.signal });
    // A server may answer with the whole file.
    let skip = response.status === 206 ? 0 : start;
    checkSize(response, file, start);
    for await (const chunk of response.body ?? []) {
      wait();
      const skipped = Math.min(skip, chunk.length);
      skip -= skipped;
      if (skipped < chunk.length) yield chunk.subarray(skipped);
    }
  } catch (error) {
    throw error instanceof HubError && error.status === 416 ? wrongSize(file, "fewer") : error;
  } finally {
    clearTimeout(timer);
    stalled.abort();
  }
}

function checkSize(response: Response, file: RemoteFile, start: number): void {
  if (response.status === 206) {
    const range = /^bytes (\d+)-\d+\/(\d+)$/.exec(response.headers.get("Content-Range") ?? "");
    if (Number(range?.[1]) !== start || Number(range?.[2]) !== file.size) {
      throw wrongSize(file, range?.[2] ?? "other");
    }
  } else {
    const length = response.headers.get("Content-Length");
    if (length !== null && Number(length) !== file.size) throw wrongSize(file, length);
  }
}

function wrongSize(file: RemoteFile, got: string): HubError {
  return new DamagedFile(
    `The download of ${file.path} has the wrong length: needs ${file.size} bytes: got ${got}`,
  );
}

function startHash({ etag, size }: RemoteFile): Hash {
  // Git hashes a file with a header of its own.
  return etag.length === 64 ? createHash("sha256") : createHash("sha1").update(`blob ${size}\0`);
}

/** Hashes what is there, leaves the file's position behind it, and returns how much that is. */
function hashPart(input: Deno.FsFile, hash: Hash, file: RemoteFile): number {
  if (input.statSync().size > file.size) throw wrongSize(file, "more");
  const buffer = new Uint8Array(readBytes);
  let done = 0;
  for (let got; (got = input.readSync(buffer)) !== null; done += got) {
    hash.update(buffer.subarray(0, got));
  }
  return done;
}

function writeAll(output: Deno.FsFile, bytes: Uint8Array): void {
  try {
    for (let done = 0; done < bytes.length;) done += output.writeSync(bytes.subarray(done));
  } catch (cause) {
    throw new HubError(`Cannot write to the cache: ${(cause as Error).message}`, { cause });
  }
}

/**
 * A model hub on this machine that speaks Hugging Face's protocol as far as downloads go: revisions,
 * refs, trees in pages, small files answered at once and large ones through a redirect to another
 * host, ranges, ETags, tokens. Faults can be injected.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The files of a revision: a folder, or their contents by name. */
export type Files = string | Readonly<Record<string, string | Uint8Array>>;

/** What the hub has. */
export interface HubContents {
  /** Files by model and revision. */
  readonly models: Readonly<Record<string, Readonly<Record<string, Files>>>>;
  /** When given, only requests with this token are answered. */
  readonly token?: string;
  /** Models for which the token is not enough. */
  readonly gated?: readonly string[];
}

/** A fault in the answers whose "hub/path" or "cdn/path" matches. */
export interface Fault {
  readonly path: RegExp;
  /** How many answers it spoils; 1 unless given. */
  times?: number;
  /** Answer with this status and, where given, this Retry-After or RateLimit. */
  readonly status?: number;
  readonly retryAfter?: string;
  readonly rateLimit?: string;
  /** Break the connection after so many bytes of the body. */
  readonly cut?: number;
  /** Send nothing more after so many bytes of the body. */
  readonly stall?: number;
  /** Send other bytes than the file's. */
  readonly body?: (file: Uint8Array) => Uint8Array;
  /** Send a file whose length the header does not give. */
  readonly chunked?: boolean;
  /** Answer a range with the whole file. */
  readonly noRange?: boolean;
}

/** A request as it came in. */
export interface SeenRequest {
  readonly host: "hub" | "cdn";
  readonly path: string;
  readonly authorization: string | null;
  readonly range: string | null;
}

/** A running hub. */
export interface TestHub {
  /** For HF_ENDPOINT. */
  readonly endpoint: string;
  readonly requests: SeenRequest[];
  readonly faults: Fault[];
  /** The commit of a revision. */
  commit(model: string, revision: string): string;
  close(): Promise<void>;
}

interface Entry {
  readonly path: string;
  readonly bytes: Uint8Array;
  /** SHA-256 of a large file, git's SHA-1 of a small one. */
  readonly etag: string;
  readonly large: boolean;
}

interface Commit {
  readonly id: string;
  readonly entries: readonly Entry[];
}

const pageSize = 3;

/** Starts a hub on 127.0.0.1, with its large files on another host. */
export function startHub(contents: HubContents): TestHub {
  const models = new Map(
    Object.entries(contents.models).map(([model, revisions]) => [
      model,
      new Map(Object.entries(revisions).map(([name, files]) => [name, commitOf(name, files)])),
    ]),
  );
  const requests: SeenRequest[] = [];
  const faults: Fault[] = [];
  const ports = { hub: 0, cdn: 0 };
  const stop = new AbortController();

  function serve(host: "hub" | "cdn", handle: (url: URL, request: Request) => Response) {
    const options = { port: 0, hostname: "127.0.0.1", signal: stop.signal, onListen() {} };
    const server = Deno.serve(options, (request) => {
      const url = new URL(request.url);
      const { pathname: path } = url;
      const authorization = request.headers.get("Authorization");
      requests.push({ host, path, authorization, range: request.headers.get("Range") });
      const refused = refusal(faultAt(host, path, ({ status }) => status !== undefined));
      return refused ?? handle(url, request);
    });
    ports[host] = server.addr.port;
    return server;
  }

  function faultAt(host: string, path: string, kind: (fault: Fault) => boolean) {
    const found = faults.find((fault) => kind(fault) && fault.path.test(`${host}${path}`));
    if (found) {
      found.times = (found.times ?? 1) - 1;
      if (found.times === 0) faults.splice(faults.indexOf(found), 1);
    }
    return found;
  }

  function answer(host: "hub" | "cdn", entry: Entry, url: URL, request: Request): Response {
    const fault = faultAt(host, url.pathname, ({ status }) => status === undefined);
    return send(entry, request, fault);
  }

  const cdn = serve("cdn", (url, request) => {
    const [, etag] = url.pathname.split("/");
    for (const revisions of models.values()) {
      for (const { entries } of revisions.values()) {
        const entry = entries.find((candidate) => candidate.etag === etag);
        if (entry) return answer("cdn", entry, url, request);
      }
    }
    return new Response("no such blob", { status: 404 });
  });

  const hub = serve("hub", (url, request) => {
    const route =
      /^(?:\/api\/models)?\/([^/]+\/[^/]+)\/(revision|tree|refs|resolve)(?:\/([^/]+))?(?:\/(.+))?$/
        .exec(url.pathname);
    const [, model = "", action = "", revision = "", path = ""] = route ?? [];
    const authorized = !contents.token ||
      request.headers.get("Authorization") === `Bearer ${contents.token}`;
    const revisions = models.get(model);
    if (!authorized || !revisions) return failure(authorized ? 404 : 401, "RepoNotFound");
    if (contents.gated?.includes(model) && action === "resolve") return failure(403, "GatedRepo");
    if (action === "refs") {
      const branches = [...revisions].map(([name, { id }]) => ({
        name,
        ref: `refs/heads/${name}`,
        targetCommit: id,
      }));
      return Response.json({ branches, converts: [], tags: [] });
    }
    const asked = decodeURIComponent(revision);
    const commit = revisions.get(asked) ?? [...revisions.values()].find(({ id }) => id === asked);
    if (!commit) return failure(404, "RevisionNotFound");
    if (action === "revision") {
      return Response.json({
        _id: "0",
        id: model,
        sha: commit.id,
        private: false,
        gated: false,
        downloads: 0,
        likes: 0,
        lastModified: "2024-01-01T00:00:00.000Z",
        siblings: commit.entries.map((entry) => ({ rfilename: entry.path })),
      });
    }
    if (action === "tree") return tree(commit, url);
    const entry = commit.entries.find((candidate) => candidate.path === decodeURIComponent(path));
    if (!entry) return failure(404, "EntryNotFound");
    if (!entry.large) {
      const response = answer("hub", entry, url, request);
      response.headers.set("X-Repo-Commit", commit.id);
      return response;
    }
    return new Response(null, {
      status: 302,
      headers: {
        "X-Repo-Commit": commit.id,
        "X-Linked-Etag": `"${entry.etag}"`,
        "X-Linked-Size": `${entry.bytes.length}`,
        Location: `http://localhost:${ports.cdn}/${entry.etag}/${entry.path}`,
      },
    });
  });

  return {
    endpoint: `http://127.0.0.1:${ports.hub}`,
    requests,
    faults,
    commit: (model, revision) => models.get(model)!.get(revision)!.id,
    close: async () => {
      stop.abort();
      await Promise.all([hub.finished, cdn.finished]);
    },
  };
}

function commitOf(revision: string, files: Files): Commit {
  const contents = typeof files === "string"
    ? readdirSync(files).map((
      name,
    ): [string, Uint8Array] => [name, readFileSync(join(files, name))])
    : Object.entries(files);
  const entries = contents.map(([path, content]): Entry => {
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    const large = path.endsWith(".safetensors");
    const hash = large ? createHash("sha256") : createHash("sha1").update(`blob ${bytes.length}\0`);
    return { path, bytes, large, etag: hash.update(bytes).digest("hex") };
  }).sort((a, b) => a.path < b.path ? -1 : 1);
  const id = createHash("sha1").update(revision);
  for (const { path, etag } of entries) id.update(`${path} ${etag}\n`);
  return { id: id.digest("hex"), entries };
}

function tree({ entries }: Commit, url: URL): Response {
  const start = Number(url.searchParams.get("cursor") ?? 0);
  const page = entries.slice(start, start + pageSize).map(({ path, bytes, etag, large }) => ({
    type: "file",
    oid: large ? createHash("sha1").update(etag).digest("hex") : etag,
    size: bytes.length,
    path,
    ...(large && { lfs: { oid: etag, size: bytes.length, pointerSize: 132 } }),
  }));
  const next = new URL(url);
  next.searchParams.set("cursor", `${start + pageSize}`);
  const more = start + pageSize < entries.length;
  return Response.json(page, more ? { headers: { Link: `<${next}>; rel="next"` } } : {});
}

function refusal(fault: Fault | undefined): Response | undefined {
  if (!fault) return undefined;
  const headers = new Headers();
  if (fault.retryAfter !== undefined) headers.set("Retry-After", fault.retryAfter);
  if (fault.rateLimit !== undefined) headers.set("RateLimit", fault.rateLimit);
  return new Response("fault", { status: fault.status, headers });
}

function failure(status: number, code: string): Response {
  return Response.json({ error: code }, { status, headers: { "X-Error-Code": code } });
}

function send(entry: Entry, request: Request, fault: Fault | undefined): Response {
  const file = fault?.body?.(entry.bytes) ?? entry.bytes;
  const headers = new Headers({ ETag: `"${entry.etag}"`, "Accept-Ranges": "bytes" });
  const range = fault?.noRange
    ? null
    : /^bytes=(\d+)-(\d*)$/.exec(request.headers.get("Range") ?? "");
  const start = Number(range?.[1] ?? 0);
  const end = Math.min(range?.[2] ? Number(range[2]) + 1 : file.length, file.length);
  if (range && start >= file.length) {
    headers.set("Content-Range", `bytes */${file.length}`);
    return new Response(null, { status: 416, headers });
  }
  if (range) headers.set("Content-Range", `bytes ${start}-${end - 1}/${file.length}`);
  if (!fault?.chunked) headers.set("Content-Length", `${end - start}`);
  const status = range ? 206 : 200;
  if (request.method === "HEAD") return new Response(null, { status, headers });
  return new Response(stream(file.subarray(start, end), fault), { status, headers });
}

/** The bytes, or so many of them as the fault lets through. */
function stream(bytes: Uint8Array, { cut, stall, chunked }: Partial<Fault> = {}): BodyInit {
  const limit = cut ?? stall;
  if (limit === undefined && !chunked) return bytes.slice();
  return new ReadableStream({
    start: (controller) => {
      if (limit !== 0) controller.enqueue(bytes.slice(0, limit));
    },
    pull: async (controller) => {
      if (stall !== undefined) return await new Promise<void>(() => {});
      // What has been sent goes out first. A body that ends before its length breaks the connection.
      await new Promise((resolve) => setTimeout(resolve, 20));
      controller.close();
    },
  });
}

/** Packages of Debian and npm, downloaded once and unpacked. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync } from "node:fs";
import { rm } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Part } from "./recipe.ts";

/** A package that is on this machine. */
export interface Fetched {
  /** The version that was had; another than the recipe's where the archive no longer has that. */
  readonly version: string;
  /** SHA-256 of the package's file; undefined for npm, where the registry vouches for a version. */
  readonly archive: string | undefined;
  /** Unpacks it, hands its folder over, and removes what was unpacked. */
  unpacked<T>(use: (folder: string) => T): Promise<T>;
}

/** Whether this machine can get Debian's packages. */
export async function hasApt(): Promise<boolean> {
  return (await run("apt-get", ["--version"])).ok && (await run("dpkg-deb", ["--version"])).ok;
}

/**
 * Gets a package into the cache folder, from the network only when it is not there.
 * @throws what the package manager says, if it cannot be had.
 */
export function fetchPackage(part: Part, cache: string): Promise<Fetched> {
  return part.from === "debian" ? fetchDebian(part, cache) : fetchNpm(part, cache);
}

async function fetchDebian({ name, version }: Part, cache: string): Promise<Fetched> {
  const folder = join(cache, "debian");
  mkdirSync(folder, { recursive: true });
  const file = findArchive(folder, name, version) ??
    await downloadDebian(name, version, folder).catch((error) => {
      const other = findArchive(folder, name);
      if (!other) throw error;
      return other;
    });
  const archive = createHash("sha256").update(readFileSync(file)).digest("hex");
  return {
    version: decodeURIComponent(basename(file).split("_")[1]!),
    archive,
    async unpacked(use) {
      const unpacked = mkdtempSync(join(cache, "unpacked-"));
      try {
        await mustRun("dpkg-deb", ["-x", file, unpacked]);
        return use(unpacked);
      } finally {
        await rm(unpacked, { recursive: true, force: true });
      }
    },
  };
}

/** The archive's file name escapes the colon of an epoch. */
function findArchive(folder: string, name: string, version?: string): string | undefined {
  const start = `${name}_${version === undefined ? "" : `${version.replace(":", "%3a")}_`}`;
  const found = readdirSync(folder).filter((file) =>
    file.startsWith(start) && file.endsWith(".deb")
  );
  return found.length > 0 ? join(folder, found.sort().at(-1)!) : undefined;
}

/** The version that is asked for, or else the one that the archive has now. */
async function downloadDebian(name: string, version: string, folder: string): Promise<string> {
  const partial = mkdtempSync(join(folder, "partial-"));
  try {
    const exact = await run("apt-get", ["download", `${name}=${version}`], partial);
    if (!exact.ok) await mustRun("apt-get", ["download", name], partial);
    const file = findArchive(partial, name)!;
    const path = join(folder, basename(file));
    renameSync(file, path);
    return path;
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

/** Deno's own cache downloads, checks and unpacks the package. */
async function fetchNpm({ name, version }: Part, cache: string): Promise<Fetched> {
  const folder = join(cache, "npm");
  const find = () => {
    const registries = join(folder, "npm");
    if (!existsSync(registries)) return undefined;
    return readdirSync(registries, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((registry) => join(registries, registry.name, name, version))
      .find((path) => existsSync(join(path, "package.json")));
  };
  if (!find()) {
    const plain = ["--no-config", "--no-lock", "--node-modules-dir=none"];
    await mustRun(Deno.execPath(), ["cache", ...plain, `npm:${name}@${version}`], undefined, {
      DENO_DIR: folder,
      NO_COLOR: "1",
    });
  }
  const unpacked = find();
  if (!unpacked) throw new Error(`Cannot find ${name} ${version} in ${folder} after its download`);
  return { version, archive: undefined, unpacked: (use) => Promise.resolve(use(unpacked)) };
}

async function mustRun(
  command: string,
  args: string[],
  cwd?: string,
  env?: Record<string, string>,
): Promise<void> {
  const { ok, errors } = await run(command, args, cwd, env);
  if (!ok) throw new Error(`${basename(command)} ${args.join(" ")}: ${errors}`);
}

async function run(
  command: string,
  args: string[],
  cwd?: string,
  env?: Record<string, string>,
): Promise<{ ok: boolean; errors: string }> {
  try {
    const options = { args, cwd, env, stdin: "null", stdout: "null", stderr: "piped" } as const;
    const { success, stderr } = await new Deno.Command(command, options).output();
    return { ok: success, errors: new TextDecoder().decode(stderr).trim() };
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return { ok: false, errors: `${command} is not on this machine` };
  }
}

/** The prose of a package's files. */
import { type Dirent, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, matchesGlob } from "node:path";
import { type FormatName, formats } from "./formats.ts";
import { isProse, tidy } from "./prose.ts";

/** Which files of a folder, and what they are. */
export interface Selection {
  readonly format: FormatName;
  readonly files: readonly string[];
  readonly except?: readonly string[];
}

/**
 * Paragraphs of prose of the chosen files, in the order of the files' paths.
 * @throws if no file fits, or a file is not in the format; the message names it.
 */
export function extract(folder: string, { format, files, except = [] }: Selection): string[] {
  const fits = (globs: readonly string[], path: string) =>
    globs.some((glob) => matchesGlob(path, glob));
  const paths = listFiles(folder).filter((path) => fits(files, path) && !fits(except, path));
  if (paths.length === 0) throw new Error(`No file fits ${files.join(" or ")}`);
  return paths.flatMap((path) => paragraphsOf(join(folder, path), format).filter(isProse));
}

/** Tidied paragraphs of one file, prose or not. */
export function paragraphsOf(path: string, format: FormatName): string[] {
  const sibling = (name: string) => readFileSync(join(dirname(path), name));
  try {
    return formats[format](readFileSync(path), sibling, basename(path)).map(tidy);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`Cannot read ${path} as ${format}: ${reason}`, { cause: error });
  }
}

/** Paths of all files below a folder, without links, sorted by code unit. */
function listFiles(folder: string, below = ""): string[] {
  const path = (entry: Dirent) => (below === "" ? entry.name : `${below}/${entry.name}`);
  return readdirSync(join(folder, below), { withFileTypes: true })
    .flatMap((entry) => {
      if (entry.isDirectory()) return listFiles(folder, path(entry));
      return entry.isFile() ? [path(entry)] : [];
    })
    .sort();
}

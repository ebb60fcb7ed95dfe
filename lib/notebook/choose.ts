/** Finds notebooks by name, path or glob. */

import { distance } from "fastest-levenshtein";
import { basename, join, matchesGlob, relative } from "node:path";

const EXTENSION = ".ipynb";

/** Every notebook in a folder and the folders in it, sorted. */
export async function listNotebooks(folder: string): Promise<string[]> {
  const found: string[] = [];
  try {
    for await (const entry of Deno.readDir(folder)) {
      const path = join(folder, entry.name);
      if (entry.isDirectory && !entry.name.startsWith(".")) {
        found.push(...await listNotebooks(path));
      } else if (entry.name.endsWith(EXTENSION)) found.push(path);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return found.sort();
}

/**
 * The notebooks that are meant: each word is a name in `folder` with or without its extension, a
 * glob of such names, or the path of a notebook anywhere. No words mean every notebook in `folder`.
 * @throws if a word means no notebook; the error lists those in `folder`, nearest first.
 */
export async function chooseNotebooks(
  words: readonly string[],
  folder: string,
): Promise<string[]> {
  const all = await listNotebooks(folder);
  if (words.length === 0) {
    if (all.length === 0) throw new Error(`Cannot find a notebook in ${folder}`);
    return all;
  }
  const chosen = new Set<string>();
  for (const word of words) {
    const matches = all.filter((path) => namesOf(path, folder).some((name) => fits(name, word)));
    if (matches.length === 0 && await isNotebookFile(word)) matches.push(word);
    if (matches.length === 0) throw new Error(unknown(word, all, folder));
    for (const path of matches) chosen.add(path);
  }
  return [...chosen];
}

function namesOf(path: string, folder: string): string[] {
  const names = [path, relative(folder, path), basename(path)];
  return names.flatMap((name) => [name, name.slice(0, -EXTENSION.length)]);
}

function fits(name: string, word: string): boolean {
  return name === word || matchesGlob(name, word);
}

async function isNotebookFile(path: string): Promise<boolean> {
  if (!path.endsWith(EXTENSION)) return false;
  return await Deno.stat(path).then((info) => info.isFile, () => false);
}

function unknown(word: string, all: readonly string[], folder: string): string {
  const names = all.map((path) => relative(folder, path).slice(0, -EXTENSION.length))
    .sort((a, b) => distance(a, word) - distance(b, word));
  return names.length === 0
    ? `Cannot find the notebook "${word}": there is none in ${folder}`
    : `Cannot find the notebook "${word}": there are, nearest first,\n  ${names.join("\n  ")}`;
}

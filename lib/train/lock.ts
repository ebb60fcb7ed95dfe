/** One process at a time in a folder. */
import { join } from "node:path";

/** Holds a folder until disposed of, or until the process ends, however it ends. */
export interface FolderLock extends Disposable {
  readonly path: string;
}

/** Takes a folder for this process; throws when another process has it. */
export function lockFolder(folder: string, purpose: string): FolderLock {
  const path = join(folder, ".lock");
  const file = Deno.openSync(path, { create: true, write: true });
  if (!file.tryLockSync(true)) {
    file.close();
    throw new Error(`Cannot ${purpose} in ${folder}: another process is at it: wait until it ends`);
  }
  return { path, [Symbol.dispose]: () => file.close() };
}

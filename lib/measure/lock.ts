/** Locks that end with the process, however that ends. */

/** A lock; undefined when another process has it. */
export function tryLock(path: string): Disposable | undefined {
  const file = Deno.openSync(path, { create: true, write: true });
  if (file.tryLockSync(true)) return { [Symbol.dispose]: () => file.close() };
  file.close();
  return undefined;
}

/** A lock, once no other process has it. */
export async function waitForLock(path: string): Promise<Disposable> {
  const file = await Deno.open(path, { create: true, write: true });
  await file.lock(true);
  return { [Symbol.dispose]: () => file.close() };
}

// What travels between mapPool and its workers. By hand because the pools on npm pass typed arrays
// as they are: one that lies in a kernel's memory would drag that whole memory along. Here only the
// values are sent.

/** An item's failure. `cause` is the error the task threw. */
export class PoolError extends Error {
  override readonly name = "PoolError";
  /** Position in the list, from 0. */
  readonly index: number;
  readonly item: unknown;

  constructor(index: number, item: unknown, cause: Error) {
    super(`Item ${index} failed: ${cause.message}`, { cause });
    this.index = index;
    this.item = item;
  }
}

/** To a worker: first what to do, then one item after the other. */
export type PoolRequest =
  | { kind: "start"; task: string; context: unknown }
  | { kind: "item"; index: number; item: unknown };

/** From a worker. */
export type PoolReply =
  | { kind: "result"; index: number; result: unknown }
  | { kind: "failure"; index: number; name: string; message: string; stack?: string };

/** Posts a message with every typed array cut down to its own values. */
export function send(
  to: { postMessage(message: unknown, options: { transfer: Transferable[] }): void },
  message: PoolRequest | PoolReply,
): void {
  const transfer: Transferable[] = [];
  to.postMessage(compact(message, transfer), { transfer });
}

/**
 * A copy of `value` in which views of part of a buffer are arrays of their own, listed in
 * `transfer`.
 */
function compact(value: unknown, transfer: Transferable[]): unknown {
  if (ArrayBuffer.isView(value)) {
    const { buffer, byteOffset, byteLength } = value;
    if (!(buffer instanceof ArrayBuffer) || byteLength === buffer.byteLength) return value;
    const own = buffer.slice(byteOffset, byteOffset + byteLength);
    transfer.push(own);
    const kind = value.constructor as new (buffer: ArrayBuffer) => unknown;
    return new kind(own);
  }
  if (Array.isArray(value)) return value.map((each) => compact(each, transfer));
  if (value !== null && typeof value === "object") {
    const prototype = Object.getPrototypeOf(value);
    if (prototype === Object.prototype || prototype === null) {
      const entries = Object.entries(value).map(([key, each]) => [key, compact(each, transfer)]);
      return Object.fromEntries(entries);
    }
  }
  return value;
}

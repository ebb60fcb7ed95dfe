/**
 * SWORD modules with compressed text (zText, zCom and zCom4). The file of blocks (.bzz, .czz) has an
 * index (.bzs, .czs) of three little-endian 32-bit numbers a block: its start, its bytes, and its
 * bytes when inflated. (Written by hand: no library on npm reads the format.)
 */
import { inflateSync } from "node:zlib";

const entryBytes = 12;

/** The blocks of a module, inflated, in the order of its index. */
export function swordBlocks(blocks: Uint8Array, index: Uint8Array): Uint8Array[] {
  const view = new DataView(index.buffer, index.byteOffset, index.byteLength);
  const inflated: Uint8Array[] = [];
  for (let at = 0; at + entryBytes <= index.length; at += entryBytes) {
    const start = view.getUint32(at, true);
    const length = view.getUint32(at + 4, true);
    if (length === 0) continue;
    if (start + length > blocks.length) {
      throw new Error(`A block ends at byte ${start + length}: the file has ${blocks.length}`);
    }
    inflated.push(inflateSync(blocks.subarray(start, start + length)));
  }
  return inflated;
}

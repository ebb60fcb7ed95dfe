import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { SafetensorsError, SafetensorsFile } from "../../lib/checkpoint/mod.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "safetensors-fuzz-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A file from its header and as much data as the header speaks of. */
function valid(header: Record<string, unknown>, dataBytes: number) {
  const text = JSON.stringify(header);
  const data = Buffer.alloc(dataBytes, 1);
  return withLength(join3(new Uint8Array(8), Buffer.from(text), data), text.length);
}

function join3(...parts: [Uint8Array, Uint8Array, Uint8Array]) {
  // Buffer.concat may give a piece of a pool, which others write to.
  return new Uint8Array(Buffer.concat(parts));
}

function withLength(file: Uint8Array<ArrayBuffer>, length: number | bigint) {
  if (file.length >= 8) new DataView(file.buffer).setBigUint64(0, BigInt(length), true);
  return file;
}

const info = (dtype: string, shape: number[], start: number, end: number) => ({
  dtype,
  shape,
  data_offsets: [start, end],
});
const seeds = [
  valid({}, 0),
  valid(
    { a: info("F32", [2, 3], 0, 24), b: info("BF16", [4], 24, 32), c: info("I8", [], 32, 33) },
    33,
  ),
  valid(
    { __metadata__: { format: "pt" }, x: info("F4", [4], 0, 2), y: info("I64", [0, 7], 2, 2) },
    2,
  ),
];

const pieces = [
  ...'{}[]",:\\-0 9.e\0\x7f\xff',
  ...[
    "-1",
    "1e400",
    "9007199254740992",
    "4294967296",
    "null",
    "true",
    '"a":',
    '"__proto__":',
    "{}",
    "[0,0]",
  ],
  ...['"dtype":"U8",', "F64", "\\u0061", "\\ud800", "[".repeat(50), '{"a":'.repeat(50)],
].map((text) => Buffer.from(text, "latin1"));
const numbers = [
  "0",
  "1",
  "2",
  "3",
  "8",
  "24",
  "33",
  "-1",
  "0.5",
  "1e3",
  "4294967296",
  "9007199254740993",
];
const words = ["F64", "F16", "F4", "I8", "U16", "BOOL", "a", "b", "x", "__metadata__", "shape"];
const lengths = [
  0n,
  1n,
  2n,
  99_999_999n,
  100_000_001n,
  2n ** 32n,
  2n ** 53n,
  2n ** 63n,
  2n ** 64n - 1n,
];

/** What the reader may find wrong: no other fault may come up, and each of these must. */
const faults = [
  ...["needs at least 8 bytes", "at most 100000000", "bytes: needs 2 to the"],
  ...[
    "is not UTF-8",
    "is not JSON:",
    "is not a JSON object",
    "nests deeper",
    "twice",
    '"__proto__"',
  ],
  ...[
    "needs an object",
    "needs a dtype",
    "needs a list as shape",
    "needs a list of two",
    "only: got",
  ],
  ...["no number", "is negative", "needs numbers below 2^53", "no whole number", "overflows"],
  ...[
    "ends within a byte",
    "leaves a gap",
    "overlaps",
    "beyond the",
    "bytes of data for tensors of",
  ],
  ...["bytes for", "is no object of strings"],
];

it("opens or throws a SafetensorsError on 100,000 mutations, and allocates no more than the file", {
  timeout: 180_000,
}, () => {
  const generator = xoroshiro128plus(20240607);
  const below = (count: number) => uniformInt(generator, 0, count - 1);
  const pick = <T>(list: readonly T[]): T => list[below(list.length)]!;

  function mutate(file: Uint8Array<ArrayBuffer>) {
    const at = below(file.length + 1);
    const cut = at + below(8);
    switch (below(9)) {
      case 0:
        return file.map((byte, i) => i === at ? byte ^ (1 << below(8)) : byte);
      case 1:
        return file.map((byte, i) => i === at ? below(256) : byte);
      case 2:
        return file.slice(0, at);
      case 3:
        return join3(file.subarray(0, at), pick(pieces), file.subarray(at));
      case 4:
        return join3(file.subarray(0, at), pick(pieces), file.subarray(cut));
      case 5: {
        // What lies between the two comes twice.
        const from = below(at + 1);
        return join3(file.subarray(0, at), file.subarray(from), new Uint8Array());
      }
      default: {
        const text = Buffer.from(file).toString("latin1");
        const found = [...text.matchAll(/(?<=[\[,])\d+|(?<=")[A-Z]+\d*(?=")|(?<=")[a-z](?=")/g)];
        if (found.length === 0) return file;
        const { 0: old, index } = pick(found);
        const replacement = pick(/\d/.test(old[0]!) ? numbers : words);
        return join3(
          file.subarray(0, index),
          Buffer.from(replacement),
          file.subarray(index + old.length),
        );
      }
    }
  }

  // The largest buffer that is asked for by its length.
  let largest = 0;
  const Bytes = Uint8Array;
  vi.stubGlobal(
    "Uint8Array",
    class extends Bytes<ArrayBuffer> {
      constructor(...given: [number]) {
        if (typeof given[0] === "number") largest = Math.max(largest, given[0]);
        super(...given as unknown as [ArrayBuffer]);
      }
    },
  );

  const path = join(folder, "mutated.safetensors");
  const target = openSync(path, "w");
  const reached = new Set<string>();
  let opened = 0;
  let excess = 0;
  try {
    for (let run = 0; run < 100_000; run++) {
      const seed = pick(seeds);
      let mutated = seed.slice();
      for (let count = 1 + below(2); count > 0; count--) mutated = mutate(mutated);
      // Half of the headers keep a length that fits them, so that what lies in them is read.
      if (below(2) === 0) {
        const data = seed.length - 8 - Number(new DataView(seed.buffer).getBigUint64(0, true));
        withLength(mutated, Math.max(0, mutated.length - 8 - data));
      } else if (below(10) === 0) withLength(mutated, pick(lengths));
      // Cut after the write: some file systems write a file out that was cut to nothing.
      writeSync(target, mutated, 0, mutated.length, 0);
      ftruncateSync(target, mutated.length);

      largest = 0;
      try {
        using file = new SafetensorsFile(path);
        for (const name of file.names) {
          const { dtype } = file.tensors.get(name)!;
          if (["F64", "F32", "F16", "BF16"].includes(dtype)) file.tensor(name);
          else if (/^([IU]\d+|BOOL)$/.test(dtype)) file.integers(name);
          else file.bytes(name);
        }
        opened++;
      } catch (error) {
        if (!(error instanceof SafetensorsError)) throw error;
        const fault = faults.find((words) => (error as Error).message.includes(words));
        if (fault === undefined) throw error;
        reached.add(fault);
      }
      excess = Math.max(excess, largest - Math.max(mutated.length, 8));
    }
  } finally {
    vi.unstubAllGlobals();
    closeSync(target);
  }
  expect(excess).toBeLessThanOrEqual(0);
  // The mutations are neither all harmless nor all stopped at the first check.
  expect(opened).toBeGreaterThan(1000);
  expect([...reached].sort()).toEqual([...faults].sort());
});

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  finalStep,
  findEqualWeights,
  openWeights,
  SafetensorsFile,
  type TensorToWrite,
  weightsHash,
  writeSafetensors,
} from "../../lib/checkpoint/mod.ts";

const fixture = join(import.meta.dirname!, "../model/fixtures/gpt_neox");

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "integrity-"));
});
afterAll(() => rmSync(root, { recursive: true }));

/** The hash of a file with these tensors. */
function hashOf(tensors: readonly TensorToWrite[], notes = {}): string {
  const path = join(root, "hashed.safetensors");
  writeSafetensors(path, tensors, notes);
  using file = new SafetensorsFile(path);
  return weightsHash(file);
}

describe("weightsHash", () => {
  // Made with Python's json, struct and hashlib.
  const known = "f24536608cc7a51d55b051891ee69e0df8c74658672122c6f5f0e6ed92f65b4c";

  it("is SHA-256 of names, types, shapes and bytes", () => {
    using weights = openWeights(fixture);
    const progress: [number, number][] = [];
    expect(weightsHash(weights, { progress: (...event) => progress.push(event) })).toBe(known);
    const [done, total] = progress.at(-1)!;
    expect(done).toBe(total);
    expect(progress.length).toBe(weights.names.length);
  });

  it("is the same when the tensors lie in other files and in another order", () => {
    using weights = openWeights(fixture);
    const folder = join(root, "sharded");
    mkdirSync(folder);
    const map: Record<string, string> = {};
    for (let shard = 0; shard < 3; shard++) {
      const file = `model-0000${shard + 1}-of-00003.safetensors`;
      const names = weights.names.filter((_, i) => i % 3 === shard).toReversed();
      for (const name of names) map[name] = file;
      const tensors = names.map((name) => ({
        ...weights.tensors.get(name)!,
        bytes: weights.bytes(name),
      }));
      writeSafetensors(join(folder, file), tensors, { shard: `${shard}` });
    }
    writeFileSync(
      join(folder, "model.safetensors.index.json"),
      JSON.stringify({ weight_map: Object.fromEntries(Object.entries(map).sort()) }),
    );
    using sharded = openWeights(folder);
    expect(weightsHash(sharded)).toBe(known);
  });

  it("differs with a name, a type, a shape, a bit and a border between tensors", () => {
    const bytes = Uint8Array.of(1, 2, 3, 4);
    const a: TensorToWrite = { name: "a", dtype: "I8", shape: [4], bytes };
    const b: TensorToWrite = { name: "b", dtype: "I8", shape: [2], bytes: bytes.subarray(2) };
    const hashes = [
      [a],
      [{ ...a, name: "b" }],
      [{ ...a, dtype: "U8" as const }],
      [{ ...a, shape: [2, 2] }],
      [{ ...a, bytes: Uint8Array.of(1, 2, 3, 5) }],
      [{ ...a, shape: [2], bytes: bytes.subarray(0, 2) }, b],
      [a, { ...b, shape: [0], bytes: new Uint8Array() }],
    ].map((tensors) => hashOf(tensors));
    expect(new Set(hashes).size).toBe(hashes.length);
    expect(hashOf([a], { other: "notes" })).toBe(hashes[0]);
  });
});

describe("findEqualWeights", () => {
  const entry = (revision: string, sha256: string) => ({ revision, sha256 });

  it("names all revisions that share weights", () => {
    const found = findEqualWeights([
      entry("step1", "aa"),
      entry("step2", "bb"),
      entry("step3", "cc"),
      entry("step4", "bb"),
      entry("main", "aa"),
      entry("step5", "bb"),
    ]);
    expect(found.map(({ sha256, revisions }) => [sha256, ...revisions])).toEqual([
      ["aa", "step1", "main"],
      ["bb", "step2", "step4", "step5"],
    ]);
    expect(found[1]!.message).toBe(
      "step2, step4 and step5 have the same weights (SHA-256 bb...): " +
        "at least one does not hold what its name says",
    );
  });

  it("lets main equal the last step, and no other", () => {
    const final = finalStep(["main", "step9000", "step143000", "step20000", "stepping"]);
    expect(final).toBe("step143000");
    const last = [entry("step143000", "aa"), entry("main", "aa")];
    expect(findEqualWeights(last, { final })).toEqual([]);
    expect(findEqualWeights(last)).toHaveLength(1);
    const [early] = findEqualWeights([...last, entry("step9000", "aa")], { final });
    expect(early!.revisions).toEqual(["step143000", "main", "step9000"]);
    expect(findEqualWeights([entry("step9000", "aa"), entry("main", "aa")], { final }))
      .toHaveLength(1);
  });

  it("takes a revision that is given twice for one", () => {
    expect(findEqualWeights([entry("step1", "aa"), entry("step1", "aa")])).toEqual([]);
    expect(finalStep(["main", "v1"])).toBeUndefined();
  });
});

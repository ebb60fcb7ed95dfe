import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  bytesOf,
  openWeights,
  SafetensorsError,
  type TensorToWrite,
  writeSafetensors,
} from "../../lib/checkpoint/mod.ts";

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "sharded-"));
});
afterAll(() => rmSync(root, { recursive: true }));

const tensor = (name: string, ...values: number[]): TensorToWrite => ({
  name,
  dtype: "F32",
  shape: [values.length],
  bytes: bytesOf(Float32Array.from(values)),
});

let folders = 0;

/** A folder with two shards and an index of the given text. */
function sharded(index: string | object): string {
  const folder = join(root, `${folders++}`);
  mkdirSync(folder);
  writeSafetensors(join(folder, "model-00001-of-00002.safetensors"), [
    tensor("b", 1, 2),
    tensor("x", 9),
  ]);
  writeSafetensors(join(folder, "model-00002-of-00002.safetensors"), [tensor("a", 3)]);
  const text = typeof index === "string" ? index : JSON.stringify(index);
  writeFileSync(join(folder, "model.safetensors.index.json"), text);
  return folder;
}

const first = "model-00001-of-00002.safetensors";
const second = "model-00002-of-00002.safetensors";

describe("openWeights", () => {
  it("finds each tensor in its shard, and none that the index leaves out", () => {
    const folder = sharded({ metadata: { total_size: 12 }, weight_map: { b: first, a: second } });
    using weights = openWeights(folder);
    expect(weights.names).toEqual(["a", "b"]);
    expect(weights.tensors.get("b")).toMatchObject({ name: "b", dtype: "F32", shape: [2] });
    expect(weights.tensor("a")).toEqual({ shape: [1], data: Float32Array.of(3) });
    expect([...weights.tensor("b").data]).toEqual([1, 2]);
    expect(weights.bytes("a")).toEqual(bytesOf(Float32Array.of(3)));
    expect(() => weights.tensor("x")).toThrow('No tensor "x" in model.safetensors.index.json');
  });

  it("prefers one file, as transformers does", () => {
    const folder = sharded({ weight_map: { b: first, a: second } });
    writeSafetensors(join(folder, "model.safetensors"), [tensor("only", 5)]);
    using weights = openWeights(folder);
    expect(weights.names).toEqual(["only"]);
  });

  it.each<[string, string | object, string]>([
    [
      "a shard that is missing",
      { weight_map: { a: "gone.safetensors" } },
      "the shard gone.safetensors",
    ],
    [
      "a tensor that is not in its shard",
      { weight_map: { a: first } },
      'Tensor "a": model.safetensors',
    ],
    ["a path out of the folder", { weight_map: { a: `../0/${second}` } }, "beside the index: got"],
    ["a path into a folder", { weight_map: { a: `deep/${second}` } }, "beside the index: got"],
    ["an absolute path", { weight_map: { a: "/etc/passwd.safetensors" } }, "beside the index: got"],
    ["a path of Windows", { weight_map: { a: "..\\a.safetensors" } }, "beside the index: got"],
    ["a file of another kind", { weight_map: { a: "config.json" } }, "beside the index: got"],
    [
      "a shard that is no text",
      { weight_map: { a: 1 } },
      'Tensor "a": needs a file NAME.safetensors',
    ],
    ["no map", { metadata: {} }, "weight_map is no object: got nothing"],
    ["a list for a map", { weight_map: [] }, "weight_map is no object: got []"],
    ["an empty map", { weight_map: {} }, "weight_map is empty"],
    [
      "a tensor placed twice",
      `{"weight_map":{"a":"${first}","a":"${second}"}}`,
      'the key "a" twice',
    ],
    ["a tensor __proto__", `{"weight_map":{"__proto__":"${first}"}}`, 'the key "__proto__"'],
    ["no JSON", "{", "the index is not JSON"],
  ])("rejects %s", (_, index, message) => {
    const folder = sharded(index);
    expect(() => openWeights(folder)).toThrow(SafetensorsError);
    expect(() => openWeights(folder)).toThrow(message);
    expect(() => openWeights(folder)).toThrow(folder);
  });

  it("says what is there instead of weights", () => {
    const folder = join(root, "pickled");
    mkdirSync(folder);
    writeFileSync(join(folder, "pytorch_model.bin"), "");
    expect(() => openWeights(folder)).toThrow(
      `Cannot open the weights in ${folder}: needs model.safetensors or ` +
        "model.safetensors.index.json: got pytorch_model.bin",
    );
    expect(() => openWeights(join(root, "nowhere"))).toThrow("no folder");
  });
});

import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  bytesOf,
  decodeFloats,
  type Dtype,
  encodeFloats,
  SafetensorsError,
  SafetensorsFile,
  writeSafetensors,
} from "../../lib/checkpoint/mod.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "safetensors-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A file from its header's text and its data. */
function file(header: string, data: Uint8Array, length = BigInt(Buffer.byteLength(header))) {
  const path = join(folder, "test.safetensors");
  const prefix = new Uint8Array(8);
  new DataView(prefix.buffer).setBigUint64(0, length, true);
  writeFileSync(path, Buffer.concat([prefix, Buffer.from(header), data]));
  return path;
}

const bytes = (...values: number[]) => Uint8Array.from(values);

describe("SafetensorsFile", () => {
  it("reads a file written byte by byte", () => {
    const header = '{"__metadata__":{"format":"pt"},' +
      '"b":{"dtype":"BF16","shape":[2],"data_offsets":[4,8]},' +
      '"a":{"dtype":"F16","shape":[1,2],"data_offsets":[0,4]},' +
      '"scalar":{"dtype":"F64","shape":[],"data_offsets":[8,16]},' +
      '"empty":{"dtype":"F32","shape":[0,3],"data_offsets":[16,16]}}   ';
    // float16 1 and -2; bfloat16 1 and -2; float64 1.
    const data = bytes(0, 0x3c, 0, 0xc0, 0x80, 0x3f, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f);
    using opened = new SafetensorsFile(file(header, data));
    expect([...opened.tensors.keys()]).toEqual(["a", "b", "scalar", "empty"]);
    expect(opened.metadata).toEqual({ format: "pt" });
    expect(opened.tensors.get("a")!.shape).toEqual([1, 2]);
    expect([...opened.floats("a")]).toEqual([1, -2]);
    expect([...opened.floats("b")]).toEqual([1, -2]);
    expect([...opened.doubles("scalar")]).toEqual([1]);
    expect([...opened.floats("empty")]).toEqual([]);
    expect(() => opened.floats("c")).toThrow('No tensor "c"');
    expect(() => opened.doubles("a")).toThrow('Tensor "a": needs F64: got F16');
    expect(() => opened.integers("a")).toThrow(
      'Tensor "a": needs I8, U8, BOOL, I16, U16, I32, U32, I64, U64: got F16',
    );
  });

  const tensor = (text: string) => `{"a":${text}}`;
  const info = (dtype: string, shape: string, offsets: string) =>
    tensor(`{"dtype":"${dtype}","shape":${shape},"data_offsets":${offsets}}`);
  const two = (first: string, second: string) =>
    `{"a":{"dtype":"U8","shape":[3],"data_offsets":${first}},` +
    `"b":{"dtype":"U8","shape":[2],"data_offsets":${second}}}`;

  it.each<[string, string, number, string]>([
    ["no JSON", "{x", 4, "the header is not JSON: character 1 is out of place"],
    ["a comment", '{/**/"a":1}', 4, "the header is not JSON"],
    [
      "a comma too many",
      `${info("U8", "[4]", "[0,4]").slice(0, -1)},}`,
      4,
      "the header is not JSON",
    ],
    ["text after the object", "{}x", 0, "the header is not JSON"],
    ["an empty header", "", 4, "the header is 0 bytes: needs 2 to the 4"],
    ["no object", "[1]", 4, "the header is not a JSON object"],
    ["space before the object", " {}", 0, "the header is not a JSON object"],
    ["a list in a list", info("U8", "[[4]]", "[0,4]"), 4, "the header nests deeper than 3 levels"],
    ["a name given twice", two("[0,3]", "[3,5]").replace('"b"', '"a"'), 5, 'the key "a" twice'],
    [
      "a name written in two ways",
      two("[0,3]", "[3,5]").replace('"b"', '"\\u0061"'),
      5,
      '"a" twice',
    ],
    [
      "a key given twice",
      tensor('{"dtype":"U8","dtype":"I8"}'),
      4,
      'at "a", has the key "dtype" twice',
    ],
    ["a tensor __proto__", '{"__proto__":{}}', 0, 'the header has the key "__proto__"'],
    ["a key __proto__", tensor('{"__proto__":{}}'), 0, 'at "a", has the key "__proto__"'],
    ["a note __proto__", '{"__metadata__":{"__proto__":""}}', 0, 'has the key "__proto__"'],
    ["notes of numbers", '{"__metadata__":{"a":1}}', 0, "__metadata__ is no object of strings"],
    ["notes that are a list", '{"__metadata__":[]}', 0, "__metadata__ is no object of strings"],
    ["a tensor that is no object", tensor("3"), 4, 'Tensor "a": needs an object: got 3'],
    ["no dtype", tensor('{"shape":[1],"data_offsets":[0,4]}'), 4, "needs a dtype of F64"],
    ["an unknown dtype", info("F33", "[1]", "[0,4]"), 4, 'got "F33"'],
    ["a dtype from the prototype", info("toString", "[1]", "[0,4]"), 4, 'got "toString"'],
    ["a shape of text", info("F32", '"1"', "[0,4]"), 4, 'needs a list as shape: got "1"'],
    ["one offset", info("F32", "[1]", "[0]"), 4, "needs a list of two as data_offsets: got [0]"],
    [
      "an unknown key",
      tensor('{"dtype":"U8","shape":[],"data_offsets":[0,1],"x":1}'),
      1,
      'got "x"',
    ],
    ["a negative size", info("F32", "[-1]", "[0,4]"), 4, 'Tensor "a": shape is negative: -1'],
    ["a negative offset", info("F32", "[1]", "[-4,0]"), 4, 'Tensor "a": data_offsets is negative'],
    ["a broken size", info("F32", "[1.5]", "[0,4]"), 4, "shape has 1.5, no whole number"],
    ["a size of text", info("F32", '["1"]', "[0,4]"), 4, 'shape has "1", no number'],
    [
      "2^53 + 1 as a size",
      info("U8", "[9007199254740993]", "[0,4]"),
      4,
      "shape has 9007199254740992:",
    ],
    ["2^53 as an offset", info("U8", "[4]", "[0,9007199254740992]"), 4, "numbers below 2^53"],
    ["an offset beyond float64", info("U8", "[4]", "[0,1e999]"), 4, "data_offsets has Infinity"],
    ["a shape that overflows", info("F32", "[3037000500,3037000500]", "[0,4]"), 4, "overflows"],
    [
      "an overflow times 0",
      info("U8", "[4503599627370496,4503599627370496,0]", "[0,0]"),
      0,
      "overflows",
    ],
    [
      "an end within a byte",
      info("F4", "[3]", "[0,2]"),
      2,
      'Tensor "a": F4 [3] ends within a byte',
    ],
    ["a span of another size", info("F32", "[1]", "[0,8]"), 8, "needs 4 bytes for F32 [1]: got 8"],
    ["a span that ends early", info("F32", "[1]", "[4,0]"), 4, "needs 4 bytes for F32 [1]: got -4"],
    [
      "a tensor beyond the file",
      info("F32", "[1]", "[0,4]"),
      2,
      'Tensor "a": ends at byte 4, beyond the 2',
    ],
    ["data left over", info("F32", "[1]", "[0,4]"), 5, "5 bytes of data for tensors of 4 bytes"],
    [
      "a hole at the start",
      info("F32", "[1]", "[2,6]"),
      6,
      'Tensor "a": starts at byte 2 and leaves a gap',
    ],
    ["a hole", two("[0,3]", "[4,6]"), 6, 'Tensor "b": starts at byte 4 and leaves a gap'],
    ["an overlap", two("[0,3]", "[2,4]"), 4, 'Tensor "b": starts at byte 2 and overlaps'],
    ["the same data twice", two("[0,3]", "[0,2]"), 3, 'Tensor "a": starts at byte 0 and overlaps'],
  ])("rejects %s", (_, header, dataBytes, message) => {
    const path = file(header, new Uint8Array(dataBytes));
    const open = () => new SafetensorsFile(path);
    expect(open).toThrow(SafetensorsError);
    expect(open).toThrow(`Cannot read ${path}: `);
    expect(open).toThrow(message);
  });

  it("rejects lengths that do not fit, and names the file", () => {
    const path = file("{}", bytes(), 3n);
    expect(() => new SafetensorsFile(path)).toThrow(
      `Cannot read ${path}: Not a safetensors file: the header is 3 bytes: needs 2 to the 2`,
    );
    expect(() => new SafetensorsFile(file("{}", bytes(), 2n ** 63n))).toThrow("at most 100000000");
    const short = join(folder, "short");
    writeFileSync(short, bytes(1, 2, 3));
    expect(() => new SafetensorsFile(short)).toThrow("needs at least 8 bytes: got 3");
  });

  it("rejects a header that is not UTF-8", () => {
    const path = join(folder, "latin1.safetensors");
    writeFileSync(path, bytes(5, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0x22, 0xff, 0x22, 0x7d));
    expect(() => new SafetensorsFile(path)).toThrow("the header is not UTF-8");
  });

  it("takes a colon and a brace in a name for part of the name", () => {
    const header = '{"a\\":{[":{"dtype":"U8","shape":[],"data_offsets":[0,1]}}';
    using opened = new SafetensorsFile(file(header, bytes(7)));
    expect([...opened.integers('a":{[')]).toEqual([7]);
  });

  it("reads tensors that start at any byte", () => {
    const header = '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},' +
      '"b":{"dtype":"F32","shape":[1],"data_offsets":[1,5]},' +
      '"c":{"dtype":"I64","shape":[1],"data_offsets":[5,13]}}';
    const data = bytes(7, 0, 0, 0x80, 0x3f, 254, 255, 255, 255, 255, 255, 255, 255);
    using opened = new SafetensorsFile(file(header, data));
    expect(opened.tensor("b")).toEqual({ shape: [1], data: Float32Array.of(1) });
    expect([...opened.integers("c")]).toEqual([-2n]);
  });

  it("says so when the file is cut after it was opened", () => {
    const path = file('{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}', new Uint8Array(4));
    using opened = new SafetensorsFile(path);
    truncateSync(path, 63);
    const message = `Cannot read ${path}: Tensor "a": the file ends at byte 63: it has been cut`;
    expect(() => opened.bytes("a")).toThrow(message);
    expect(() => [...opened.chunks("a")]).toThrow(message);
  });

  it("gives a tensor in pieces of 8 MiB", () => {
    const values = new Uint8Array(2 ** 23 + 5).map((_, i) => i % 251);
    const path = join(folder, "long.safetensors");
    writeSafetensors(path, [{ name: "a", dtype: "U8", shape: [values.length], bytes: values }]);
    using opened = new SafetensorsFile(path);
    const pieces = Array.from(opened.chunks("a"), (piece) => piece.slice());
    expect(pieces.map((piece) => piece.length)).toEqual([2 ** 23, 5]);
    expect(Buffer.concat(pieces).equals(values)).toBe(true);
  });
});

describe("writeSafetensors", () => {
  it("writes the bytes that the format asks for", () => {
    const path = join(folder, "bytes.safetensors");
    writeSafetensors(path, [{ name: "a", dtype: "U8", shape: [2], bytes: bytes(1, 2) }], {
      k: "v",
    });
    const written = readFileSync(path);
    const length = Number(written.readBigUInt64LE(0));
    expect(length % 8).toBe(0);
    expect(JSON.parse(written.subarray(8, 8 + length).toString())).toEqual({
      __metadata__: { k: "v" },
      a: { dtype: "U8", shape: [2], data_offsets: [0, 2] },
    });
    expect([...written.subarray(8 + length)]).toEqual([1, 2]);
  });

  it.each<[Dtype, ArrayBufferView]>([
    ["F64", Float64Array.of(1 / 3, -0, Infinity)],
    ["F32", Float32Array.of(1 / 3, -0, Infinity)],
    ["I64", BigInt64Array.of(-(2n ** 63n), 0n, 2n ** 63n - 1n)],
    ["U64", BigUint64Array.of(0n, 1n, 2n ** 64n - 1n)],
    ["I32", Int32Array.of(-(2 ** 31), 0, 2 ** 31 - 1)],
    ["U32", Uint32Array.of(0, 1, 2 ** 32 - 1)],
    ["I16", Int16Array.of(-(2 ** 15), 0, 2 ** 15 - 1)],
    ["U16", Uint16Array.of(0, 1, 2 ** 16 - 1)],
    ["BOOL", Uint8Array.of(0, 1, 1)],
    ["I8", Int8Array.of(-128, 0, 127)],
    ["U8", Uint8Array.of(0, 1, 255)],
  ])("%s comes back to the bit", (dtype, values) => {
    const path = join(folder, "round.safetensors");
    writeSafetensors(path, [
      { name: "odd", dtype: "U8", shape: [1], bytes: bytes(9) },
      { name: "a", dtype, shape: [3], bytes: () => bytesOf(values) },
    ]);
    using opened = new SafetensorsFile(path);
    expect(opened.bytes("a")).toEqual(bytesOf(values));
    const read = dtype === "F64"
      ? opened.doubles("a")
      : dtype === "F32"
      ? opened.floats("a")
      : opened.integers("a");
    expect(read).toEqual(values);
  });

  it("leaves no file behind when it fails, and keeps the old one", () => {
    const path = join(folder, "kept.safetensors");
    const before = readdirSync(folder).length;
    const write = (data: () => Uint8Array) => () =>
      writeSafetensors(path, [{ name: "a", dtype: "U8", shape: [2], bytes: data }]);
    expect(write(() => bytes(1))).toThrow('Tensor "a": needs 2 bytes: got 1');
    expect(readdirSync(folder).length).toBe(before);
    write(() => bytes(1, 2))();
    expect(write(() => {
      throw new Error("no data");
    })).toThrow("no data");
    using opened = new SafetensorsFile(path);
    expect([...opened.integers("a")]).toEqual([1, 2]);
    expect(readdirSync(folder).length).toBe(before + 1);
  });

  it("rejects a name given twice", () => {
    const a = { name: "a", dtype: "U8", shape: [0], bytes: bytes() } as const;
    expect(() => writeSafetensors(join(folder, "x"), [a, a])).toThrow('the name "a"');
  });
});

describe("decodeFloats and encodeFloats", () => {
  it("give every finite float16 and bfloat16 back", () => {
    for (const dtype of ["F16", "BF16"] as const) {
      const all = Uint16Array.from({ length: 65536 }, (_, i) => i);
      const values = decodeFloats(bytesOf(all), dtype);
      const back = new Uint16Array(encodeFloats(values, dtype).slice().buffer);
      const wrong = all.filter((bits, i) => !Number.isNaN(values[i]!) && back[i] !== bits);
      expect([...wrong]).toEqual([]);
      const nan = all.filter((_, i) => Number.isNaN(values[i]!));
      expect(nan.length).toBe(dtype === "F16" ? 2046 : 254);
      expect([...decodeFloats(encodeFloats(values, dtype), dtype)].filter(Number.isNaN).length)
        .toBe(nan.length);
    }
  });

  it("round bfloat16 to nearest, halves to even", () => {
    // Steps of 1/128 above 1: halfway cases on both sides of an even and an odd code.
    const values = Float32Array.of(1 + 1 / 256, 1 + 3 / 256, 1 + 1 / 256 + 2 ** -20, 1 + 1 / 512);
    const rounded = decodeFloats(encodeFloats(values, "BF16"), "BF16");
    expect([...rounded]).toEqual([1, 1 + 4 / 256, 1 + 2 / 256, 1]);
  });

  it("reject a value beyond the type's range", () => {
    expect(() => encodeFloats(Float32Array.of(1, 70000), "F16")).toThrow(
      "Cannot write 70000 as F16",
    );
    expect(() => encodeFloats(Float32Array.of(3.4e38), "BF16")).toThrow("as BF16");
    expect(encodeFloats(Float32Array.of(Infinity), "F16")).toEqual(bytes(0, 0x7c));
  });
});

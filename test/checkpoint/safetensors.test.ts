import fc from "fast-check";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  bytesOf,
  decodeFloats,
  type Dtype,
  encodeFloats,
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
    expect(() => opened.integers("a")).toThrow('Tensor "a": needs I8, U8, I32 or I64: got F16');
  });

  const tensor = (text: string) => `{"a":${text}}`;
  const info = (dtype: string, shape: string, offsets: string) =>
    tensor(`{"dtype":${dtype},"shape":${shape},"data_offsets":${offsets}}`);
  const four = new Uint8Array(4);

  it.each<[string, string, Uint8Array, string]>([
    ["no JSON", "{x", four, "the header is not JSON"],
    ["an empty header", "", four, "needs 2 to the 4"],
    ["no object", "[1]", four, "not a JSON object"],
    ["space before the object", " {}", bytes(), "not a JSON object"],
    ["a tensor that is no object", tensor("3"), four, 'Tensor "a": needs an object: got 3'],
    ["no dtype", tensor('{"shape":[1],"data_offsets":[0,4]}'), four, "needs a dtype of F64"],
    ["an unknown dtype", info('"F33"', "[1]", "[0,4]"), four, "got F33"],
    ["a dtype from the prototype", info('"toString"', "[1]", "[0,4]"), four, "got toString"],
    ["a negative size", info('"F32"', "[-1]", "[0,4]"), four, "needs a shape"],
    ["a broken size", info('"F32"', "[1.5]", "[0,4]"), four, "needs a shape"],
    ["a shape of text", info('"F32"', '"1"', "[0,4]"), four, "needs a shape"],
    ["one offset", info('"F32"', "[1]", "[0]"), four, "data_offsets of two"],
    ["a negative offset", info('"F32"', "[1]", "[-4,0]"), four, "data_offsets of two"],
    ["a span of another size", info('"F32"', "[1]", "[0,8]"), new Uint8Array(8), "needs 4 bytes"],
    ["a span that ends early", info('"F32"', "[1]", "[4,0]"), four, "needs 4 bytes"],
    [
      "a shape beyond counting",
      info('"F32"', "[3037000500,3037000500]", "[0,4]"),
      four,
      "no whole",
    ],
    ["a broken byte", info('"F4"', "[3]", "[0,2]"), bytes(0, 0), "no whole number of bytes"],
    [
      "an unknown key",
      tensor('{"dtype":"U8","shape":[],"data_offsets":[0,1],"x":1}'),
      bytes(0),
      "x",
    ],
    ["metadata of numbers", '{"__metadata__":{"a":1}}', bytes(), "an object of strings"],
    ["metadata that is a list", '{"__metadata__":[]}', bytes(), "an object of strings"],
    ["data that is cut", info('"F32"', "[1]", "[0,4]"), bytes(0, 0), "needs 4 bytes of data"],
    ["data left over", info('"F32"', "[1]", "[0,4]"), new Uint8Array(5), "got 5"],
    ["a gap before", info('"F32"', "[1]", "[2,6]"), new Uint8Array(6), "leaves a gap"],
    [
      "an overlap",
      '{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},"b":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}}',
      four,
      'Tensor "b": starts at byte 2 and overlaps',
    ],
    [
      "a name given twice",
      '{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"a":{"dtype":"I8","shape":[4],"data_offsets":[0,4]}}',
      four,
      "the same key twice",
    ],
    [
      "a key given twice",
      tensor('{"dtype":"U8","dtype":"I8","shape":[4],"data_offsets":[0,4]}'),
      four,
      "the same key twice",
    ],
  ])("rejects %s", (_, header, data, message) => {
    expect(() => new SafetensorsFile(file(header, data))).toThrow(message);
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

  it("rejects a header that is no UTF-8", () => {
    const path = join(folder, "latin1.safetensors");
    writeFileSync(path, bytes(5, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0x22, 0xff, 0x22, 0x7d));
    expect(() => new SafetensorsFile(path)).toThrow("the header is not JSON");
  });

  it("takes a colon and a brace in a name for part of the name", () => {
    const header = '{"a\\":{[":{"dtype":"U8","shape":[],"data_offsets":[0,1]}}';
    using opened = new SafetensorsFile(file(header, bytes(7)));
    expect([...opened.integers('a":{[')]).toEqual([7]);
  });

  it("never does anything but open or throw an error, whatever the bytes", () => {
    const valid = '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}';
    fc.assert(
      fc.property(fc.nat(valid.length - 1), fc.nat(255), (at, byte) => {
        const changed = Buffer.from(valid);
        changed[at] = byte;
        try {
          new SafetensorsFile(file(changed.toString("latin1"), four)).close();
        } catch (error) {
          expect((error as Error).message).toMatch(/^Cannot read/);
        }
      }),
      { numRuns: 300 },
    );
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
    ["I32", Int32Array.of(-(2 ** 31), 0, 2 ** 31 - 1)],
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

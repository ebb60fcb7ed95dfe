import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  bytesOf,
  encodeFloats,
  type FloatDtype,
  SafetensorsFile,
  type TensorToWrite,
  writeSafetensors,
} from "../../lib/checkpoint/mod.ts";
import { describe as describeMethod, reportTable } from "../../lib/cli/quantize.ts";
import { quantizeFile } from "../../lib/cli/quantize_file.ts";
import { hessianOf, methods, quantize, unpack } from "../../lib/quantize/mod.ts";
import { makeLayer } from "../quantize/reference.ts";

let folder: string;
const at = (name: string) => join(folder, name);

const up = makeLayer({ rows: 32, columns: 16, tokens: 40, seed: 1 });
const down = makeLayer({ rows: 16, columns: 32, tokens: 60, seed: 3 });
const layers = { "h.0.up": up, "h.0.down": down };

function tensor(name: string, shape: number[], data: Float32Array, dtype: FloatDtype = "F32") {
  return { name, dtype, shape, bytes: encodeFloats(data, dtype) } satisfies TensorToWrite;
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "quantize-"));
  writeSafetensors(at("model"), [
    tensor("embed_in.weight", [4, 16], up.weights.data.slice(0, 64)),
    tensor("h.0.up.weight", [32, 16], up.weights.data),
    tensor("h.0.up.bias", [32], up.weights.data.slice(0, 32)),
    tensor("h.0.down.weight", [16, 32], down.weights.data, "F16"),
    { name: "steps", dtype: "I64", shape: [1], bytes: bytesOf(BigInt64Array.of(7n)) },
  ], { format: "pt" });
  writeSafetensors(at("calibration"), [
    // Two sequences of 20 tokens: leading dimensions are taken together.
    tensor("h.0.up.input", [2, 20, 16], up.activations.data),
    {
      name: "h.0.down.hessian",
      dtype: "F64",
      shape: [32, 32],
      bytes: bytesOf(hessianOf(down.activations).data),
    },
  ]);
  writeSafetensors(
    at("inputs"),
    Object.entries(layers).map(([name, { activations }]) =>
      tensor(`${name}.input`, [activations.rows, activations.columns], activations.data)
    ),
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("quantizeFile", () => {
  it("writes a file that opens again, with matrices quantized and all else copied", () => {
    const rows = quantizeFile(at("model"), at("out"), { method: "rtn:bits=3,group=8" });
    expect(rows.map(({ name }) => name)).toEqual(["h.0.up.weight", "h.0.down.weight"]);
    using before = new SafetensorsFile(at("model"));
    using after = new SafetensorsFile(at("out"));
    expect([...after.tensors.values()]).toEqual([...before.tensors.values()]);
    expect(after.metadata).toEqual({ format: "pt", quantization: "rtn:bits=3,group=8" });
    for (const name of ["embed_in.weight", "h.0.up.bias", "steps"]) {
      expect(after.bytes(name)).toEqual(before.bytes(name));
    }
    const up32 = quantize(up.weights, "rtn:bits=3,group=8");
    expect(after.floats("h.0.up.weight")).toEqual(up32.weights);
    const half = { ...down.weights, data: before.floats("h.0.down.weight") };
    const down16 = quantize(half, "rtn:bits=3,group=8").weights.map(Math.f16round);
    expect(after.floats("h.0.down.weight")).toEqual(down16);
    expect(rows.map(({ bitsPerWeight }) => bitsPerWeight)).toEqual([3 + 19 / 8, 3 + 19 / 8]);
    expect(rows[0]!.error.noise / 512).toBeCloseTo(up32.error.mse, 12);
  });

  it("takes Hessians and inputs as calibration", () => {
    const calibration = at("calibration");
    quantizeFile(at("model"), at("out"), { method: "gptq:bits=3", calibration });
    using file = new SafetensorsFile(at("out"));
    const { activations } = up;
    expect(file.floats("h.0.up.weight"))
      .toEqual(quantize(up.weights, "gptq:bits=3", { activations }).weights);
    expect(file.floats("h.0.up.weight")).not.toEqual(quantize(up.weights, "rtn:bits=3").weights);
    quantizeFile(at("model"), at("out"), { method: "awq:group=16", calibration: at("inputs") });
  });

  it("says what calibration is missing, before any work", () => {
    const run = (method: string, calibration?: string) => () =>
      quantizeFile(at("model"), at("none"), { method, ...(calibration && { calibration }) });
    expect(run("gptq:bits=4")).toThrow(
      "Calibration is missing for 2 of 2 layers: give --calibration FILE.safetensors with " +
        "h.0.up.hessian or h.0.up.input and so on (hessian [in, in], input [tokens, in])",
    );
    expect(run("awq", at("calibration"))).toThrow("missing for 1 of 2 layers");
    expect(run("awq", at("calibration"))).toThrow("with h.0.down.input and so on");
    expect(run("gptq", at("nowhere"))).toThrow("ENOENT");
    expect(readdirSync(folder)).not.toContain("none");
  });

  it("chooses tensors by glob", () => {
    const names = (options: { include?: string[]; exclude?: string[] }) =>
      quantizeFile(at("model"), at("out"), { method: "rtn", ...options }).map(({ name }) => name);
    expect(names({ include: ["*embed*"] })).toEqual(["embed_in.weight"]);
    expect(names({ include: ["h.*"], exclude: ["*.down.*"] })).toEqual(["h.0.up.weight"]);
    expect(names({ exclude: ["*up*"] })).toEqual(["h.0.down.weight"]);
    expect(() => names({ include: ["x.*"] })).toThrow("Nothing to quantize");
    // A bias and whole numbers are no float matrices.
    expect(() => names({ include: ["*.bias", "steps"] })).toThrow("Nothing to quantize");
  });

  it("packs codes, scales and zero points to their real size", () => {
    quantizeFile(at("model"), at("packed"), { method: "rtn:bits=3,group=8", packed: true });
    using file = new SafetensorsFile(at("packed"));
    const expected = quantize(up.weights, "rtn:bits=3,group=8");
    const { parts, ...note } = JSON.parse(file.metadata["h.0.up.weight"]!);
    expect(note).toEqual({ method: "rtn:bits=3,group=8", dtype: "F32", shape: [32, 16] });
    expect(parts).toEqual([
      { name: "codes", bits: 3, count: 512 },
      { name: "scales", bits: 16, count: 64 },
      { name: "zero_points", bits: 3, count: 64 },
    ]);
    const codes = file.bytes("h.0.up.weight.codes");
    expect(codes.length).toBe(512 * 3 / 8);
    expect(unpack(codes, { bits: 3, count: 512 })).toEqual(expected.codes);
    expect(file.floats("h.0.up.weight.scales")).toEqual(expected.scales);
    const bytes = [...file.tensors.values()]
      .filter(({ name }) => name.startsWith("h.0.up.weight."))
      .reduce((sum, { start, end }) => sum + end - start, 0);
    expect(bytes).toBe(expected.bitsPerWeight * 512 / 8);
    expect(statSync(at("packed")).size).toBeLessThan(statSync(at("model")).size);
  });

  it("packs what every method stores", () => {
    for (const method of Object.keys(methods)) {
      const rows = quantizeFile(at("model"), at("packed"), {
        method: "group" in methods[method]!.options ? `${method}:group=row` : method,
        calibration: at("inputs"),
        packed: true,
      });
      using file = new SafetensorsFile(at("packed"));
      const stored = [...file.tensors.values()].filter(({ name }) => name.includes(".weight."));
      const bytes = stored.reduce((sum, { start, end }) => sum + end - start, 0);
      const bits = rows.reduce((sum, row) => sum + row.bitsPerWeight * row.error.count, 0);
      expect(bytes - bits / 8).toBeGreaterThanOrEqual(0);
      expect(bytes - bits / 8).toBeLessThan(stored.length);
    }
  });

  it("refuses to write over its input, by whatever name, and keeps the output when it fails", () => {
    symlinkSync(at("model"), at("link"));
    for (const [from, to] of [["model", "model"], ["link", "model"], ["model", "link"]]) {
      expect(() => quantizeFile(at(from!), at(to!), { method: "rtn" })).toThrow("it is the input");
    }
    quantizeFile(at("model"), at("kept"), { method: "rtn" });
    const before = readFileSync(at("kept"));
    expect(() => quantizeFile(at("model"), at("kept"), { method: "rtn:group=5" })).toThrow(
      "Layer h.0.up.weight: Cannot use groups of 5",
    );
    expect(readFileSync(at("kept"))).toEqual(before);
    expect(readdirSync(folder).filter((name) => name.includes("partial"))).toEqual([]);
  });

  it("tells of each layer before its turn", () => {
    const places: string[] = [];
    quantizeFile(at("model"), at("out"), {
      method: "rtn",
      progress: ({ index, count, name }) => places.push(`${index}/${count} ${name}`),
    });
    expect(places).toEqual(["1/2 h.0.up.weight", "2/2 h.0.down.weight"]);
  });
});

describe("the command", () => {
  async function run(...args: string[]) {
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", new URL("../../lib/cli/quantize.ts", import.meta.url).pathname, ...args],
      env: { NO_COLOR: "1" },
    }).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    return { code, stdout: text(stdout), stderr: text(stderr) };
  }

  it("prints a report, with progress on stderr", async () => {
    const { code, stdout, stderr } = await run(
      at("model"),
      at("cli"),
      "--method",
      "gptq:bits=4",
      "--calibration",
      at("calibration"),
    );
    expect(code).toBe(0);
    expect(stderr).toContain("[1/2] h.0.up.weight [32, 16]");
    expect(stdout).toMatch(/^gptq\n/);
    expect(stdout).toMatch(/h\.0\.down\.weight +16 x 32 +4\.\d{3} +\d+\.\d\d +\d\.\d{3}e-\d/);
    expect(stdout).toMatch(/all 2 +1024 weights/);
    new SafetensorsFile(at("cli")).close();
  });

  it("fails with one line and exit code 1", async () => {
    const { code, stdout, stderr } = await run(at("model"), at("no"), "--method", "gptq:bits=4");
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/^error: Calibration is missing for 2 of 2 layers: .*\n$/);
    const nothing = await run(at("model"));
    expect(nothing.stderr).toContain("Give INPUT, OUTPUT and --method, or --list");
  });

  it("lists every method with its options", async () => {
    const { code, stdout } = await run("--list");
    expect(code).toBe(0);
    for (const method of Object.values(methods)) {
      expect(stdout).toContain(describeMethod(method));
      for (const name of Object.keys(method.options)) expect(stdout).toContain(`    ${name}=`);
    }
  });
});

describe("reportTable", () => {
  it("pools the layers in its last line", () => {
    const row = (name: string, signal: number, noise: number, bitsPerWeight: number) => ({
      name,
      shape: [1, 10],
      bitsPerWeight,
      error: { count: 10, signal, noise },
    });
    const lines = reportTable([row("a", 100, 1, 4), row("b", 100, 0, 2)]).split("\n");
    expect(lines[1]).toMatch(/^a +1 x 10 +4\.000 +20\.00 +1\.000e-1$/);
    expect(lines[2]).toMatch(/^b +1 x 10 +2\.000 +no error +0\.000e\+0$/);
    expect(lines[3]).toMatch(/^all 2 +20 weights +3\.000 +23\.01 +5\.000e-2$/);
  });
});

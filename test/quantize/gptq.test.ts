import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  factorHessian,
  type Hessian,
  hessianOf,
  type Matrix,
  quantize,
} from "../../lib/quantize/mod.ts";
import { type LayerShape, makeLayer, numbers, slowGptq, surgery } from "./reference.ts";

function calibrated(shape: LayerShape): { weights: Matrix; hessian: Hessian } {
  const { weights, activations } = makeLayer(shape);
  return { weights, hessian: hessianOf(activations) };
}

function permuted(matrix: Matrix, order: number[]): Matrix {
  const { columns, data } = matrix;
  return { ...matrix, data: data.map((_, i) => data[i - i % columns + order[i % columns]!]!) };
}

describe("gptq against the plain loop", () => {
  it.each([
    // Rows and columns that are no multiples of the kernels' strips and blocks.
    { rows: 5, columns: 300, bits: 4, symmetric: false, group: 300, block: 128 },
    { rows: 17, columns: 256, bits: 3, symmetric: true, group: 128, block: 128 },
    { rows: 9, columns: 192, bits: 2, symmetric: true, group: 64, block: 128 },
    { rows: 3, columns: 200, bits: 3, symmetric: false, group: 100, block: 128 },
    { rows: 8, columns: 130, bits: 8, symmetric: false, group: 13, block: 13 },
    { rows: 1, columns: 64, bits: 1, symmetric: false, group: 4, block: 7 },
  ])("gives equal codes: %j", ({ rows, columns, bits, symmetric, group, block }) => {
    const { weights, hessian } = calibrated({ rows, columns, tokens: 2 * columns, seed: columns });
    const options = `bits=${bits},symmetric=${symmetric},group=${group},block=${block},scales=f32`;
    const result = quantize(weights, `gptq:${options},damping=0.02`, { hessian });
    const { upper } = factorHessian(hessian, { damping: 0.02 });
    const codes = slowGptq({ weights, bits, symmetric, group, block }, upper);
    expect(result.codes).toEqual(codes);
    expect(result.codes).not.toEqual(quantize(weights, `rtn:bits=${bits},group=${group}`).codes);
  });

  it("does optimal brain surgery, column after column", () => {
    for (const seed of [1, 2, 3]) {
      const { weights, hessian } = calibrated({ rows: 4, columns: 24, tokens: 60, seed });
      const mean = Array.from({ length: 24 }, (_, i) => hessian.data[i * 25]! / 24)
        .reduce((a, b) => a + b);
      const damped = Array.from({ length: 24 }, (_, i) =>
        Array.from(
          { length: 24 },
          (_, j) => hessian.data[i * 24 + j]! + (i === j ? 0.01 * mean : 0),
        ));
      const layer = { weights, bits: 4, symmetric: true, group: 24, block: 24 };
      const result = quantize(weights, "gptq:bits=4,symmetric=true", { hessian });
      expect(result.codes).toEqual(surgery(layer, damped));
    }
  });
});

describe("identities of gptq", () => {
  it("reports half of trace(E H E^T) with the damped Hessian as its loss", () => {
    for (const damping of [0.01, 0.1, 1]) {
      const { weights, hessian } = calibrated({ rows: 6, columns: 40, tokens: 90, seed: 12 });
      const spec = `gptq:bits=3,group=8,scales=f32,damping=${damping}`;
      const { report, error } = quantize(weights, spec, { hessian });
      let mean = 0;
      for (let i = 0; i < 40; i++) mean += hessian.data[i * 41]! / 40;
      const damped = error.hessian! + damping * mean * error.mse * 240;
      expect(2 * (report.loss as number) / damped).toBeCloseTo(1, 4);
    }
  });

  it.each([
    "",
    ",order=true",
    ",static=true,group=8",
    ",group=8,symmetric=true",
    ",group=4,block=6",
  ])(
    "equals rtn when the Hessian is a multiple of the identity%s",
    (options) => {
      const weights = { rows: 6, columns: 24, data: numbers(5, 144) };
      const grid = options.replace(/,(order|static|block)=\w+/g, "");
      for (const times of [1e-12, 1, 3, 1e12]) {
        const data = new Float64Array(24 * 24);
        for (let i = 0; i < 24; i++) data[i * 25] = times;
        const hessian = { rows: 24, columns: 24, data };
        const expected = quantize(weights, `rtn:bits=3${grid}`);
        const result = quantize(weights, `gptq:bits=3${options}`, { hessian });
        expect(result.codes).toEqual(expected.codes);
        expect(result.weights).toEqual(expected.weights);
      }
    },
  );

  it("changes nothing at 16 bits", () => {
    const { weights, hessian } = calibrated({ rows: 2, columns: 8, tokens: 9, seed: 1 });
    const result = quantize(weights, "gptq:paper,bits=16", { hessian });
    expect(result.weights).toEqual(weights.data);
    expect(result.error).toEqual({ mse: 0, sqnr: Infinity, hessian: 0 });
  });

  it("gives the columns back in their order, whatever order they come in", () => {
    const { weights, activations } = makeLayer({ rows: 5, columns: 30, tokens: 80, seed: 6 });
    const order = [...weights.data.keys()].slice(0, 30).sort((a, b) => (a * 7) % 31 - (b * 7) % 31);
    // With act-order the result belongs to the columns, not to their places.
    const spec = "gptq:bits=3,order=true,scales=f32";
    const plain = quantize(weights, spec, { hessian: hessianOf(activations) });
    const moved = quantize(permuted(weights, order), spec, {
      hessian: hessianOf(permuted(activations, order)),
    });
    const back = permuted({ ...weights, data: plain.weights }, order).data;
    expect(moved.weights).toEqual(back);
  });

  it("does nothing to the order when the diagonal descends already", () => {
    const { weights, hessian } = calibrated({ rows: 4, columns: 16, tokens: 40, seed: 8 });
    const ordered = Array.from({ length: 16 }, (_, i) => i)
      .sort((a, b) => hessian.data[b * 17]! - hessian.data[a * 17]!);
    const data = Float64Array.from(
      hessian.data,
      (_, i) => hessian.data[ordered[Math.floor(i / 16)]! * 16 + ordered[i % 16]!]!,
    );
    const sorted = { ...hessian, data };
    for (const group of ["row", "4", "4,static=true"]) {
      const spec = `gptq:bits=3,group=${group}`;
      expect(quantize(weights, `${spec},order=true`, { hessian: sorted }).weights)
        .toEqual(quantize(weights, spec, { hessian: sorted }).weights);
    }
  });

  it("doubles when the weights double", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e6 }), fc.boolean(), (seed, order) => {
        const { weights, hessian } = calibrated({ rows: 3, columns: 16, tokens: 24, seed });
        const spec = `gptq:bits=3,group=8,block=8,order=${order},scales=f32`;
        const twice = { ...weights, data: weights.data.map((value) => value * 2) };
        const [once, double] = [weights, twice].map((w) => quantize(w, spec, { hessian }));
        expect(double!.codes).toEqual(once!.codes);
        expect(double!.weights).toEqual(once!.weights.map((value) => value * 2));
      }),
      { numRuns: 30 },
    );
  });

  it("has an output error of at most that of rtn", () => {
    const bits = fc.integer({ min: 2, max: 6 });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e6 }), bits, (seed, bits) => {
        const { weights, hessian } = calibrated({ rows: 8, columns: 32, tokens: 96, seed });
        const [gptq, rtn] = ["gptq", "rtn"].map((name) =>
          quantize(weights, `${name}:bits=${bits}`, { hessian }).error.hessian!
        );
        expect(gptq).toBeLessThanOrEqual(rtn!);
      }),
      { numRuns: 60 },
    );
  });
});

describe("gptq's groups", () => {
  it("stores the group of each column when order has scattered them", () => {
    const { weights, hessian } = calibrated({ rows: 4, columns: 16, tokens: 40, seed: 8 });
    const result = quantize(weights, "gptq:bits=3,group=4,order=true", { hessian });
    const map = result.storage.find(({ name }) => name === "group_of_column")!;
    expect([0, 1, 2, 3].map((g) => [...map.values].filter((group) => group === g).length))
      .toEqual([4, 4, 4, 4]);
    result.weights.forEach((value, i) => {
      const at = Math.floor(i / 16) * 4 + map.values[i % 16]!;
      const steps = result.codes[i]! - result.zeroPoints![at]!;
      expect(value).toBe(Math.fround(result.scales[at]! * steps));
    });
    const fixed = quantize(weights, "gptq:bits=3,group=4,order=true,static=true", { hessian });
    expect(fixed.storage.map(({ name }) => name)).toEqual(["codes", "scales", "zero_points"]);
    expect(fixed.scales).toEqual(quantize(weights, "rtn:bits=3,group=4").scales);
  });

  it("runs on formats with shared exponents, in blocks of one group", () => {
    const { weights, hessian } = calibrated({ rows: 4, columns: 80, tokens: 200, seed: 2 });
    // 80 columns are two and a half blocks of 32.
    const result = quantize(weights, "gptq:grid=mxint4", { hessian });
    expect(result.report.block).toBe(32);
    expect(result.scales.length).toBe(4 * 3);
    expect(result.weights.length).toBe(320);
    const rounded = quantize(weights, "mxint4", { hessian });
    expect(result.error.hessian!).toBeLessThan(rounded.error.hessian!);
    expect(result.bitsPerWeight).toBe(rounded.bitsPerWeight);
    // The first block has been changed by no error yet, so its exponents are those of rounding.
    for (const row of [0, 1, 2, 3]) expect(result.scales[row * 3]).toBe(rounded.scales[row * 3]);
    const one = new Float64Array(6400);
    for (let i = 0; i < 80; i++) one[i * 81] = 1;
    const plain = quantize(weights, "gptq:grid=mxint4", {
      hessian: { rows: 80, columns: 80, data: one },
    });
    expect(plain.weights).toEqual(rounded.weights);
  });

  it("rejects options that a format has of its own", () => {
    const { weights, hessian } = calibrated({ rows: 1, columns: 32, tokens: 40, seed: 2 });
    expect(() => quantize(weights, "gptq:grid=nf4,bits=3", { hessian }))
      .toThrow("Cannot use bits=3 with grid=nf4: it has its own");
  });

  it("rejects a group that does not divide the columns", () => {
    const { weights, hessian } = calibrated({ rows: 2, columns: 30, tokens: 40, seed: 2 });
    for (const method of ["gptq", "rtn", "hqq", "awq"]) {
      const { activations } = makeLayer({ rows: 2, columns: 30, tokens: 40, seed: 2 });
      expect(() => quantize(weights, `${method}:group=8`, { hessian, activations }))
        .toThrow("Cannot use groups of 8: needs a divisor of the 30 columns, or group=row");
    }
  });
});

describe("gptq on Hessians that are not what they should be", () => {
  const shape = { rows: 4, columns: 24, tokens: 60, seed: 7 };

  it("sets columns that no input reached to 0 and says how many", () => {
    const { weights, hessian } = calibrated({ ...shape, dead: [3, 17] });
    for (const spec of ["gptq:group=8", "gptq:order=true", "gptq:static=true,group=4"]) {
      const result = quantize(weights, spec, { hessian });
      expect(result.report.deadColumns).toBe(2);
      for (let row = 0; row < 4; row++) {
        expect([result.weights[row * 24 + 3], result.weights[row * 24 + 17]]).toEqual([0, 0]);
      }
    }
  });

  it("gives no NaN with fewer tokens than columns, and reports a raised damping", () => {
    const { weights, hessian } = calibrated({ ...shape, tokens: 5 });
    const result = quantize(weights, "gptq:damping=0", { hessian });
    expect(result.weights.every(Number.isFinite)).toBe(true);
    expect(result.report).toMatchObject({ damping: 0.01, dampingRaisedFrom: 0 });
    expect(quantize(weights, "gptq", { hessian }).report).not.toHaveProperty("dampingRaisedFrom");
  });

  it("gives no NaN when nothing was ever put in", () => {
    const { weights } = calibrated(shape);
    const hessian = { rows: 24, columns: 24, data: new Float64Array(576) };
    const result = quantize(weights, "gptq", { hessian });
    expect([...result.weights].every((value) => value === 0)).toBe(true);
    expect(result.report.deadColumns).toBe(24);
  });

  it("fails with the layer and a damping when none it tries is enough", () => {
    const { weights } = calibrated(shape);
    const data = new Float64Array(576).fill(100);
    for (let i = 0; i < 24; i++) data[i * 25] = 1;
    const hessian = { rows: 24, columns: 24, data };
    const run = (damping: number) =>
      quantize(weights, `gptq:damping=${damping}`, { hessian, name: "h.3" });
    expect(() => run(0.01)).toThrow(
      /^Layer h\.3: Cannot factor the Hessian: not positive definite with a damping of 10: try damping=2500/,
    );
    expect(run(2500).weights.every(Number.isFinite)).toBe(true);
  });
});

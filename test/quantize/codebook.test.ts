import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fp4Grid } from "../../lib/quantize/fp4.ts";
import { quantize } from "../../lib/quantize/mod.ts";
import { nf4Grid } from "../../lib/quantize/nf4.ts";
import { normal, row, same, sha256, vectors, weights } from "./formats.ts";
import { numbers } from "./reference.ts";

const options = { block: 64, double: false };
const layer = { rows: 64, columns: 256, data: numbers(3, 64 * 256) };

/** The two tables of a grid. */
function tables({ steps }: ReturnType<typeof nf4Grid>) {
  if (!("levels" in steps)) throw new Error("Not a codebook");
  return steps;
}

/** The code of a value in a block whose greatest absolute value is 1. */
function codeOf(value: number, method: string) {
  return quantize(row(value, 1), method).codes[0];
}

describe("NF4", () => {
  it("has the quantiles of the normal distribution that QLoRA defines", () => {
    // bitsandbytes create_normal_map: quantiles at even steps from 0.9677083 to a half.
    const steps = (count: number) =>
      Array.from({ length: count }, (_, i) => 0.9677083 + (0.5 - 0.9677083) * i / count);
    const levels = [...steps(7).map((p) => -quantile(p)), 0, ...steps(8).map(quantile).reverse()]
      .map((x) => x / quantile(0.9677083));
    tables(nf4Grid(options)).levels.forEach((level, i) => expect(level).toBeCloseTo(levels[i]!, 5));
  });

  it("breaks ties downwards, on every threshold", () => {
    const { thresholds } = tables(nf4Grid(options));
    thresholds.forEach((threshold, i) => {
      expect(codeOf(threshold, "nf4")).toBe(i);
      expect(codeOf(next(threshold, 1), "nf4")).toBe(i + 1);
    });
  });

  it.each(Object.entries(vectors.nf4))("gives the codes of bitsandbytes: %s", (spec, hash) => {
    expect(sha256(quantize(layer, spec).codes)).toBe(hash);
  });

  // The published mean absolute errors on unit normal weights.
  it.each([[64, 0.0728, 1e-4], [4096, 0.0925, 4e-4]])(
    "errs on normal weights in blocks of %i by %f on average",
    (block, published, tolerance) => {
      const data = normal(2 ** 22, 1);
      const { weights } = quantize({ rows: 1024, columns: 4096, data }, `nf4:block=${block}`);
      let sum = 0;
      for (let i = 0; i < data.length; i++) sum += Math.abs(data[i]! - weights[i]!);
      expect(Math.abs(sum / data.length - published)).toBeLessThan(tolerance);
    },
  );
});

describe("FP4", () => {
  it("decodes every code to a twelfth", () => {
    const twelfths = [0, 0.0625, 8, 12, 4, 6, 2, 3];
    const { levels, codes = new Uint8Array(0) } = tables(fp4Grid(options));
    expect(Array.from(codes).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 16 }, (_, code) => code).filter((code) => code !== 8),
    );
    levels.forEach((level, i) => {
      const sign = codes[i]! >= 8 ? -1 : 1;
      expect(level * 12).toBeCloseTo(sign * twelfths[codes[i]! % 8]!, 6);
    });
  });

  it("breaks ties towards zero, on every threshold and both sides", () => {
    const order = [0, 1, 6, 7, 4, 5, 2, 3];
    const bounds = [0.00260417, 0.0859375, 0.20833333, 0.29166667, 0.4166667, 0.583333, 0.8333333];
    bounds.map(Math.fround).forEach((bound, i) => {
      expect(codeOf(bound, "fp4")).toBe(order[i]);
      expect(codeOf(next(bound, 1), "fp4")).toBe(order[i + 1]);
      expect(codeOf(-bound, "fp4")).toBe(i === 0 ? 0 : order[i]! + 8);
      expect(codeOf(next(-bound, -1), "fp4")).toBe(order[i + 1]! + 8);
    });
  });

  it.each(Object.entries(vectors.fp4))("gives the codes of bitsandbytes: %s", (spec, hash) => {
    expect(sha256(quantize(layer, spec).codes)).toBe(hash);
  });

  it("follows signs", () => {
    fc.assert(fc.property(weights, (values) => {
      const negative = quantize(row(...values.map((x) => -x)), "fp4").weights;
      expect(same(negative, quantize(row(...values), "fp4").weights.map((x) => -x))).toBe(true);
    }));
  });
});

describe.each(["nf4", "fp4"])("%s", (name) => {
  it("changes nothing the second time", () => {
    fc.assert(fc.property(weights, (values) => {
      const once = quantize(row(...values), `${name}:block=16`);
      const twice = quantize(row(...once.weights), `${name}:block=16`);
      expect(same(twice.weights, once.weights)).toBe(true);
      expect(twice.codes).toEqual(once.codes);
    }));
  });

  it.each(["false", "true"])("doubles with its weights, double=%s", (double) => {
    fc.assert(fc.property(weights, (values) => {
      const method = `${name}:block=16,double=${double}`;
      const once = quantize(row(...values), method).weights;
      const twice = quantize(row(...values.map((x) => 2 * x)), method).weights;
      expect(same(twice, once.map((x) => 2 * x))).toBe(true);
    }));
  });

  it("errs by at most half the distance of two levels", () => {
    const { levels } = tables((name === "nf4" ? nf4Grid : fp4Grid)(options));
    const half = Math.max(...levels.slice(1).map((level, i) => level - levels[i]!)) / 2;
    fc.assert(fc.property(weights, (values) => {
      const greatest = Math.max(...values.map(Math.abs));
      const { weights } = quantize(row(...values), `${name}:block=80`);
      weights.forEach((w, i) =>
        expect(Math.abs(w - values[i]!)).toBeLessThanOrEqual(half * greatest * (1 + 1e-6))
      );
    }));
  });

  it.each(["false", "true"])("gives zeros for blocks of zeros, double=%s", (double) => {
    const method = `${name}:block=4,double=${double}`;
    expect(quantize(row(0, 0, 0, 0), method).weights.map(Math.abs)).toEqual(new Float32Array(4));
    const { weights } = quantize(row(1, 1, 1, 1, 0, -0, 0, 0, -1, 1, -1, 1), method);
    expect(same(weights.subarray(4, 8), [0, 0, 0, 0])).toBe(true);
    expect(weights[0]).toBeCloseTo(1, 1);
  });

  it("takes its blocks from the flattened matrix, the last one shorter", () => {
    const data = Float32Array.of(1, -1, 4, 2, -4, 8);
    const { scales, bitsPerWeight } = quantize({ rows: 2, columns: 3, data }, `${name}:block=4`);
    expect(scales).toEqual(Float32Array.of(4, 8));
    expect(bitsPerWeight).toBe((6 * 4 + 2 * 32) / 6);
    expect(quantize({ rows: 2, columns: 3, data }, `${name}:block=1000000000`).scales)
      .toEqual(Float32Array.of(8));
  });

  it("counts every bit it keeps", () => {
    const count = 64 * 256;
    expect(quantize(layer, name).bitsPerWeight).toBe(4 + 32 / 64);
    expect(quantize(layer, `${name}:double=true`).bitsPerWeight)
      .toBe(4 + 8 / 64 + 32 / (64 * 256) + 32 / count);
  });
});

/** The float32 after or before another. */
function next(value: number, direction: 1 | -1) {
  const bits = new Int32Array(Float32Array.of(value).buffer);
  bits[0]! += direction * Math.sign(value);
  return new Float32Array(bits.buffer)[0]!;
}

/** Where the normal distribution has a share of `p` below, p over a half: series and bisection. */
function quantile(p: number) {
  const share = (x: number) => {
    let term = x;
    let sum = x;
    for (let n = 1; n < 60; n++) {
      term *= -x * x / (2 * n);
      sum += term / (2 * n + 1);
    }
    return 0.5 + sum / Math.sqrt(2 * Math.PI);
  };
  let [low, high] = [0, 4];
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (share(middle) < p) low = middle;
    else high = middle;
  }
  return low;
}

import { describe, expect, it } from "vitest";
import { decodeElement, encodeElement } from "../../lib/quantize/elements.ts";
import { factorHessian, grids, hessianOf, quantize } from "../../lib/quantize/mod.ts";
import { mxElements, type MxName } from "../../lib/quantize/mx.ts";
import { makeLayer } from "./reference.ts";

const { weights, activations } = makeLayer({ rows: 5, columns: 48, tokens: 96, seed: 21 });
const hessian = hessianOf(activations);
const names = Object.keys(mxElements) as MxName[];
const fround = Math.fround;

/** GPTQ on micro-blocks, one weight at a time: each block's exponent from its weights as they stand. */
function slowMicroBlocks(name: MxName, block: number): Float32Array {
  const { rows, columns, data } = weights;
  const { upper } = factorHessian(hessian, { damping: 0.01 });
  const element = mxElements[name];
  const result = new Float32Array(data.length);
  for (let row = 0; row < rows; row++) {
    const w = data.slice(row * columns, (row + 1) * columns);
    let scale = 1;
    for (let i = 0; i < columns; i++) {
      if (i % block === 0) {
        const greatest = Math.max(...w.slice(i, i + block).map(Math.abs));
        scale = 2 ** (Math.floor(Math.log2(greatest)) - element.largestExponent);
      }
      const value = scale * decodeElement(encodeElement(w[i]! / scale, element), element);
      result[row * columns + i] = value;
      const error = fround(fround(w[i]! - value) / fround(upper[i * columns + i]!));
      for (let j = i; j < columns; j++) {
        w[j] = w[j]! - fround(error * fround(upper[i * columns + j]!));
      }
    }
  }
  return result;
}

describe.each(names)("GPTQ on %s", (name) => {
  it("finds each block's exponent from the weights that the errors before it left", () => {
    const { weights: fast } = quantize(weights, `gptq:grid=${name},group=16`, { hessian });
    const slow = slowMicroBlocks(name, 16);
    expect(fast.map((x) => x + 0)).toEqual(slow.map((x) => x + 0));
  });
});

describe.each(Object.keys(grids))("GPTQ on %s", (name) => {
  it("is rounding to nearest when inputs are uncorrelated", () => {
    const { rows, columns } = weights;
    const data = new Float64Array(columns * columns);
    for (let i = 0; i < columns; i++) data[i * columns + i] = 3;
    const uncorrelated = { rows: columns, columns, data };
    const gptq = quantize(weights, `gptq:grid=${name},group=24`, { hessian: uncorrelated });
    // The 4-bit formats of bitsandbytes take blocks of the flattened matrix: here 24 divides a row.
    const nearest = quantize(weights, `${name}:block=24`);
    expect(gptq.codes).toEqual(nearest.codes);
    expect(gptq.weights).toEqual(nearest.weights);
    expect(gptq.bitsPerWeight).toBe(nearest.bitsPerWeight);
    expect(gptq.codes.length).toBe(rows * columns);
  });

  it("takes its own block size, with a shorter last block", () => {
    const { codes, scales } = quantize(weights, `gptq:grid=${name}`, { hessian });
    expect(codes.length).toBe(5 * 48);
    expect(scales.length).toBe(name === "nf4" || name === "fp4" ? 5 : 10);
  });
});

// Not on mxint2, which is -1, 0 and 1: there a block's greatest weight may lose half of itself, and
// so may what the columns before hand on.
it.each(Object.keys(grids).filter((name) => name !== "mxint2"))(
  "GPTQ on %s lowers the error of the layer's output",
  (name) => {
    const gptq = quantize(weights, `gptq:grid=${name},group=16`, { hessian }).error.hessian!;
    const nearest = quantize(weights, `${name}:block=16`, { hessian }).error.hessian!;
    expect(gptq).toBeLessThan(nearest);
  },
);

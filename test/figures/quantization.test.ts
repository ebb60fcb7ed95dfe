import { describe, expect, it } from "vitest";
import { formatSqnr } from "../../lib/encoder/mod.ts";
import { correlatedHessian, gptqStates } from "../../lib/figures/gptq_steps.ts";
import {
  type Figure,
  formats,
  fourBitFormats,
  gptqGain,
  gptqSteps,
  sixteenLevels,
} from "../../lib/figures/mod.ts";
import { tickRange } from "../../lib/figures/tick_range.ts";
import { hessianError, quantize } from "../../lib/quantize/mod.ts";
import { normals } from "../../lib/random.ts";
import { textBoxes } from "./text_boxes.ts";

const textsOf = ({ svg }: Figure) => textBoxes(svg).map(({ text }) => text);

describe("the steps of GPTQ", () => {
  const columns = 8;
  const hessian = correlatedHessian(columns, 0.9);
  const row = { rows: 1, columns, data: normals(columns, { seed: 9 }) };
  const { weights, scales, zeroPoints } = quantize(row, "gptq:bits=3,scales=f32,damping=0", {
    hessian,
  });
  const states = gptqStates(row.data, { rounded: weights, hessian });

  it("end at GPTQ's weights, each the nearest level to its column when its turn came", () => {
    states.at(-1)!.forEach((value, i) => expect(value).toBeCloseTo(weights[i]!, 5));
    weights.forEach((value, i) => {
      const before = states[i]![i]! / scales[0]! + zeroPoints![0]!;
      const code = Math.min(Math.max(Math.round(before), 0), 7);
      expect(value).toBeCloseTo(scales[0]! * (code - zeroPoints![0]!), 5);
    });
  });

  it("leave the columns to come where the output error is least", () => {
    states.forEach((state, rounded) => {
      const error = state.map((value, i) => value - row.data[i]!);
      // The gradient of e H e^T with respect to each weight that may still move.
      for (let i = rounded; i < columns; i++) {
        const gradient = error.reduce((sum, e, j) => sum + e * hessian.data[i * columns + j]!, 0);
        expect(Math.abs(gradient)).toBeLessThan(1e-5);
      }
    });
  });

  it("never lower the output error, and make it that of the finished row", () => {
    const errors = states.map((state) => hessianError(row, state, hessian));
    errors.slice(1).forEach((error, i) => expect(error).toBeGreaterThan(errors[i]! - 1e-6));
    const { error } = quantize({ ...row }, "gptq:bits=3,scales=f32,damping=0", { hessian });
    expect(errors.at(-1)! / error.hessian!).toBeCloseTo(1, 4);
  });

  it("are those of rounding to nearest when the inputs are not correlated", () => {
    const ends = textsOf(gptqSteps({ correlation: 0 })).filter((text) => /^\d.*%$/.test(text));
    expect(ends).toHaveLength(2);
    expect(ends[0]).toBe(ends[1]);
  });
});

describe("number formats on normal weights", () => {
  it("stay below the rate-distortion line of 6.02 dB a bit", () => {
    for (const spec of ["rtn:bits=2,group=128", "nf4:double=true", "mxfp4", "bitnet:variant=b1"]) {
      const { bitsPerWeight, sqnr } = formatSqnr(spec).normal;
      expect(sqnr).toBeLessThan(20 * Math.log10(2) * bitsPerWeight);
    }
  });

  it("of one bit and one scale reach the 4.40 dB of the best two levels (Max 1960)", () => {
    const { bitsPerWeight, sqnr } = formatSqnr("bitnet:variant=b1").normal;
    expect(sqnr).toBeCloseTo(10 * Math.log10(1 / (1 - 2 / Math.PI)), 1);
    expect(bitsPerWeight).toBeCloseTo(1, 3);
  });

  it("with an exponent for 32 weights store 8 / 32 bits more", () => {
    expect(formatSqnr("mxfp4").real.bitsPerWeight).toBeCloseTo(4.25, 9);
    expect(formatSqnr("nf4").real.bitsPerWeight).toBeCloseTo(4.5, 2);
  });
});

describe("figures of quantization say what was found", () => {
  it("NF4 has 16 levels in use, MXINT4 9 of them when the largest weight is a power of 2", () => {
    const counts = textsOf(sixteenLevels({ largest: [1] })).filter((text) => /^\d\d?$/.test(text));
    expect(counts.slice(-5)).toEqual(["15", "16", "15", "9", "13"]);
    expect(textsOf(sixteenLevels({ largest: [1.99] }))).not.toContain("9");
    expect(() => sixteenLevels({ largest: [1, 2] })).toThrow(
      "Cannot draw levels: largest must be from 1 to below 2: got 2",
    );
  });

  it("of the formats near 4 bits, integers in groups of 64 and NF4 lead on real weights", () => {
    const names = textsOf(fourBitFormats()).filter((text) => /\(4\.\d\d\)$/.test(text));
    expect(names).toHaveLength(9);
    // From the bottom up.
    expect(names.at(-1)).toBe("integers, groups of 64 (4.31)");
    expect(names.at(-2)).toBe("NF4, 64, double quant. (4.13)");
  });

  it("GPTQ gains in the outputs and loses in the weights at 8 bits", () => {
    const ends = textsOf(gptqGain()).filter((text) => text.endsWith("dB"));
    expect(ends.map((text) => text[0]).sort()).toEqual(["+", "+", "−"].sort());
  });
});

describe("figures of quantization follow what they are given", () => {
  it("another number changes them", () => {
    expect(gptqSteps({ correlation: 0.5 }).svg).not.toBe(gptqSteps().svg);
    expect(gptqGain({ damping: 1 }).caption).toContain("damping 1");
    expect(formats({ block: 256 }).caption).toContain("Blocks of 256 weights share a scale");
  });
});

describe("tickRange", () => {
  it("holds the values and 0, and ends on round ticks", () => {
    expect(tickRange([-4.5, 7.5])).toEqual({
      domain: [-6, 8],
      ticks: [-6, -4, -2, 0, 2, 4, 6, 8],
    });
    expect(tickRange([0.3]).domain).toEqual([0, 0.3]);
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  columnsFrom,
  findLaw,
  type Law,
  laws,
  parameterVector,
  perBitWidth,
  predict,
  published,
  quantizedLoss,
  tokensFor,
} from "../../lib/laws/mod.ts";

const points = {
  size: [8.5056e7, 8.05736448e8, 1.1327027200e10, 4.05e11],
  tokens: [4.2e9, 9e10, 2.05520896e11, 1e14],
  bits: [2, 3, 4, 3],
};
const columns = columnsFrom(points);
const everyLaw = Object.entries(laws);

/** Parameters somewhere inside the search ranges, the same share of the way for each. */
function inside(law: Law, share: number): Float64Array {
  return Float64Array.from(
    law.parameters,
    ({ search: [low, high], logarithmic }) =>
      logarithmic ? low * Math.pow(high / low, share) : low + share * (high - low),
  );
}

describe.each(everyLaw)("the %s law", (name, law) => {
  it("is complete", () => {
    expect(law.name).toBe(name);
    expect(law.latex).not.toMatch(/[$\n]/);
    expect(new Set(law.parameters.map((parameter) => parameter.name)).size)
      .toBe(law.parameters.length);
    for (const { lower, upper, search: [low, high], unit, meaning } of law.parameters) {
      expect(lower <= low && low < high && high <= upper).toBe(true);
      expect(unit.length * meaning.length).toBeGreaterThan(0);
    }
  });

  it("has the gradient that central differences give", () => {
    const width = law.parameters.length;
    for (const share of [0.3, 0.55, 0.8]) {
      const theta = inside(law, share);
      const values = new Float64Array(columns.rows);
      const jacobian = new Float64Array(columns.rows * width).fill(NaN);
      law.evaluate(theta, columns, values, jacobian);
      const alone = new Float64Array(columns.rows);
      law.evaluate(theta, columns, alone);
      expect(alone).toEqual(values);
      for (let j = 0; j < width; j++) {
        const step = 1e-5 * theta[j]!;
        const [up, down] = [step, -step].map((change) => {
          const moved = Float64Array.from(theta);
          moved[j]! += change;
          const out = new Float64Array(columns.rows);
          law.evaluate(moved, columns, out);
          return out;
        });
        for (let i = 0; i < columns.rows; i++) {
          const difference = (up![i]! - down![i]!) / (2 * step);
          const error = Math.abs(jacobian[i * width + j]! - difference);
          // The rounding of the two values limits what their difference can say.
          const rounding = 1e-15 * Math.abs(values[i]!) / step;
          expect(error).toBeLessThanOrEqual(1e-7 * Math.abs(difference) + 10 * rounding);
        }
      }
    }
  });

  it("is linear in the parameters that it calls linear", () => {
    const theta = inside(law, 0.4);
    const width = law.parameters.length;
    const values = new Float64Array(columns.rows);
    const jacobian = new Float64Array(columns.rows * width);
    law.evaluate(theta, columns, values, jacobian);
    if (law.linear.length === 0) return;
    for (let i = 0; i < columns.rows; i++) {
      const sum = law.linear.reduce((total, j) => total + theta[j]! * jacobian[i * width + j]!, 0);
      expect(sum / values[i]!).toBeCloseTo(1, 12);
    }
  });

  it.runIf(law.tokensFor !== undefined)("is inverted for the tokens", () => {
    const theta = inside(law, 0.5);
    const parameters = Object.fromEntries(law.parameters.map((p, j) => [p.name, theta[j]!]));
    fc.assert(fc.property(
      fc.double({ min: 7, max: 12, noNaN: true }),
      fc.double({ min: 8, max: 14.5, noNaN: true }),
      fc.constantFrom(2, 3, 4),
      (size, lnTokens, bits) => {
        const at = { size: 10 ** size, bits };
        const tokens = 10 ** lnTokens;
        const value = predict(law, parameters, { ...at, tokens });
        const goal = law.response === "qid" ? { ...at, qid: value } : { ...at, loss: value };
        // Where tokens hardly change a loss, its last digits say little about them.
        const nearby = predict(law, parameters, { ...at, tokens: tokens * 1.01 });
        fc.pre(Math.abs(nearby / value - 1) > 1e-6);
        expect(tokensFor(law, parameters, goal) / tokens).toBeCloseTo(1, 7);
      },
    ));
  });

  it("shows its formula and its parameters in a notebook", () => {
    const shown = (laws[name] as unknown as Record<symbol, () => Record<string, string>>)[
      Symbol.for("Jupyter.display")
    ]!();
    expect(shown["text/markdown"]).toContain(`$$${law.latex}$$`);
    for (const { name, symbol } of law.parameters) {
      expect(shown["text/markdown"]).toContain(`| $${symbol}$ | \`${name}\` |`);
      expect(shown["text/plain"]).toContain(name);
    }
  });
});

describe("predict and tokensFor", () => {
  it("agree with a calculation by hand", () => {
    // k D^beta / (N^alpha P^gamma) with round numbers: 2 * 100^0.5 / (16^0.25 * 2^3) = 1.25.
    const parameters = { scale: 2, tokenExponent: 0.5, sizeExponent: 0.25, bitExponent: 3 };
    expect(predict("unified", parameters, { tokens: 100, size: 16, bits: 2 })).toBeCloseTo(1.25);
    expect(tokensFor("unified", parameters, { qid: 1.25, size: 16, bits: 2 })).toBeCloseTo(100);
    // [(Nc/N)^(aN/aD) + Dc/D]^aD = [4^(0.5/1) + 3]^1 = 5.
    const loss = { sizeScale: 4, sizeExponent: 0.5, tokenScale: 3, tokenExponent: 1 };
    expect(predict("loss16", loss, { size: 1, tokens: 1 })).toBeCloseTo(5);
    // 1 + 8 / 4^0.5 + 9 / 9^0.5 = 8.
    const chinchilla = {
      irreducible: 1,
      sizeScale: 8,
      sizeExponent: 0.5,
      tokenScale: 9,
      tokenExponent: 0.5,
    };
    expect(predict("chinchilla", chinchilla, { size: 4, tokens: 9 })).toBeCloseTo(8);
    // 3 * 4^0.5 / 9^0.5 * exp(-2 / 2) = 2 / e.
    const precision = { scale: 3, tokenExponent: 0.5, sizeExponent: 0.5, bitScale: 2 };
    expect(predict("precision", precision, { tokens: 4, size: 9, bits: 2 }))
      .toBeCloseTo(2 / Math.E);
  });

  it("add the QiD to the loss of the 16-bit model", () => {
    const at = { size: 1e9, tokens: 1e11, bits: 3 };
    const both = quantizedLoss(at, {
      loss16: { law: "loss16", parameters: published.loss16 },
      qid: { law: "unified", parameters: published.unified },
    });
    expect(both).toBe(
      predict("loss16", published.loss16, at) + predict("unified", published.unified, at),
    );
  });

  it("use the laws of the bit widths that they are given", () => {
    const law = perBitWidth([3, 2, 3]);
    expect(law.parameters.map(({ name }) => name)).toEqual([
      "scale2",
      "tokenExponent2",
      "sizeExponent2",
      "scale3",
      "tokenExponent3",
      "sizeExponent3",
    ]);
    const theta = { ...published["per-bit-width"] } as Record<string, number>;
    const { scale4: _k, tokenExponent4: _b, sizeExponent4: _a, ...two } = theta;
    expect(predict(law, two, { size: 1e9, tokens: 1e12, bits: 3 }))
      .toBe(predict("per-bit-width", theta, { size: 1e9, tokens: 1e12, bits: 3 }));
    expect(() => predict(law, two, { size: 1e9, tokens: 1e12, bits: 4 })).toThrow(
      "Cannot predict at 4 bits: the per-bit-width law has parameters for 2, 3 bits only",
    );
    expect(() => perBitWidth([])).toThrow("needs at least 1 bit width: got none");
  });

  it("say what is wrong", () => {
    const at = { size: 1e9, tokens: 1e11, bits: 2 };
    expect(() => findLaw("unifed")).toThrow(
      'Cannot find the law "unifed": did you mean "unified"? Laws: token, size, bits',
    );
    expect(() => findLaw("constructor")).toThrow('Cannot find the law "constructor"');
    expect(() => predict("token", published.token, at)).toThrow(
      "Cannot use these parameters with the token law: needs scale, tokenExponent: got no finite scale",
    );
    expect(() => predict("unified", { ...published.unified, beta: 1 }, at)).toThrow("unknown beta");
    expect(() => predict("unified", published.unified, { size: 1e9, tokens: 1e11 })).toThrow(
      "Cannot predict with the unified law: needs a positive bits: got undefined",
    );
    expect(() => predict("unified", published.unified, { ...at, size: -1 })).toThrow(
      "needs a positive size: got -1",
    );
    expect(() => tokensFor("unified", published.unified, { qid: 0, ...at })).toThrow(
      "needs a positive qid: got 0",
    );
    expect(() => tokensFor("unified", published.unified, { loss: 3, ...at })).toThrow(
      "needs a positive qid: got undefined",
    );
    expect(() => tokensFor("bits", { scale: 1, bitExponent: 5 }, { qid: 1 })).toThrow(
      "Cannot invert the bits law for tokens: it depends on bits only",
    );
    // Below the floor that 1e9 parameters leave, whatever the tokens.
    expect(() => tokensFor("chinchilla", published.chinchilla, { loss: 1.7, size: 1e9 })).toThrow(
      "no number of tokens gives loss 1.7 at size 1000000000",
    );
    expect(() => columnsFrom({ size: [1, 2], tokens: [1] })).toThrow(
      "all must have one length: got size 2, tokens 1",
    );
    expect(parameterVector(laws.unified!, published.unified))
      .toEqual(Float64Array.of(0.017, 0.5251, 0.2261, 5.4967));
  });
});

import pl from "nodejs-polars";
import { describe, expect, it } from "vitest";
import { loadFigure2 } from "../../lib/data.ts";
import { type Along, curvesLaw, withExponent } from "../../lib/figures/curves_law.ts";
import { columnsFrom, fit, published } from "../../lib/laws/mod.ts";

const frame = loadFigure2();

describe("curvesLaw", () => {
  it.each<[Along, string, number]>([
    ["tokens", "tokenExponent", published.token.tokenExponent],
    ["size", "sizeExponent", published.size.sizeExponent],
    ["bits", "bitExponent", published.bits.bitExponent],
  ])(
    "along %s gives back the published exponent from the digitised points",
    (along, name, printed) => {
      const { parameters, usable } = fit(curvesLaw(along, frame), frame);
      expect(usable).toBe(true);
      expect(Math.abs(parameters[name]! / printed - 1)).toBeLessThan(0.03);
    },
  );

  it("gives back a planted exponent and planted scales", () => {
    const rows = [1e9, 1e10].flatMap((size, i) =>
      [1e10, 3e10, 1e11].map((tokens) => ({
        size,
        tokens,
        bits: 3,
        qid: (i + 1) * 0.1 * (tokens / 1e11) ** 0.6,
      }))
    );
    const planted = pl.DataFrame(rows);
    const law = curvesLaw("tokens", planted);
    const { parameters } = fit(law, planted);
    expect(parameters.tokenExponent).toBeCloseTo(0.6, 7);
    expect(parameters.scale0).toBeCloseTo(0.1, 7);
    expect(parameters.scale1).toBeCloseTo(0.2, 7);
    expect(withExponent(law, planted, 0.6).scale1).toBeCloseTo(0.2, 9);
  });

  it("has the derivatives of central differences", () => {
    const law = curvesLaw("bits", frame);
    const columns = columnsFrom({
      size: [85_056_000, 805_736_448],
      tokens: [8_388_608_000, 8_388_608_000],
      bits: [2, 3],
    });
    const theta = Float64Array.from(law.parameters, (_, i) => i === 0 ? 5.4 : 0.1 + 0.01 * i);
    const width = theta.length;
    const jacobian = new Float64Array(2 * width);
    law.evaluate(theta, columns, new Float64Array(2), jacobian);
    theta.forEach((value, j) => {
      const step = 1e-6 * value;
      const [above, below] = [step, -step].map((shift) => {
        const moved = theta.slice();
        moved[j] = value + shift;
        const values = new Float64Array(2);
        law.evaluate(moved, columns, values);
        return values;
      });
      for (let row = 0; row < 2; row++) {
        const numeric = (above![row]! - below![row]!) / (2 * step);
        expect(jacobian[row * width + j]).toBeCloseTo(numeric, 6);
      }
    });
  });
});

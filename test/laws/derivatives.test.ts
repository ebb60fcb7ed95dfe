import { describe, expect, it } from "vitest";
import { differences } from "../../lib/laws/derivatives.ts";
import { columnsFrom, laws } from "../../lib/laws/mod.ts";
import { lawResiduals } from "../../lib/laws/law_residuals.ts";

const sizes = [1, 1, 1];
const lower = [-Infinity, -Infinity, -Infinity];
const upper = [Infinity, Infinity, Infinity];

/** exp(a x) sin(b x) + c at 4 points, and its derivatives. */
const points = [0.3, 0.7, 1.1, 2];
function wave([a, b, c]: Float64Array, out: Float64Array): void {
  points.forEach((x, i) => out[i] = Math.exp(a! * x) * Math.sin(b! * x) + c!);
}
function exact([a, b]: Float64Array): number[] {
  return points.flatMap((x) => {
    const growth = Math.exp(a! * x);
    return [x * growth * Math.sin(b! * x), x * growth * Math.cos(b! * x), 1];
  });
}
const theta = Float64Array.of(0.4, 1.7, 0);

function largestError(options: Partial<Parameters<typeof differences>[3]>): number {
  const out = new Float64Array(12);
  differences(wave, theta, out, { sizes, lower, upper, ...options });
  return Math.max(...exact(theta).map((value, i) => Math.abs(out[i]! - value)));
}

describe("differences", () => {
  it("hold about 10 digits, and 12 when refined", () => {
    expect(largestError({})).toBeLessThan(1e-9);
    expect(largestError({ refined: true })).toBeLessThan(1e-12);
  });

  it("hold about as many on a bound, without looking beyond it", () => {
    for (const bounds of [{ lower: [...theta] }, { upper: [...theta] }]) {
      expect(largestError(bounds)).toBeLessThan(1e-8);
      expect(largestError({ ...bounds, refined: true })).toBeLessThan(1e-10);
    }
    const root = (at: Float64Array, out: Float64Array) => out[0] = Math.sqrt(at[0]!);
    const out = new Float64Array(1);
    for (const refined of [false, true]) {
      // No bound is given, but half the points have no root.
      differences(root, Float64Array.of(1e-9), out, { sizes: [1], lower, upper, refined });
      expect(out[0]).toBeGreaterThan(0);
    }
  });

  it("write the columns that are asked for", () => {
    const out = new Float64Array(12).fill(7);
    differences(wave, theta, out, { sizes, lower, upper, columns: [1] });
    expect(out[0]).toBe(7);
    expect(out[1]).toBeCloseTo(exact(theta)[1]!, 8);
    expect(out[2]).toBe(7);
  });
});

describe("the residuals of a law", () => {
  const columns = columnsFrom({
    size: [1e8, 1e9, 3e9],
    tokens: [1e9, 5e10, 2e11],
    bits: [2, 3, 4],
  });
  const observed = Float64Array.of(0.5, 0.1, 0.02);
  it.each([
    ["raw space", {}, [0.017, 0.5251, 0.2261, 5.4967]],
    [
      "log space, k in its logarithm",
      { logSpace: true, logarithmic: [true, false, false, false] },
      [
        Math.log(0.017),
        0.5251,
        0.2261,
        5.4967,
      ],
    ],
  ])("have the derivatives they say, in %s", (_, options, start) => {
    const { residuals, jacobian } = lawResiduals(
      laws["unified"]!,
      { columns, observed },
      options,
    );
    const at = Float64Array.from(start);
    const analytic = new Float64Array(12);
    const numeric = new Float64Array(12);
    jacobian(at, analytic);
    const four = new Array<number>(4);
    differences(residuals, at, numeric, {
      sizes: start.map(Math.abs),
      lower: four.fill(-Infinity).slice(),
      upper: four.fill(Infinity).slice(),
      refined: true,
    });
    numeric.forEach((value, i) => {
      expect(Math.abs(value / analytic[i]! - 1)).toBeLessThan(1e-10);
    });
  });
});

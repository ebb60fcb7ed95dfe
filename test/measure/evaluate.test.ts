import { describe, expect, it } from "vitest";
import { compareLosses } from "../../lib/measure/mod.ts";

describe("the comparison of two losses", () => {
  const after = Float64Array.of(2.1, 3.3, 4.2, 5.4);

  it("has the paired standard error", () => {
    // Differences 0.1, 0.3, 0.2, 0.4: mean 0.25, standard deviation sqrt(0.05 / 3).
    const found = compareLosses(Float64Array.of(2, 3, 4, 5), after);
    expect(found.loss16).toBeCloseTo(3.5, 12);
    expect(found.lossQuantized).toBeCloseTo(3.75, 12);
    expect(found.qid).toBeCloseTo(0.25, 12);
    expect(found.qidError).toBeCloseTo(Math.sqrt(0.05 / 3) / 2, 12);
  });

  it("does not see how hard the sequences are", () => {
    const hard = [0, 40, -7, 100];
    const found = compareLosses(
      Float64Array.from([2, 3, 4, 5], (value, i) => value + hard[i]!),
      after.map((value, i) => value + hard[i]!),
    );
    expect(found.qidError).toBeCloseTo(Math.sqrt(0.05 / 3) / 2, 12);
  });

  it("knows no error of a single sequence, and refuses others than the same", () => {
    expect(compareLosses(Float64Array.of(1), Float64Array.of(2)).qidError).toBeNaN();
    expect(() => compareLosses(Float64Array.of(1), after)).toThrow("got 1 and 4");
    expect(() => compareLosses(new Float64Array(), new Float64Array())).toThrow("got 0 and 0");
  });
});

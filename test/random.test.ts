import { mean, sampleKurtosis, sampleSkewness, standardDeviation } from "simple-statistics";
import { expect, it } from "vitest";
import { normals } from "../lib/random.ts";

it("draws standard normal numbers: the first four moments", () => {
  const sample = Array.from(normals(200_000, { seed: 1 }));
  // Four standard errors: 1, 1/sqrt(2), sqrt(6) and sqrt(24) over the root of the count.
  const unit = 4 / Math.sqrt(sample.length);
  expect(Math.abs(mean(sample))).toBeLessThan(unit);
  expect(Math.abs(standardDeviation(sample) - 1)).toBeLessThan(unit / Math.SQRT2);
  expect(Math.abs(sampleSkewness(sample))).toBeLessThan(unit * Math.sqrt(6));
  expect(Math.abs(sampleKurtosis(sample))).toBeLessThan(unit * Math.sqrt(24));
});

it("draws other numbers for another seed", () => {
  expect(normals(8, { seed: 1 })).not.toEqual(normals(8, { seed: 2 }));
});

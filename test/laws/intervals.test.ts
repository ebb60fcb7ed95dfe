import { describe, expect, it } from "vitest";
import { bcaInterval, percentileInterval } from "../../lib/laws/intervals.ts";
import { normalProbability, normalQuantile } from "../../lib/laws/normal.ts";

describe("the normal distribution", () => {
  // From scipy.special ndtr and ndtri, SciPy 1.17.1.
  it.each([
    [-5, 2.866515718791933e-07],
    [-1, 0.15865525393145707],
    [0.3, 0.6179114221889526],
    [2.5, 0.9937903346742238],
  ])("lies below %f with the probability that SciPy gives", (z, probability) => {
    expect(normalProbability(z)).toBeCloseTo(probability, 15);
  });

  it.each([
    [1e-6, -4.753424308822899],
    [0.025, -1.9599639845400545],
    [0.3, -0.5244005127080409],
    [0.999, 3.090232306167813],
  ])("has at %f the quantile that SciPy gives", (probability, z) => {
    expect(normalQuantile(probability)).toBeCloseTo(z, 9);
  });

  it("reaches its ends", () => {
    expect(normalProbability(-Infinity)).toBe(0);
    expect(normalProbability(Infinity)).toBe(1);
    expect(normalQuantile(0)).toBe(-Infinity);
    expect(normalQuantile(1)).toBe(Infinity);
  });
});

describe("intervals of scipy.stats.bootstrap, SciPy 1.17.1", () => {
  // The mean of the control group of mice of Efron and Tibshirani 1993, table 2.1, and nine times its 199 resampled
  // values (n_resamples = 199, random_state = default_rng(7)).
  const survival = [10, 27, 31, 40, 46, 50, 52, 104, 146];
  const sum = survival.reduce((total, value) => total + value, 0);
  // deno-fmt-ignore
  const resampled = [
    641, 603, 508, 634, 596, 408, 607, 553, 425, 706, 343, 406, 413, 520, 488, 472, 537, 673, 602, 444, 552, 355, 521,
    425, 830, 512, 689, 516, 388, 700, 657, 744, 396, 633, 564, 406, 606, 488, 322, 587, 900, 336, 524, 263, 617, 395,
    656, 359, 564, 448, 572, 564, 304, 640, 504, 459, 399, 376, 506, 582, 512, 343, 479, 535, 493, 661, 468, 441, 387,
    442, 512, 740, 502, 567, 585, 236, 560, 495, 473, 529, 549, 709, 530, 635, 515, 683, 655, 535, 679, 476, 498, 673,
    406, 310, 558, 548, 648, 395, 355, 600, 483, 340, 494, 573, 648, 539, 336, 461, 746, 521, 336, 571, 525, 414, 393,
    384, 508, 451, 534, 364, 575, 402, 375, 558, 437, 370, 509, 539, 531, 417, 840, 665, 342, 546, 404, 573, 521, 375,
    487, 477, 393, 569, 660, 363, 520, 479, 389, 370, 571, 527, 708, 389, 500, 563, 361, 485, 521, 506, 494, 390, 543,
    499, 586, 508, 557, 597, 406, 331, 587, 325, 502, 496, 521, 598, 638, 519, 632, 644, 613, 629, 612, 328, 349, 446,
    384, 482, 349, 657, 351, 539, 629, 468, 412, 336, 784, 550, 618, 244, 442,
  ].map((total) => total / 9);
  const given = { estimate: sum / 9, jackknife: survival.map((value) => (sum - value) / 8) };

  it("percentile", () => {
    const [low, high] = percentileInterval(resampled, 0.9);
    expect(low).toBeCloseTo(37.333333333333336, 10);
    expect(high).toBeCloseTo(77.84444444444443, 10);
  });

  it.each([[0.9, 37.333333333333336, 78.070423586119], [
    0.95,
    36.09324771409038,
    83.43926575872135,
  ]])(
    "BCa at %f",
    (level, expectedLow, expectedHigh) => {
      const [low, high] = bcaInterval(resampled, { ...given, level });
      expect(low).toBeCloseTo(expectedLow, 8);
      expect(high).toBeCloseTo(expectedHigh, 8);
    },
  );

  it("BCa has none where every resample lies on one side of the estimate", () => {
    const [low, high] = bcaInterval(resampled, { ...given, estimate: 1000, level: 0.9 });
    expect([low, high]).toEqual([NaN, NaN]);
  });
});

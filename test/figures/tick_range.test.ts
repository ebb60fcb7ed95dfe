import { describe, expect, it } from "vitest";
import { logTickRange } from "../../lib/figures/tick_range.ts";

describe("logTickRange", () => {
  it.each([
    [[0.0031, 0.42], [0.002, 0.5], [0.01, 0.1]],
    [[0.01, 1], [0.01, 1], [0.01, 0.1, 1]],
    [[3, 4], [2, 5], [2, 5]],
    [[0.03, 0.3], [0.02, 0.5], [0.02, 0.05, 0.1, 0.2, 0.5]],
    [[1e-4, 9.9], [1e-4, 10], [1e-4, 1e-3, 1e-2, 0.1, 1, 10]],
  ])("holds %j", (values, domain, ticks) => {
    expect(logTickRange(values)).toEqual({ domain, ticks });
  });
});

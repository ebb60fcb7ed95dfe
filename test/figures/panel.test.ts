import { describe, expect, it } from "vitest";
import { drawPanel, type Frame } from "../../lib/figures/panel.ts";

describe("a panel's frame", () => {
  it("spreads labels by the gap, in order, with their mean kept", () => {
    const spread = frameOf({ domain: [0, 100] }).spread([50, 10, 51, 49], 5);
    expect(spread[1]).toBe(10);
    const close = [spread[3]!, spread[0]!, spread[2]!];
    expect(close.map((value) => Number(value.toFixed(9)))).toEqual([45, 50, 55]);
  });

  it("spreads in the logarithm on a log axis", () => {
    const [a, b] = frameOf({ domain: [1, 100], log: true }).spread([10, 10], 50);
    // 100 pixels for two decades: 50 pixels are a factor of 10.
    expect(b! / a!).toBeCloseTo(10, 9);
    expect(a! * b!).toBeCloseTo(100, 9);
  });
});

/** A frame 100 pixels high. */
function frameOf(y: { domain: [number, number]; log?: boolean }): Frame {
  let found: Frame | undefined;
  drawPanel({
    x: { label: "x", domain: [0, 1], ticks: [] },
    y: { label: "y", ticks: [], ...y },
    marks: (frame) => {
      found = frame;
      return [];
    },
  }, { left: 0, right: 0, width: 100, height: 156 });
  return found!;
}

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { trainingCurve } from "../../lib/train/mod.ts";

const folder = mkdtempSync(join(tmpdir(), "curve-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("a training curve", () => {
  it("is the log in stretches that hold every step once", () => {
    const steps = 1000;
    const rows = Array.from(
      { length: steps },
      (_, i) => `${i + 1},${4096 * (i + 1)},0.1,${1000 - i},2`,
    );
    writeFileSync(
      join(folder, "log.csv"),
      ["step,tokens,learning_rate,loss,gradient_norm", ...rows, ""].join("\n"),
    );
    const curve = trainingCurve(folder);
    expect(curve.reduce((sum, { steps }) => sum + steps, 0)).toBe(steps);
    expect(curve.length).toBeLessThan(100);
    let first = 0;
    for (const { tokens, steps, loss, gradientNorm, learningRate } of curve) {
      expect(tokens).toBe(4096 * (first + steps));
      expect(loss).toBeCloseTo(1000 - first - (steps - 1) / 2, 9);
      expect([gradientNorm, learningRate]).toEqual([2, 0.1]);
      first += steps;
    }
  });

  it("needs a log", () => {
    expect(() => trainingCurve(join(folder, "none"))).toThrow("No training log");
  });
});

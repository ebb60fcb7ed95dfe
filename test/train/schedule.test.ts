import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Batches, checkpointSteps, peakRate, rateAt, suite } from "../../lib/train/mod.ts";
import type { Schedule } from "../../lib/train/mod.ts";

describe("learning rates", () => {
  const cosine: Schedule = { kind: "cosine", warmUp: 10, steps: 1010 };
  const wsd: Schedule = { kind: "wsd", warmUp: 10, decayFrom: 810, steps: 1010 };

  it("rise in a straight line to the peak", () => {
    for (const schedule of [cosine, wsd, { kind: "constant", warmUp: 10 } as const]) {
      expect([0, 4, 9, 10].map((step) => rateAt(schedule, step))).toEqual([0.1, 0.5, 1, 1]);
    }
  });

  it("fall to a tenth along half a cosine", () => {
    // 0.1 + 0.9 (1 + cos(pi x)) / 2 at x = 1/4, 1/2, 3/4 and 1
    const expected = [0.8681980515339464, 0.55, 0.2318019484660536, 0.1];
    [260, 510, 760, 1010].forEach((step, i) =>
      expect(rateAt(cosine, step)).toBeCloseTo(expected[i]!, 12)
    );
  });

  it("stay and then fall in a straight line to a tenth", () => {
    expect([10, 400, 809].map((step) => rateAt(wsd, step))).toEqual([1, 1, 1]);
    expect(rateAt(wsd, 909)).toBeCloseTo(0.55, 12);
    expect(rateAt(wsd, 1009)).toBeCloseTo(0.1, 12);
  });
});

describe("batches", () => {
  const text = Uint8Array.from({ length: 40 * 8 + 5 }, (_, i) => i % 251);

  it("show each window of the text once an epoch, with the byte that follows it", () => {
    const batches = new Batches(text, { context: 8, sequences: 4, seed: 3 });
    expect(batches.steps).toBe(10);
    const starts = new Set<number>();
    for (let step = 0; step < batches.steps; step++) {
      const rows = batches.at(step);
      for (let row = 0; row < 4; row++) {
        const bytes = rows.subarray(row * 9, (row + 1) * 9);
        const start = [...Array(40).keys()].find((i) =>
          !starts.has(i * 8) && bytes.every((byte, j) => byte === text[i * 8 + j])
        );
        starts.add(start! * 8);
      }
    }
    expect([...starts].sort((a, b) => a - b)).toEqual([...Array(40).keys()].map((i) => i * 8));
    expect(() => batches.at(10)).toThrow("one epoch of the text has 10");
  });

  it("come in an order of the seed's", () => {
    const at = (seed: number) => new Batches(text, { context: 8, sequences: 4, seed }).at(2);
    expect(at(1)).toEqual(at(1));
    expect(at(1)).not.toEqual(at(2));
  });

  it("are none for a text without a whole window", () => {
    expect(new Batches(text.subarray(0, 8), { context: 8, sequences: 1, seed: 0 }).steps).toBe(0);
    expect(new Batches(text.subarray(0, 9), { context: 8, sequences: 1, seed: 0 }).steps).toBe(1);
  });
});

describe("the suite", () => {
  const tokens = (step: number) => step * 4096;

  it("checks about twenty points of a run, evenly in log D, and pairs at equal distances", () => {
    const steps = checkpointSteps(2 ** 26);
    expect(steps).toHaveLength(20);
    expect(tokens(steps[0]!)).toBe(2 ** 19);
    expect(tokens(steps.at(-1)!)).toBe(2 ** 26);
    for (let i = 19; i < 26; i += 0.5) {
      expect(steps.some((step) => Math.abs(Math.log2(tokens(step)) - i) < 0.005)).toBe(true);
    }
    const pairs = steps.filter((step) => steps.includes(step + 128));
    expect(pairs.length).toBeGreaterThanOrEqual(6);
  });

  it("has names of its own for all runs, main series first, smallest first", () => {
    expect(new Set(suite.map(({ name }) => name)).size).toBe(suite.length);
    const main = suite.slice(0, 6);
    expect(main.map(({ width, depth, steps }) => [width, depth, tokens(steps)])).toEqual([
      ...[32, 64, 96, 128].map((width) => [width, 3, 2 ** 26]),
      ...[192, 256].map((width) => [width, 3, 2 ** 25]),
    ]);
  });

  it("has the same share of the peak rate at equal D in all runs of the main series", () => {
    const main = suite.slice(0, 6);
    for (const step of checkpointSteps(2 ** 25)) {
      expect(new Set(main.map(({ schedule }) => rateAt(schedule, step))).size).toBe(1);
    }
  });

  it("branches runs off states that an earlier run keeps, at the same learning rate", () => {
    const branches = suite.filter(({ from }) => from);
    expect(branches.length).toBeGreaterThan(4);
    for (const run of branches) {
      const parent = suite.slice(0, suite.indexOf(run)).find(({ name }) => name === run.from!.run)!;
      expect(parent.branchPoints).toContain(run.from!.step);
      for (let step = 0; step < run.from!.step; step++) {
        const rates = [parent, run].map(({ schedule, learningRate }) =>
          learningRate * rateAt(schedule, step)
        );
        expect(rates[0]).toBe(rates[1]);
      }
    }
  });

  it("has peak rates that fall with the width", () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 64 }), (blocks) => {
      expect(peakRate(32 * blocks)).toBeGreaterThan(peakRate(32 * (blocks + 1)));
    }));
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type FindGrid,
  type Grid,
  type LevelGrid,
  loadKernel,
  type RoundOptions,
} from "../../lib/compute/mod.ts";
import { normals, quantizeOne } from "./reference.ts";

const kernel = loadKernel();

/** An ascending table of levels with the midpoints as thresholds. */
function table(count: number): Grid {
  const levels = Float32Array.from(
    { length: count },
    (_, i) => Math.fround((i / count) ** 1.5 - 0.4),
  );
  const thresholds = Float32Array.from(
    { length: count - 1 },
    (_, i) => (levels[i]! + levels[i + 1]!) / 2,
  );
  return { levels, thresholds };
}

/** Levels from -1 to 1 in equal steps. */
function evenLevels(count: number): Grid {
  const levels = Float32Array.from({ length: count }, (_, i) => 2 * i / (count - 1) - 1);
  return { levels, thresholds: levels.slice(1).map((x) => x - 1 / (count - 1)) };
}

/** The levels of NF4 (bitsandbytes) with their midpoints. */
const nf4 = midpoints([
  ...[-1, -0.6961928, -0.52507305, -0.39491749, -0.28444138, -0.18477343, -0.09105004, 0],
  ...[0.0795803, 0.1609302, 0.2461123, 0.33791524, 0.44070983, 0.562617, 0.72295684, 1],
]);

/** Levels of FP4 (bitsandbytes): so near each other at 0 that no even cells part them. */
const closeTogether = midpoints([
  ...[-1, -0.66666667, -0.5, -0.33333333, -0.25, -0.16666667, -0.00520833, 0],
  ...[0.00520833, 0.16666667, 0.25, 0.33333333, 0.5, 0.66666667, 1],
]);

function midpoints(values: number[]): Grid {
  const levels = Float32Array.from(values);
  return { levels, thresholds: levels.slice(1).map((x, i) => (x + levels[i]!) / 2) };
}

/** The codes count - 1 to 0. */
function reversed(count: number): Uint8Array {
  return Uint8Array.from({ length: count }, (_, i) => count - 1 - i);
}

/** What `round` must give, value by value. */
function plainRound({ values, width, grid, scale, zero, multiplier }: RoundOptions) {
  const codes = new Uint8Array(values.length);
  const output = values.map((value, at) => {
    const group = Math.floor(at / width);
    const steps = multiplier && Math.fround(value * Math.fround(multiplier(scale[group]!)));
    const { code, value: rounded } = quantizeOne(
      ...[steps ?? value, grid, multiplier ? 1 : scale[group]!, zero?.[group] ?? 0] as const,
    );
    codes[at] = "codes" in grid ? grid.codes![code]! : code;
    return multiplier ? rounded * scale[group]! : rounded;
  });
  return { codes, output };
}

const finite = fc.oneof(
  fc.float({ noNaN: true, noDefaultInfinity: true }),
  fc.float({ min: -8, max: 8, noNaN: true }),
  // Halves: ties of the uniform grid with scale 1.
  fc.integer({ min: -20, max: 20 }).map((x) => x / 2),
  // Ties of the tables, and their neighbours.
  fc.nat({ max: 14 }).map((i) => (nf4 as LevelGrid).thresholds[i]!),
  fc.record({ i: fc.nat({ max: 13 }), by: fc.constantFrom(1 - 2 ** -23, 1, 1 + 2 ** -23) })
    .map(({ i, by }) => Math.fround((closeTogether as LevelGrid).thresholds[i]! * by)),
);

const grids: [string, Grid][] = [
  ["1 bit", { maxq: 1 }],
  ["3 bits", { maxq: 7 }],
  ["8 bits", { maxq: 255 }],
  ["2 levels", table(2)],
  ["16 levels", table(16)],
  ["8 even levels", evenLevels(8)],
  ["16 even levels", evenLevels(16)],
  ["NF4", nf4],
  ["FP4, two thresholds close together", closeTogether],
  ["FP4 with codes of its own", { ...closeTogether, codes: reversed(15) }],
  ["NF4 with codes of two digits", { ...nf4, codes: reversed(16).map((code) => code + 16) }],
  ["17 levels", table(17)],
  ["200 even levels", evenLevels(200)],
  ["200 even levels with codes of their own", { ...evenLevels(200), codes: reversed(200) }],
  ["256 levels", table(256)],
];

describe("round", () => {
  it.each(grids)("has every bit of the rule, for any values and group size: %s", (_, grid) => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 70 }),
        fc.integer({ min: 0, max: 4 }),
        fc.infiniteStream(finite),
        fc.infiniteStream(fc.constantFrom(1, 0.1, 3, 1e-20)),
        (width, groups, stream, scales) => {
          const values = Float32Array.from({ length: width * groups }, () => stream.next().value!);
          const scale = Float32Array.from({ length: groups }, () => scales.next().value!);
          const zero = Float32Array.from({ length: groups }, (_, i) => 3 * i % 5);
          const options: RoundOptions = { values, width, grid, scale, zero };
          const [codes, output] = [new Uint8Array(values.length), new Float32Array(values.length)];
          kernel.round({ ...options, codes, output });
          expect({ codes, output }).toEqual(plainRound(options));
          const again = new Float32Array(values.length);
          kernel.decode({ codes, width, grid, scale, zero, output: again });
          expect(again).toEqual(output);
        },
      ),
      { seed: 3, numRuns: 100 },
    );
  });

  it.each(grids)("multiplies where a multiplier says so: %s", (_, grid) => {
    fc.assert(
      fc.property(
        fc.array(fc.float({ min: -8, max: 8, noNaN: true }), { minLength: 1, maxLength: 40 }),
        fc.constantFrom(1, Math.fround(0.1), 3, Math.fround(7e-3)),
        (numbers, size) => {
          const values = Float32Array.from(numbers);
          const options: RoundOptions = {
            ...{ values, width: values.length, grid },
            ...{ scale: Float32Array.of(size), zero: Float32Array.of(2) },
            multiplier: (scale) => 1 / scale,
          };
          const [codes, output] = [new Uint8Array(values.length), new Float32Array(values.length)];
          kernel.round({ ...options, codes, output });
          // -0 is 0 times a negative number.
          const plain = plainRound(options);
          expect({ codes, output: output.map((x) => x + 0) })
            .toEqual({ ...plain, output: plain.output.map((x) => x + 0) });
        },
      ),
      { seed: 6, numRuns: 100 },
    );
  });

  it("multiplies tiny values by more than float32 holds", () => {
    const unit = 2 ** -145;
    const values = Float32Array.of(-2 * unit, unit, 5 * unit);
    const codes = new Uint8Array(3);
    kernel.round({
      ...{ values, width: 3, grid: { maxq: 255 }, codes, scale: Float32Array.of(unit) },
      ...{ zero: Float32Array.of(100), multiplier: (scale: number) => 10 / scale },
    });
    expect([...codes]).toEqual([80, 110, 150]);
  });

  it("decodes with a unit that comes last", () => {
    const output = new Float32Array(2);
    const codes = Uint8Array.of(7, 255);
    const [scale, zero] = [Float32Array.of(0.3), Float32Array.of(128)];
    kernel.decode({ codes, width: 2, grid: { maxq: 255 }, scale, zero, unit: 0.1, output });
    const [f, unit] = [Math.fround, Math.fround(0.1)];
    expect([...output]).toEqual([f(f(f(0.3) * -121) * unit), f(f(f(0.3) * 127) * unit)]);
  });

  it("sends a tie of a table to the lower level, and up where the threshold lies just below", () => {
    const levels = Float32Array.of(-1, 0, 1, 2);
    const values = Float32Array.of(-0.5, 0.5, 1.5);
    const scale = Float32Array.of(1);
    const codes = new Uint8Array(3);
    const thresholds = Float32Array.of(-0.5, 0.5, 1.5);
    kernel.round({ values, width: 3, grid: { levels, thresholds }, scale, codes });
    expect([...codes]).toEqual([0, 1, 2]);
    // Ties to even: up at -0.5 and 1.5.
    const up = Float32Array.of(-0.5 - 2 ** -24, 0.5, 1.5 - 2 ** -23);
    kernel.round({ values, width: 3, grid: { levels, thresholds: up }, scale, codes });
    expect([...codes]).toEqual([1, 1, 3]);
  });

  it("finds grids group by group from the values, and hands them back", () => {
    const [groups, width] = [3000, 48];
    const values = normals(1, groups * width);
    const seen: number[] = [];
    const find: FindGrid = (part, size, scale, zero) => {
      expect(part.length).toBe(scale.length * size);
      expect(zero).toEqual(new Float32Array(scale.length));
      for (let g = 0; g < scale.length; g++) {
        seen.push(part[g * size]!);
        scale[g] = Math.abs(part[g * size]!) + 0.1;
        zero[g] = g % 4;
      }
    };
    const [scale, zero] = [new Float32Array(groups), new Float32Array(groups)];
    const [codes, output] = [new Uint8Array(values.length), new Float32Array(values.length)];
    kernel.round({ values, width, grid: { maxq: 7 }, scale, zero, find, codes, output });
    expect(seen).toEqual([...values.filter((_, at) => at % width === 0)]);
    expect(scale).toEqual(
      Float32Array.from(seen, (x) => Math.fround(Math.abs(x) + 0.1)),
    );
    expect({ codes, output })
      .toEqual(plainRound({ values, width, grid: { maxq: 7 }, scale, zero }));
  });

  it("takes one group larger than a chunk: a whole tensor", () => {
    const values = normals(4, 200_003);
    const [minimum, maximum] = [new Float32Array(1), new Float32Array(1)];
    const scale = new Float32Array(1);
    const zero = new Float32Array(1);
    const find: FindGrid = (whole, width, scale, zero) => {
      kernel.ranges({ values: whole, width, minimum, maximum });
      scale[0] = (maximum[0]! - minimum[0]!) / 15;
      zero[0] = Math.round(-minimum[0]! / scale[0]);
    };
    const output = values.slice();
    kernel.round({
      ...{ values: output, width: values.length, grid: { maxq: 15 } },
      ...{ scale, zero, find, output },
    });
    expect(minimum[0]).toBe(values.reduce((least, x) => Math.min(least, x)));
    expect(maximum[0]).toBe(values.reduce((most, x) => Math.max(most, x)));
    const options = { values, width: values.length, grid: { maxq: 15 }, scale, zero };
    expect(output).toEqual(plainRound(options).output);
    // Round to nearest within the range is off by at most half a step.
    values.forEach((x, at) => expect(Math.abs(x - output[at]!)).toBeLessThan(0.51 * scale[0]!));
  });

  it("gives the same bytes inside the kernel's memory and outside", () => {
    kernel.scope(() => {
      const [inside, codes] = [kernel.float32(1000), kernel.uint8(1000)];
      inside.set(normals(5, 1000));
      const [outside, others] = [inside.slice(), new Uint8Array(1000)];
      const scale = new Float32Array(20).fill(0.3);
      const shared = { width: 50, grid: { maxq: 7 }, scale };
      kernel.round({ ...shared, values: inside, codes, output: inside });
      kernel.round({ ...shared, values: outside, codes: others, output: outside });
      expect(inside).toEqual(outside);
      expect(codes).toEqual(others);
    });
  });

  it.each([
    [{ width: 3 }, "the number of values must be a multiple of the width 3: got 8"],
    [{ width: 0 }, "width must be a whole number of at least 1: got 0"],
    [{ scale: new Float32Array(1) }, "Cannot round groups: scale needs 2 values: got 1"],
    [{ codes: new Uint8Array(7) }, "Cannot round groups: codes needs 8 values: got 7"],
    [{ grid: { maxq: 256 } }, "maxq must be a whole number from 1 to 255: got 256"],
    [
      { grid: { levels: new Float32Array(4), thresholds: new Float32Array(4) } },
      "give 2 to 256 levels and one threshold between each two: got 4 levels and 4 thresholds",
    ],
    [
      { grid: { levels: Float32Array.of(0, 1, 1), thresholds: Float32Array.of(0.5, 1) } },
      "levels must ascend: got 1 before 1 at index 2",
    ],
  ])("refuses what does not fit: %j", (change, message) => {
    const options = { values: new Float32Array(8), width: 4, grid: { maxq: 3 } };
    expect(() => kernel.round({ ...options, scale: new Float32Array(2), ...change }))
      .toThrow(message);
  });
});

describe("ranges", () => {
  it("are the smallest and largest value of each group", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.array(fc.array(finite, { minLength: 40, maxLength: 40 }), { maxLength: 5 }),
        (width, rows) => {
          const values = Float32Array.from(rows.flatMap((row) => row.slice(0, width)));
          const [minimum, maximum] = [
            new Float32Array(rows.length),
            new Float32Array(rows.length),
          ];
          kernel.ranges({ values, width, minimum, maximum });
          const group = (g: number) => values.subarray(g * width, (g + 1) * width);
          rows.forEach((_, g) => {
            expect(minimum[g] === Math.min(...group(g))).toBe(true);
            expect(maximum[g] === Math.max(...group(g))).toBe(true);
          });
        },
      ),
      { seed: 4, numRuns: 200 },
    );
  });
});

/** The runs of the miniature suite, in the order in which they are trained. */
import type { Run } from "./run.ts";
import type { Schedule } from "./schedule.ts";

const context = 256;
/** Sequences a step: 4,096 bytes. */
const sequences = 16;
const stepBytes = context * sequences;
/** One head is 32 wide, of which a quarter is turned by rotary positions. */
const headWidth = 32;

/** Whole steps of a number of bytes, rounded to the nearest. */
const stepsOf = (bytes: number) => Math.round(bytes / stepBytes);
const mega = 2 ** 20;
/** Bytes of a run of the main series, and of one of the studies. */
const mainBytes = 64 * mega;
const studyBytes = 16 * mega;
/** First checkpoint, and the distance between adjacent checkpoints of a pair. */
const firstBytes = mega / 2;

/**
 * Peak learning rate by width: at or below the best of a few short runs at widths 32 and 128
 * (data/suite/SOURCES.md), because the suite's runs are longer.
 */
export function peakRate(width: number): number {
  return 0.006 * Math.sqrt(64 / width);
}

/**
 * Steps of the checkpoints of a run: two for each doubling from half a million bytes on, evenly spaced
 * in log D, and one half a million bytes before each doubling from 4M on, so that the changes of weights over
 * equal distances can be compared early and late.
 */
export function checkpointSteps(bytes: number): number[] {
  const steps = new Set<number>([stepsOf(bytes)]);
  for (let i = 0; firstBytes * 2 ** (i / 2) <= bytes; i++) {
    const at = firstBytes * 2 ** (i / 2);
    steps.add(stepsOf(at));
    if (i >= 6 && i % 2 === 0) steps.add(stepsOf(at) - stepsOf(firstBytes));
  }
  return [...steps].sort((a, b) => a - b);
}

interface Shape {
  readonly width: number;
  readonly depth?: number;
  readonly seed?: number;
  readonly bytes?: number;
}

interface Variation {
  /** What is added to the name. */
  readonly suffix?: string;
  readonly schedule?: "cosine" | "constant";
  readonly learningRate?: number;
  readonly bitLinear?: Run["bitLinear"];
  readonly branchPoints?: readonly number[];
  /** Bytes at which the schedule ends, where the run stops before that. */
  readonly scheduledBytes?: number;
}

/** A run of the suite's kind, with the suite's choices for all that is not given. */
export function suiteRun(shape: Shape, variation: Variation = {}): Run {
  const { width, depth = 3, seed = 0, bytes = mainBytes } = shape;
  const { suffix = "", learningRate = peakRate(width), bitLinear, branchPoints } = variation;
  const steps = stepsOf(bytes);
  const scheduled = stepsOf(variation.scheduledBytes ?? bytes);
  return {
    name: `w${width}-d${depth}-s${seed}${suffix}`,
    width,
    depth,
    heads: Math.max(1, Math.round(width / headWidth)),
    ...(bitLinear && { bitLinear }),
    context,
    sequences,
    steps,
    seed,
    schedule: scheduleOf(variation.schedule ?? "cosine", scheduled),
    learningRate,
    checkpoints: checkpointSteps(bytes),
    ...(branchPoints && { branchPoints }),
  };
}

/** Warm-up is 1 % of the steps. */
function scheduleOf(kind: "cosine" | "constant", steps: number): Schedule {
  const warmUp = Math.max(1, Math.round(steps / 100));
  return kind === "cosine" ? { kind, warmUp, steps } : { kind, warmUp };
}

/** BitNet's own peak rate over that of full precision (see data/suite/SOURCES.md). */
const bitNetRateFactor = 2;

const widths = [32, 64, 96, 128, 192, 256];
const studyWidths = [32, 64];

/**
 * The main series. The two largest sizes, which take the longest, stop halfway through the schedule, so
 * that at equal D every size has the same learning rate, as a share of its peak.
 */
const mainSeries = widths.map((width) =>
  suiteRun({ width, bytes: width <= 128 ? mainBytes : mainBytes / 2 }, {
    scheduledBytes: mainBytes,
  })
);

/**
 * All runs by what they are for. "seeds" repeats the three smallest sizes of the main series with other
 * seeds; the studies vary the schedule, the depth, and the weights that are trained.
 */
export const suiteSeries: Readonly<Record<SeriesName, readonly Run[]>> = {
  main: mainSeries,
  seeds: widths.slice(0, 3).flatMap((width) => [1, 2].map((seed) => suiteRun({ width, seed }))),
  schedule: studyWidths.flatMap(scheduleStudy),
  depth: depthStudy(),
  bitnet: studyWidths.flatMap(bitNetStudy),
};

/** A part of the suite. */
export type SeriesName = "main" | "seeds" | "schedule" | "depth" | "bitnet";

/** All runs, the main series first and smallest first. */
export const suite: readonly Run[] = Object.values(suiteSeries).flat();

/** The part of the suite that a run belongs to; undefined for a run of one's own. */
export function seriesOf(name: string): SeriesName | undefined {
  const found = Object.entries(suiteSeries).find(([, runs]) =>
    runs.some((run) => run.name === name)
  );
  return found?.[0] as SeriesName | undefined;
}

/** Constant rate, decays branched off it at several D, and cosines that end at two of these. */
function scheduleStudy(width: number): Run[] {
  const ends = [2, 4, 8, 16].map((megabytes) => megabytes * mega);
  const branch = (end: number) => Math.round(0.8 * stepsOf(end));
  const constant = suiteRun({ width, bytes: studyBytes }, {
    suffix: "-constant",
    schedule: "constant",
    branchPoints: ends.map(branch),
  });
  const decays = ends.map((end): Run => {
    const { warmUp } = constant.schedule;
    const steps = stepsOf(end);
    const { branchPoints: _, ...run } = constant;
    return {
      ...run,
      name: `${run.name.replace("-constant", "")}-decay-${end / mega}m`,
      steps,
      schedule: { kind: "wsd", warmUp, decayFrom: branch(end), steps },
      checkpoints: [steps],
      from: { run: constant.name, step: branch(end) },
    };
  });
  const cosines = [4, 16].map((megabytes) =>
    suiteRun({ width, bytes: megabytes * mega }, { suffix: `-cosine-${megabytes}m` })
  );
  return [constant, ...decays, ...cosines];
}

/**
 * Depths 1, 2 and 6 beside 3: at width 64, and at about the N of depth 3 and width 96 (within 18 %), where
 * depth 6 is that of width 64. Depth 3 of width 64 is a run of the study of schedules.
 */
function depthStudy(): Run[] {
  const shapes = [[64, 1], [64, 2], [64, 6], [160, 1], [128, 2], [96, 3]] as const;
  return shapes.map(([width, depth]) =>
    suiteRun({ width, depth, bytes: studyBytes }, { suffix: "-cosine-16m" })
  );
}

/** BitNet at the learning rate of full precision and at its own, and full precision at BitNet's. */
function bitNetStudy(width: number): Run[] {
  const own = bitNetRateFactor * peakRate(width);
  const shape = { width, bytes: studyBytes };
  return [
    ...(["b1.58", "b1"] as const).flatMap((bitLinear) => [
      suiteRun(shape, { suffix: `-${bitLinear}-equal-rate`, bitLinear }),
      suiteRun(shape, { suffix: `-${bitLinear}-own-rate`, bitLinear, learningRate: own }),
    ]),
    suiteRun(shape, { suffix: "-bitnet-rate", learningRate: own }),
  ];
}

/**
 * Checkpoints of the main series that stay in the repository, as half-precision floats, for notebooks to run: by
 * width, after so many megabytes. All stages of the small sizes, the last of the largest; 25 MB in all.
 */
const keptMegabytes: Readonly<Record<number, readonly number[]>> = {
  32: [1, 2, 4, 8, 16, 32, 64],
  64: [1, 2, 4, 8, 16, 32, 64],
  96: [1, 4, 16, 32, 64],
  128: [1, 4, 16, 32, 64],
  192: [4, 32],
  256: [32],
};

/** The checkpoints that stay in the repository: run and step. */
export const keptCheckpoints: readonly { readonly run: string; readonly step: number }[] =
  mainSeries.flatMap(({ name, width }) =>
    keptMegabytes[width]!.map((megabytes) => ({ run: name, step: stepsOf(megabytes * mega) }))
  );

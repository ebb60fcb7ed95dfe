/** The exponents of the unified law over families of models, with a random effect for each family. */
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { type Interval, percentileInterval } from "./intervals.ts";
import { LawError } from "./law.ts";
import { type MixedModel, randomIntercept } from "./mixed_model.ts";
import type { FamilyPoint } from "./transfer.ts";

/** The exponents, signed as in the law: QiD grows as D^beta / (N^alpha P^gamma). */
export interface Exponents {
  readonly tokenExponent: number;
  readonly sizeExponent: number;
  readonly bitExponent: number;
}

/** A name of an exponent. */
export type ExponentName = keyof Exponents;

/** The meta-analysis: exponents with intervals of three kinds. */
export interface MetaAnalysis {
  readonly exponents: Exponents;
  readonly standardErrors: Exponents;
  /** 95 % intervals from resampled clusters, refitted. */
  readonly intervals: Record<ExponentName, Interval>;
  /** Least and largest estimate with one family left out. */
  readonly leaveOneOut: Record<ExponentName, Interval>;
  /** The mixed model of ln QiD; its intercept is at N = 10^9, D = 10^12 and 1 bit. */
  readonly model: MixedModel;
  /** Resamples that left an exponent undetermined. */
  readonly failed: number;
  readonly resamples: number;
  readonly families: readonly string[];
}

/** How to resample. */
export interface MetaOptions<P> {
  /** Default: 1000. */
  readonly resamples?: number;
  /** Default: 0. */
  readonly seed?: number;
  /** The cluster that is drawn; the family if left out. */
  readonly clusterOf?: (point: P) => string;
}

const signs = { tokenExponent: 1, sizeExponent: -1, bitExponent: -1 } as const;
const names = Object.keys(signs) as ExponentName[];

/**
 * Fits ln QiD = k + beta ln D - alpha ln N - gamma ln P + u(family) + e by REML, and refits it to
 * resampled clusters (a cluster drawn twice counts as two families) and with each family left out.
 *
 * Errors: rows that do not determine the exponents, and QiD that is not positive.
 */
export function metaAnalysis<P extends FamilyPoint>(
  points: readonly P[],
  options: MetaOptions<P> = {},
): MetaAnalysis {
  const { resamples = 1000, seed = 0, clusterOf = (point: P) => point.family } = options;
  const bad = points.findIndex(({ qid }) => !(qid > 0));
  if (bad >= 0) {
    throw new LawError(`Cannot analyse QiD in the logarithm: row ${bad} is not positive`);
  }
  const model = mixed(points, points.map(({ family }) => family));
  const families = [...new Set(points.map(({ family }) => family))];
  const clusters = [...new Set(points.map(clusterOf))].sort();
  const inCluster = clusters.map((name) => points.filter((point) => clusterOf(point) === name));
  const generator = xoroshiro128plus(seed);
  const estimates: Exponents[] = [];
  for (let resample = 0; resample < resamples; resample++) {
    const drawn = clusters.map(() => uniformInt(generator, 0, clusters.length - 1));
    const rows = drawn.flatMap((c) => inCluster[c]!);
    const groups = drawn.flatMap((c, copy) => inCluster[c]!.map((p) => `${p.family} ${copy}`));
    const refit = attempt(() => mixed(rows, groups));
    if (refit !== undefined) estimates.push(exponentsOf(refit));
  }
  const without = families.flatMap((family) => {
    const rows = points.filter((point) => point.family !== family);
    const refit = attempt(() => mixed(rows, rows.map((point) => point.family)));
    return refit === undefined ? [] : [exponentsOf(refit)];
  });
  const each = <T>(make: (name: ExponentName) => T) =>
    Object.fromEntries(names.map((name) => [name, make(name)])) as Record<ExponentName, T>;
  return {
    exponents: exponentsOf(model),
    standardErrors: each((name) => model.standardErrors[name]!),
    intervals: each((name) => percentileInterval(estimates.map((one) => one[name]), 0.95)),
    leaveOneOut: each((name) => {
      const values = without.map((one) => one[name]);
      return [Math.min(...values), Math.max(...values)];
    }),
    model,
    failed: resamples - estimates.length,
    resamples,
    families,
  };
}

function mixed(points: readonly FamilyPoint[], groups: readonly string[]): MixedModel {
  return randomIntercept({
    response: points.map(({ qid }) => Math.log(qid)),
    predictors: {
      tokenExponent: points.map(({ tokens }) => Math.log(tokens / 1e12)),
      sizeExponent: points.map(({ size }) => Math.log(size / 1e9)),
      bitExponent: points.map(({ bits }) => Math.log(bits)),
    },
    groups,
  });
}

function exponentsOf({ coefficients }: MixedModel): Exponents {
  return Object.fromEntries(
    names.map((name) => [name, signs[name] * coefficients[name]!]),
  ) as unknown as Exponents;
}

function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof LawError) return undefined;
    throw error;
  }
}

/** One fit of the unified law, and its bootstrap, beside SciPy on the same rows and the same resamples. */
import pl from "nodejs-polars";
import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import {
  bootstrap,
  columnsFrom,
  findLaw,
  fitProblem,
  leastSquares,
  parameterVector,
  published,
} from "../../lib/laws/mod.ts";
import { middle } from "../../lib/laws/multi_start.ts";
import { type BenchRow, runPython, timeIt } from "./bench.ts";

const rows = 1500;
const resamples = 1000;
const seed = 1;
const runs = 5;

/** What `laws_reference.py` prints. */
interface Reference {
  readonly version: string;
  readonly fit: number;
  readonly bootstrap: number;
  readonly parameters: readonly number[];
  readonly estimates: readonly (readonly number[])[];
}

export default async function laws(): Promise<BenchRow[]> {
  const columns = grid();
  const frame = pl.DataFrame(columns);
  const { law, problem } = fitProblem("unified", frame);
  const start = middle(law.parameters);
  const fit = () => leastSquares({ ...problem, starts: 1, start });
  const resample = () => bootstrap("unified", frame, { resamples, seed, starts: 1 });
  const full = fit();
  const { estimates } = resample();
  const ourFit = await timeIt(fit, { runs });
  const ourBootstrap = await timeIt(resample, { runs });

  const reference = await runPython<Reference>("laws_reference.py", {
    ...columns,
    start: Array.from(start),
    counts: drawn(),
    runs,
  }, { modules: ["numpy", "scipy"] });
  const named = [`one fit, ${rows} rows`, `${resamples} resamples of ${rows} rows`] as const;
  if (reference === undefined) {
    return [{ name: named[0], ours: ourFit }, { name: named[1], ours: ourBootstrap }];
  }
  const name = `SciPy ${reference.version}`;
  return [
    {
      name: named[0],
      ours: ourFit,
      peer: { name, milliseconds: reference.fit },
      note: agreement(full.theta, reference.parameters),
    },
    {
      name: named[1],
      ours: ourBootstrap,
      peer: { name, milliseconds: reference.bootstrap },
      note: agreement(estimates, reference.estimates.flat()),
    },
  ];
}

/** The published law at Pythia's sizes, three bit widths and tokens up to 206e9, with 15 % noise. */
function grid(): Record<"size" | "tokens" | "bits" | "qid", number[]> {
  const sizes = [85056000, 302311424, 805736448, 2517652480, 6444163072, 11327027200];
  const size = Array.from({ length: rows }, (_, i) => sizes[i % sizes.length]!);
  const bits = Array.from({ length: rows }, (_, i) => 2 + Math.floor(i / sizes.length) % 3);
  const tokens = Array.from({ length: rows }, (_, i) => 1e9 * 206 ** (i / rows));
  const unified = findLaw("unified");
  const qid = new Float64Array(rows);
  const columns = columnsFrom({ size, tokens, bits });
  unified.evaluate(parameterVector(unified, published["unified"]!), columns, qid);
  const random = xoroshiro128plus(seed);
  const normal = () =>
    Math.sqrt(-2 * Math.log(1 - uniformFloat64(random))) *
    Math.cos(2 * Math.PI * uniformFloat64(random));
  return { size, tokens, bits, qid: Array.from(qid, (value) => value * Math.exp(0.15 * normal())) };
}

/** How often each resample of `bootstrap` holds each row: the same draws. */
function drawn(): number[][] {
  const generator = xoroshiro128plus(seed);
  return Array.from({ length: resamples }, () => {
    const counts = new Array<number>(rows).fill(0);
    for (let i = 0; i < rows; i++) {
      const row = uniformInt(generator, 0, rows - 1);
      counts[row] = counts[row]! + 1;
    }
    return counts;
  });
}

/** The largest relative difference of two lists of parameters; one above 1e-4 is an error. */
function agreement(ours: ArrayLike<number>, theirs: ArrayLike<number>): string {
  if (ours.length !== theirs.length) {
    throw new Error(
      `Cannot compare: ${ours.length} parameters of ours with ${theirs.length} of SciPy`,
    );
  }
  let largest = 0;
  for (let i = 0; i < ours.length; i++) {
    largest = Math.max(largest, Math.abs(ours[i]! / theirs[i]! - 1));
  }
  if (!(largest < 1e-4)) throw new Error(`The optima differ by ${largest} (relative)`);
  return `same optima to ${largest.toExponential(0)}`;
}

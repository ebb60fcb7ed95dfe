/** The nonlinear regression problems of the NIST Statistical Reference Datasets: one file each, and the models. */
import { readFileSync } from "node:fs";

/** One problem, as its file gives it. */
export interface NistProblem {
  readonly name: string;
  readonly starts: readonly [number[], number[]];
  readonly certified: readonly number[];
  readonly standardDeviations: readonly number[];
  readonly residualSumOfSquares: number;
  readonly residualDeviation: number;
  /** The response. */
  readonly y: readonly number[];
  /** The predictors of each row. */
  readonly x: readonly number[][];
}

/** A model: what it predicts, and the indices of the parameters in which it is linear. */
export interface NistModel {
  readonly linear: readonly number[];
  predict(b: Float64Array, x: readonly number[]): number;
}

const { exp, cos, sin, atan, PI } = Math;

/** Builds a model whose formula names its parameters from b1 on. */
function model(linear: readonly number[], predict: NistModel["predict"]): NistModel {
  return { linear, predict };
}

/** (b1 + b2 x + ... ) / (1 + ...), with `above` coefficients above the line. */
function rational(above: number): NistModel["predict"] {
  return (b, [x = 0]) => {
    let numerator = 0;
    let denominator = 0;
    for (let i = above - 1; i >= 0; i--) numerator = numerator * x + b[i]!;
    for (let i = b.length - 1; i >= above; i--) denominator = (denominator + b[i]!) * x;
    return numerator / (1 + denominator);
  };
}

/** b1 exp(-b2 x) and two bells. */
const bells = model(
  [0, 2, 5],
  (b, [x = 0]) =>
    b[0]! * exp(-b[1]! * x) + b[2]! * exp(-(((x - b[3]!) / b[4]!) ** 2)) +
    b[5]! * exp(-(((x - b[6]!) / b[7]!) ** 2)),
);

/** Three decays. */
const decays = model(
  [0, 2, 4],
  (b, [x = 0]) => b[0]! * exp(-b[1]! * x) + b[2]! * exp(-b[3]! * x) + b[4]! * exp(-b[5]! * x),
);

const chwirut = model([], (b, [x = 0]) => exp(-b[0]! * x) / (b[1]! + b[2]! * x));

/** The models, by the name of the file; b[0] is NIST's b1. */
export const models: Record<string, NistModel> = {
  Bennett5: model([0], (b, [x = 0]) => b[0]! * (b[1]! + x) ** (-1 / b[2]!)),
  BoxBOD: model([0], (b, [x = 0]) => b[0]! * (1 - exp(-b[1]! * x))),
  Chwirut1: chwirut,
  Chwirut2: chwirut,
  DanWood: model([0], (b, [x = 0]) => b[0]! * x ** b[1]!),
  ENSO: model([0, 1, 2, 4, 5, 7, 8], (b, [x = 0]) => {
    const turn = 2 * PI * x;
    return b[0]! + b[1]! * cos(turn / 12) + b[2]! * sin(turn / 12) +
      b[4]! * cos(turn / b[3]!) + b[5]! * sin(turn / b[3]!) +
      b[7]! * cos(turn / b[6]!) + b[8]! * sin(turn / b[6]!);
  }),
  Eckerle4: model([0], (b, [x = 0]) => b[0]! / b[1]! * exp(-0.5 * ((x - b[2]!) / b[1]!) ** 2)),
  Gauss1: bells,
  Gauss2: bells,
  Gauss3: bells,
  Hahn1: model([0, 1, 2, 3], rational(4)),
  Kirby2: model([0, 1, 2], rational(3)),
  Lanczos1: decays,
  Lanczos2: decays,
  Lanczos3: decays,
  MGH09: model([0], (b, [x = 0]) => b[0]! * (x * x + x * b[1]!) / (x * x + x * b[2]! + b[3]!)),
  MGH10: model([0], (b, [x = 0]) => b[0]! * exp(b[1]! / (x + b[2]!))),
  MGH17: model(
    [0, 1, 2],
    (b, [x = 0]) => b[0]! + b[1]! * exp(-x * b[3]!) + b[2]! * exp(-x * b[4]!),
  ),
  Misra1a: model([0], (b, [x = 0]) => b[0]! * (1 - exp(-b[1]! * x))),
  Misra1b: model([0], (b, [x = 0]) => b[0]! * (1 - (1 + b[1]! * x / 2) ** -2)),
  Misra1c: model([0], (b, [x = 0]) => b[0]! * (1 - (1 + 2 * b[1]! * x) ** -0.5)),
  Misra1d: model([0], (b, [x = 0]) => b[0]! * b[1]! * x / (1 + b[1]! * x)),
  // The response of this one is the logarithm of the printed y.
  Nelson: model([0, 1], (b, [x1 = 0, x2 = 0]) => b[0]! - b[1]! * x1 * exp(-b[2]! * x2)),
  Rat42: model([0], (b, [x = 0]) => b[0]! / (1 + exp(b[1]! - b[2]! * x))),
  Rat43: model([0], (b, [x = 0]) => b[0]! / (1 + exp(b[1]! - b[2]! * x)) ** (1 / b[3]!)),
  Roszman1: model([0, 1], (b, [x = 0]) => b[0]! - b[1]! * x - atan(b[2]! / (x - b[3]!)) / PI),
  Thurber: model([0, 1, 2, 3], rational(4)),
};

/** Reads one problem; a file that is not as it should be is an error. */
export function readProblem(name: string): NistProblem {
  const lines = readFileSync(new URL(`./${name}.dat`, import.meta.url), "utf8").split(/\r?\n/);
  const table = lines.flatMap((line) => {
    const match = /^\s*b\d+\s*=\s*(.*)$/.exec(line);
    return match ? [numbers(match[1]!)] : [];
  });
  const rows = lines.slice(60).map(numbers).filter((row) => row.length > 0);
  const printed = (label: string) =>
    numbers(lines.find((line) => line.startsWith(label))!.slice(label.length))[0]!;
  if (rows.length !== printed("Number of Observations:")) {
    throw new Error(`Cannot read ${name}: needs every observation: got ${rows.length}`);
  }
  return {
    name,
    starts: [table.map((row) => row[0]!), table.map((row) => row[1]!)],
    certified: table.map((row) => row[2]!),
    standardDeviations: table.map((row) => row[3]!),
    residualSumOfSquares: printed("Residual Sum of Squares:"),
    residualDeviation: printed("Residual Standard Deviation:"),
    y: rows.map(([y = NaN]) => name === "Nelson" ? Math.log(y) : y),
    x: rows.map((row) => row.slice(1)),
  };
}

/** The numbers of a line. */
function numbers(line: string): number[] {
  return line.trim().split(/\s+/).filter((word) => word !== "").map(Number);
}

/** Derivatives of residuals by differences that stay inside the bounds. */

/** A function that writes residuals at parameters. */
export type Residuals = (theta: Float64Array, out: Float64Array) => void;

/** How {@link differences} steps. */
export interface DifferenceOptions {
  /** Typical size of each parameter, above 0, to which its steps are in proportion. */
  readonly sizes: ArrayLike<number>;
  readonly lower: ArrayLike<number>;
  readonly upper: ArrayLike<number>;
  /** Columns to write. Default: all. */
  readonly columns?: readonly number[];
  /** Extrapolate each column from many steps (Romberg and Ridders): about ten times the cost. Default: false. */
  readonly refined?: boolean;
}

/** A difference formula: where it looks, in steps, and with what weight. */
interface Formula {
  readonly points: readonly (readonly [offset: number, weight: number])[];
  /** Powers of the step in its error: order, order + gap, ... */
  readonly order: number;
  readonly gap: number;
}
const formulas: readonly Formula[] = [
  { points: [[1, 0.5], [-1, -0.5]], order: 2, gap: 2 },
  { points: [[0, -1.5], [1, 2], [2, -0.5]], order: 2, gap: 1 },
  { points: [[0, 1.5], [-1, -2], [-2, 0.5]], order: 2, gap: 1 },
];

/** Relative step of a plain difference: balances rounding with the error of second order. */
const plainStep = Math.cbrt(Number.EPSILON);
/** Relative steps of a refined one: halved from the first, so many times. */
const refinedStep = 2 ** -6;
const halvings = 11;

/**
 * Writes the derivatives of `residuals` at `theta` to `out`, [rows, parameters], row-major: central
 * differences, or one-sided ones where a bound or a value that is not finite is in the way.
 */
export function differences(
  residuals: Residuals,
  theta: Float64Array,
  out: Float64Array,
  options: DifferenceOptions,
): void {
  const rows = out.length / theta.length;
  for (const j of options.columns ?? theta.keys()) {
    const wide = (options.refined ? refinedStep : plainStep) * options.sizes[j]!;
    const room = (options.upper[j]! - options.lower[j]!) / 4;
    // A power of two, so that theta + step is exact.
    const step = 2 ** Math.round(Math.log2(Math.min(wide, room)));
    let column: Float64Array = new Float64Array(rows).fill(NaN);
    for (const formula of formulas) {
      const fits = formula.points.every(([offset]) => {
        const point = theta[j]! + offset * step;
        return point >= options.lower[j]! && point <= options.upper[j]!;
      });
      if (!fits) continue;
      column = options.refined
        ? extrapolate(residuals, theta, j, step, formula, rows)
        : difference(residuals, theta, j, step, formula, rows);
      if (column.every(Number.isFinite)) break;
    }
    for (let i = 0; i < rows; i++) out[i * theta.length + j] = column[i]!;
  }
}

/** One column by one formula and step. */
function difference(
  residuals: Residuals,
  theta: Float64Array,
  j: number,
  step: number,
  formula: Formula,
  rows: number,
): Float64Array {
  const at = theta.slice();
  const values = new Float64Array(rows);
  const column = new Float64Array(rows);
  for (const [offset, weight] of formula.points) {
    at[j] = theta[j]! + offset * step;
    residuals(at, values);
    for (let i = 0; i < rows; i++) column[i] = column[i]! + weight / step * values[i]!;
  }
  return column;
}

/** One column from halved steps: of all the extrapolations, the one that agrees best with those it came from. */
function extrapolate(
  residuals: Residuals,
  theta: Float64Array,
  j: number,
  first: number,
  formula: Formula,
  rows: number,
): Float64Array {
  let best = new Float64Array(rows).fill(NaN);
  let least = Infinity;
  let above: Float64Array[] = [];
  for (let halving = 0; halving < halvings; halving++) {
    const row = [difference(residuals, theta, j, first * 2 ** -halving, formula, rows)];
    for (let k = 0; k < above.length; k++) {
      const gain = 1 / (2 ** (formula.order + k * formula.gap) - 1);
      const [coarse, fine] = [above[k]!, row[k]!];
      const next = fine.map((value, i) => value + (value - coarse[i]!) * gain);
      const error = Math.max(distance(next, coarse), distance(next, fine));
      if (error < least) [best, least] = [next, error];
      row.push(next);
    }
    above = row;
  }
  return best;
}

/** Length of the difference of two vectors. */
function distance(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i]! - b[i]!) ** 2;
  return Math.sqrt(sum);
}

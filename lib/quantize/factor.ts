/** What GPTQ takes from a Hessian: the order of columns, and the factor of the damped inverse. */
import { kernel } from "./kernel.ts";
import type { Hessian } from "./method.ts";

/** Columns that no input reached: their diagonal is 0. */
export function deadColumns({ columns, data }: Hessian): number[] {
  const dead: number[] = [];
  for (let i = 0; i < columns; i++) if (data[i * columns + i] === 0) dead.push(i);
  return dead;
}

/**
 * Columns in descending order of their diagonal, where 0 counts as 1; equal ones keep their order,
 * and `columns` beyond the Hessian's come last.
 */
export function descendingDiagonal(hessian: Hessian, columns: number): Int32Array {
  const diagonal = diagonalOf(hessian);
  const value = (column: number) => diagonal[column] ?? -1;
  return Int32Array.from({ length: columns }, (_, i) => i).sort((a, b) => value(b) - value(a));
}

/** The factor of an inverse Hessian, and how it came about. */
export interface HessianFactor {
  /** U, upper, [in, in]: U^T U = (unit (H + damping mean(diag H) I))^-1. */
  readonly upper: Float64Array;
  /** The power of 4 that H was scaled by. */
  readonly unit: number;
  /** The damping that was used. */
  readonly damping: number;
  /** True when that is more than was asked for. */
  readonly raised: boolean;
}

/** How to factor a Hessian. */
export interface FactorOptions {
  /** Added to the diagonal, as a share of its mean. */
  readonly damping: number;
  /** Row and column i of the factored matrix are row and column order[i] of the Hessian. */
  readonly order?: Int32Array;
  /** Width to fill up to, with columns that have nothing to do with any other. */
  readonly columns?: number;
  /** Where the factor goes; a new array unless given. */
  readonly upper?: Float64Array;
}

/**
 * Factors the inverse of the damped Hessian, in float64. A diagonal of 0 counts as 1.
 *
 * When that fails, damping is raised tenfold, and to at least 0.01, until it succeeds or would be
 * above 10. Then it throws and names a damping that is enough (by Gershgorin's theorem). The
 * Hessian is first scaled by a power of 4, which changes nothing in GPTQ and keeps the factor in
 * float32's range.
 */
export function factorHessian(hessian: Hessian, options: FactorOptions): HessianFactor {
  const { columns = hessian.columns, upper = new Float64Array(columns ** 2) } = options;
  const diagonal = diagonalOf(hessian);
  const mean = diagonal.reduce((sum, value) => sum + value / diagonal.length, 0);
  const unit = 4 ** -Math.round(Math.log2(mean) / 2);
  let { damping } = options;
  for (;;) {
    fillDamped(upper, hessian, { ...options, columns, unit, added: damping * mean });
    const failure = kernel().inverseFactor({ a: upper, n: columns });
    if (!failure && inFloat32(upper)) {
      return { upper, unit, damping, raised: damping > options.damping };
    }
    const next = Math.max(damping * 10, 0.01);
    if (next > 10) {
      throw new Error(
        `Cannot factor the Hessian: not positive definite with a damping of ${damping}: ` +
          `try damping=${enoughDamping(hessian, mean)}, or more calibration tokens`,
      );
    }
    damping = next;
  }
}

interface FillOptions {
  readonly columns: number;
  readonly order?: Int32Array;
  /** A factor of everything. */
  readonly unit: number;
  /** Added to the diagonal. */
  readonly added: number;
}

/** unit (H + added I), in the given order and filled up to the given width. */
function fillDamped(
  to: Float64Array,
  hessian: Hessian,
  { columns, order, unit, added }: FillOptions,
): void {
  const width = hessian.columns;
  const diagonal = diagonalOf(hessian);
  to.fill(0);
  for (let i = 0; i < columns; i++) {
    const row = order ? order[i]! : i;
    if (row < width) {
      const from = hessian.data.subarray(row * width, (row + 1) * width);
      for (let j = 0; j < columns; j++) {
        const column = order ? order[j]! : j;
        if (column < width) to[i * columns + j] = unit * from[column]!;
      }
    }
    to[i * columns + i] = row < width ? unit * (diagonal[row]! + added) : 1;
  }
}

/** The diagonal; 0 counts as 1. */
function diagonalOf({ columns, data }: Hessian): Float64Array {
  return Float64Array.from({ length: columns }, (_, i) => data[i * columns + i]! || 1);
}

function inFloat32(values: Float64Array): boolean {
  for (let i = 0; i < values.length; i++) if (!(Math.abs(values[i]!) < 1e38)) return false;
  return true;
}

/** A damping with which the diagonal outweighs the rest of every row, to two digits. */
function enoughDamping({ columns, data }: Hessian, mean: number): string {
  let most = 10;
  for (let i = 0; i < columns; i++) {
    let rest = 0;
    for (let j = 0; j < columns; j++) if (j !== i) rest += Math.abs(data[i * columns + j]!);
    most = Math.max(most, (rest - data[i * columns + i]!) / mean);
  }
  return String(Number((most * 1.1).toPrecision(2)));
}

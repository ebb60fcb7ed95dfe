/**
 * Householder QR with column pivoting for tall, narrow matrices. By hand: no pinned library has a QR
 * that pivots, carries a right-hand side along and allocates nothing, and fits repeat it thousands of times.
 */

/** A tall matrix with its right-hand side, column-major: column j starts at `j * rows`, the right-hand side is last. */
export interface Tall {
  readonly rows: number;
  readonly columns: number;
  readonly data: Float64Array;
}

/** What QR leaves of a tall system: min ||A x + b|| has the solutions of min ||R x + c||. */
export interface Triangle {
  /** Rank of the columns, at most their number. */
  readonly rank: number;
  /** How many of the columns to be eliminated first are independent; they come first in `order`. */
  readonly leading: number;
  /** Columns in pivot order: column i of `r` belongs to column `order[i]` of the matrix. */
  readonly order: Int32Array;
  /** R, [rank, columns], row-major, in pivot order; its first `rank` columns are triangular. */
  readonly r: Float64Array;
  /** The first `rank` entries of Q'b. */
  readonly c: Float64Array;
  /** Squared length of the rest of Q'b: what no step removes. */
  readonly rest: number;
}

/** How {@link factor} chooses its pivots. */
export interface FactorOptions {
  /** Columns to take, by index. Default: all. */
  readonly columns?: ArrayLike<number>;
  /** How many of `columns`, the first ones, are eliminated before the others. Default: 0. */
  readonly first?: number;
  /** A column that keeps less than this part of its length depends on those before it. Default: 1e-14. */
  readonly threshold?: number;
}

/** Factors `system` in place, by pivoted Householder reflections. */
export function factor(system: Tall, options: FactorOptions = {}): Triangle {
  const { rows, data } = system;
  const order = options.columns
    ? Int32Array.from(options.columns)
    : Int32Array.from({ length: system.columns }, (_, i) => i);
  const width = order.length;
  const least = (options.threshold ?? 1e-14) ** 2;
  const rhs = system.columns * rows;
  const lengths = new Float64Array(system.columns);
  for (const column of order) lengths[column] = sumOfSquares(data, column * rows, rows);
  const left = lengths.slice();
  const most = Math.min(rows, width);
  let rest = sumOfSquares(data, rhs, rows);
  let end = options.first || width;
  let grouped = (options.first ?? 0) > 0;
  let leading = 0;
  let rank = 0;
  while (rank < most) {
    const position = pivot(order, left, lengths, rank, end);
    const column = order[position]!;
    if (!(left[column]! > least * lengths[column]!)) {
      if (!grouped) break;
      grouped = false;
      end = width;
      continue;
    }
    order[position] = order[rank]!;
    order[rank] = column;
    const start = column * rows;
    const head = data[start + rank]!;
    const length = Math.sqrt(left[column]!);
    const alpha = head > 0 ? -length : length;
    data[start + rank] = head - alpha;
    const scale = 1 / (alpha * (head - alpha));
    for (let i = rank + 1; i < width; i++) {
      left[order[i]!] = reflect(data, start, order[i]! * rows, rank, rows, scale);
    }
    rest = reflect(data, start, rhs, rank, rows, scale);
    data[start + rank] = alpha;
    rank++;
    if (grouped) leading = rank;
    if (rank === end) {
      grouped = false;
      end = width;
    }
  }
  const r = new Float64Array(rank * width);
  for (let i = 0; i < rank; i++) {
    for (let j = i; j < width; j++) r[i * width + j] = data[order[j]! * rows + i]!;
  }
  return { rank, leading, order, r, c: data.slice(rhs, rhs + rank), rest };
}

/** The position in `order`, in [from, to), of the column that kept the largest part of its length. */
function pivot(
  order: Int32Array,
  left: Float64Array,
  lengths: Float64Array,
  from: number,
  to: number,
): number {
  let best = from;
  let most = 0;
  for (let i = from; i < to; i++) {
    const part = left[order[i]!]! / lengths[order[i]!]!;
    if (part > most) {
      best = i;
      most = part;
    }
  }
  return best;
}

/** Reflects the column at `at` by the vector at `v`, from `row` on; returns its squared length below `row`. */
function reflect(
  data: Float64Array,
  v: number,
  at: number,
  row: number,
  rows: number,
  scale: number,
): number {
  let dot = 0;
  for (let i = row; i < rows; i++) dot += data[v + i]! * data[at + i]!;
  const weight = dot * scale;
  data[at + row] = data[at + row]! + weight * data[v + row]!;
  let sum = 0;
  for (let i = row + 1; i < rows; i++) {
    const value = data[at + i]! + weight * data[v + i]!;
    data[at + i] = value;
    sum += value * value;
  }
  return sum;
}

/** Sum of the squares of `length` numbers from `start` on. */
function sumOfSquares(data: Float64Array, start: number, length: number): number {
  let sum = 0;
  for (let i = start; i < start + length; i++) sum += data[i]! * data[i]!;
  return sum;
}

/** Solves R x = -c for the first `rank` columns in pivot order; the others stay 0. */
export function backSubstitute(triangle: Triangle): Float64Array {
  const x = new Float64Array(triangle.order.length);
  x.set(solveUpper(triangle, triangle.c.map((value) => -value)));
  return x;
}

/** Solves R x = b for the first columns in pivot order, as many as b has entries. */
export function solveUpper({ order, r }: Triangle, b: Float64Array): Float64Array {
  const width = order.length;
  const x = new Float64Array(b.length);
  for (let i = x.length - 1; i >= 0; i--) {
    let sum = b[i]!;
    for (let j = i + 1; j < x.length; j++) sum -= r[i * width + j]! * x[j]!;
    x[i] = sum / r[i * width + i]!;
  }
  return x;
}

/** Solves R' x = b for a triangle of full rank, b and x in pivot order. */
export function solveLower({ order, r }: Triangle, b: Float64Array): Float64Array {
  const width = order.length;
  const x = new Float64Array(width);
  for (let i = 0; i < width; i++) {
    let sum = b[i]!;
    for (let j = 0; j < i; j++) sum -= r[j * width + i]! * x[j]!;
    x[i] = sum / r[i * width + i]!;
  }
  return x;
}

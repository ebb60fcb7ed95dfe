/**
 * Pivoted QR of tall, narrow matrices. By hand: no pinned library has a QR that pivots, carries a right-hand
 * side along and allocates nothing, and fits repeat it thousands of times.
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

/** Which columns to factor. */
export interface FactorOptions {
  /** Columns to take, by index. Default: all. */
  readonly columns?: Int32Array | readonly number[];
  /** How many of `columns`, the first ones, are eliminated before the others. Default: 0. */
  readonly first?: number;
}

/** The least part of its squared length that a column keeps in {@link cholesky}: R then has 10 digits. */
const wellApart = 1e-6;
/** The least part of its length that a column keeps in {@link householder}. */
const dependent = 1e-14;

/**
 * R as the Cholesky factor of A'A; nothing where columns are close to dependent, when its lost digits would matter.
 *
 * @param gram the products of all columns with each other, the right-hand side for the last
 */
export function cholesky(gram: Float64Array, options: FactorOptions = {}): Triangle | undefined {
  const side = Math.sqrt(gram.length);
  const order = new Int32Array(options.columns ?? [...Array(side - 1).keys()]);
  const width = order.length;
  const { first = 0 } = options;
  const left = new Float64Array(side);
  for (let i = 0; i < side; i++) left[i] = gram[i * side + i]!;
  const lengths = left.slice();
  // Row i holds what is left of column i's products; once it is a pivot, its row of R.
  const rows = gram.slice();
  for (let k = 0; k < width; k++) {
    const best = pivot(order, left, lengths, k, k < first ? first : width);
    const column = order[best]!;
    if (!(left[column]! > wellApart * lengths[column]!)) return undefined;
    order[best] = order[k]!;
    order[k] = column;
    const pivotRow = column * side;
    const root = Math.sqrt(left[column]!);
    for (let j = 0; j < side; j++) rows[pivotRow + j] = rows[pivotRow + j]! / root;
    for (let i = k + 1; i < width; i++) {
      const row = order[i]! * side;
      const weight = rows[pivotRow + order[i]!]!;
      for (let j = 0; j < side; j++) rows[row + j] = rows[row + j]! - weight * rows[pivotRow + j]!;
      left[order[i]!] = rows[row + order[i]!]!;
    }
  }
  const r = new Float64Array(width * width);
  const c = new Float64Array(width);
  let rest = gram[gram.length - 1]!;
  for (let i = 0; i < width; i++) {
    const row = order[i]! * side;
    for (let j = i; j < width; j++) r[i * width + j] = rows[row + order[j]!]!;
    c[i] = rows[row + side - 1]!;
    rest -= c[i]! * c[i]!;
  }
  return { rank: width, leading: first, order, r, c, rest: Math.max(rest, 0) };
}

/** R by Householder reflections of `system`, in place; it holds for any columns. */
export function householder(system: Tall, options: FactorOptions = {}): Triangle {
  const { rows, data } = system;
  const order = new Int32Array(options.columns ?? [...Array(system.columns).keys()]);
  const width = order.length;
  const rhs = system.columns * rows;
  const lengths = new Float64Array(system.columns);
  for (const column of order) lengths[column] = dot(data, column * rows, column * rows, rows);
  const left = lengths.slice();
  const most = Math.min(rows, width);
  let rest = dot(data, rhs, rhs, rows);
  let end = options.first || width;
  let grouped = (options.first ?? 0) > 0;
  let leading = 0;
  let rank = 0;
  while (rank < most) {
    const position = pivot(order, left, lengths, rank, end);
    const column = order[position]!;
    if (!(left[column]! > dependent ** 2 * lengths[column]!)) {
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
  const weight = scale * dot(data, v + row, at + row, rows - row);
  data[at + row] = data[at + row]! + weight * data[v + row]!;
  let sum = 0;
  for (let i = row + 1; i < rows; i++) {
    const value = data[at + i]! + weight * data[v + i]!;
    data[at + i] = value;
    sum += value * value;
  }
  return sum;
}

/** Dot product of the `length` numbers from `a` on and those from `b` on. */
function dot(data: Float64Array, a: number, b: number, length: number): number {
  let sum = 0;
  for (let i = 0; i < length; i++) sum += data[a + i]! * data[b + i]!;
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

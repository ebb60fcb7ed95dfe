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

/** How {@link factor} chooses its pivots. */
export interface FactorOptions {
  /** Columns to take, by index. Default: all. */
  readonly columns?: Int32Array | readonly number[];
  /** How many of `columns`, the first ones, are eliminated before the others. Default: 0. */
  readonly first?: number;
  /** A column that keeps less than this part of its length depends on those before it. Default: 1e-14. */
  readonly threshold?: number;
}

/**
 * Factors `system` in place. Columns that are far from dependent are factored through A'A, in which the lost digits
 * do not matter; all others, by Householder reflections.
 */
export function factor(system: Tall, options: FactorOptions = {}): Triangle {
  const order = new Int32Array(options.columns ?? [...Array(system.columns).keys()]);
  return choleskyQr(system, order, options.first ?? 0) ?? householderQr(system, order, options);
}

/** The least part of its squared length that a column keeps in {@link choleskyQr}: R then has 10 digits. */
const wellApart = 1e-6;

/** R as the Cholesky factor of A'A; nothing where columns are close to dependent. */
function choleskyQr(
  { rows, columns, data }: Tall,
  given: Int32Array,
  first: number,
): Triangle | undefined {
  const width = given.length;
  if (rows < width) return undefined;
  const side = width + 1;
  const starts = new Int32Array(side).fill(columns * rows);
  for (let i = 0; i < width; i++) starts[i] = given[i]! * rows;
  const gram = new Float64Array(side * side);
  for (let i = 0; i < side; i++) {
    for (let j = i; j < side; j += 2) {
      // Two products in one pass read column i once.
      const k = Math.min(j + 1, side - 1);
      const [one, two] = dots(data, starts[i]!, starts[j]!, starts[k]!, rows);
      gram[i * side + j] = gram[j * side + i] = one;
      gram[i * side + k] = gram[k * side + i] = two;
    }
  }
  const total = gram[side * side - 1]!;
  const lengths = new Float64Array(width);
  const positions = new Int32Array(width);
  for (let i = 0; i < width; i++) {
    lengths[i] = gram[i * side + i]!;
    positions[i] = i;
  }
  const left = lengths.slice();
  for (let k = 0; k < width; k++) {
    const best = pivot(positions, left, lengths, k, k < first ? first : width);
    const at = positions[best]!;
    if (!(left[at]! > wellApart * lengths[at]!)) return undefined;
    positions[best] = positions[k]!;
    positions[k] = at;
    // Row k of R takes the place of row `at` of A'A.
    const root = Math.sqrt(left[at]!);
    for (let i = 0; i < side; i++) gram[at * side + i] = gram[at * side + i]! / root;
    for (let i = k + 1; i <= width; i++) {
      const row = i < width ? positions[i]! : width;
      const weight = gram[at * side + row]!;
      for (let j = 0; j < side; j++) {
        gram[row * side + j] = gram[row * side + j]! - weight * gram[at * side + j]!;
      }
      if (i < width) left[row] = gram[row * side + row]!;
    }
  }
  const r = new Float64Array(width * width);
  const c = new Float64Array(width);
  let rest = total;
  for (let i = 0; i < width; i++) {
    const row = positions[i]! * side;
    for (let j = i; j < width; j++) r[i * width + j] = gram[row + positions[j]!]!;
    c[i] = gram[row + width]!;
    rest -= c[i]! * c[i]!;
  }
  const order = positions.map((position) => given[position]!);
  return { rank: width, leading: first, order, r, c, rest: Math.max(rest, 0) };
}

/** R by Householder reflections, with the largest remaining part of a column for a pivot. */
function householderQr(system: Tall, order: Int32Array, options: FactorOptions): Triangle {
  const { rows, data } = system;
  const width = order.length;
  const least = (options.threshold ?? 1e-14) ** 2;
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

/** Dot products of the column at `a` with those at `b` and at `c`. */
function dots(
  data: Float64Array,
  a: number,
  b: number,
  c: number,
  rows: number,
): [number, number] {
  let first = 0;
  let second = 0;
  for (let i = 0; i < rows; i++) {
    const value = data[a + i]!;
    first += value * data[b + i]!;
    second += value * data[c + i]!;
  }
  return [first, second];
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

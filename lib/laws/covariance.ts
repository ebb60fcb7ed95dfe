/** Which parameters the rows determine, and how well: from the triangle of a QR factorisation. */
import { solveUpper, type Triangle } from "./linear_algebra.ts";

/** What {@link uncertainty} finds, by the indices of all parameters. */
export interface Uncertainty {
  /** Number of independent columns. */
  readonly rank: number;
  /** Indices of the parameters in the triangle that the rows do not determine. */
  readonly undetermined: ReadonlySet<number>;
  /** (J'J)^-1, [parameters, parameters], row-major; NaN for parameters that are not estimated. */
  readonly inverse: Float64Array;
}

/** A column that keeps less than this part of its length next to the others says nothing of its own. */
const independent = 1e-10;
/** A parameter that moves with an undetermined one by more than this, in scaled units, is undetermined too. */
const involved = 1e-6;

/** Inverts J'J as R^-1 R^-T. `lengths` are those of all columns of J; the triangle holds the ones off their bounds. */
export function uncertainty(triangle: Triangle, lengths: Float64Array): Uncertainty {
  const { order, r } = triangle;
  const width = lengths.length;
  const columns = order.length;
  let rank = 0;
  while (
    rank < triangle.rank &&
    Math.abs(r[rank * columns + rank]!) > independent * lengths[order[rank]!]!
  ) rank++;
  const undetermined = new Set<number>();
  for (let j = rank; j < columns; j++) {
    undetermined.add(order[j]!);
    // Along x1 = -R11^-1 R12 e_j, x2 = e_j the residuals do not change.
    const along = solveUpper(
      triangle,
      Float64Array.from({ length: rank }, (_, i) => -r[i * columns + j]!),
    );
    along.forEach((value, i) => {
      const share = Math.abs(value) * lengths[order[i]!]! / lengths[order[j]!]!;
      if (share > involved) undetermined.add(order[i]!);
    });
  }
  const roots = Array.from({ length: rank }, (_, k) => {
    const unit = new Float64Array(rank);
    unit[k] = 1;
    return solveUpper(triangle, unit);
  });
  const inverse = new Float64Array(width * width).fill(NaN);
  for (let a = 0; a < rank; a++) {
    for (let b = 0; b < rank; b++) {
      if (undetermined.has(order[a]!) || undetermined.has(order[b]!)) continue;
      inverse[order[a]! * width + order[b]!] = roots.reduce((sum, x) => sum + x[a]! * x[b]!, 0);
    }
  }
  return { rank, undetermined, inverse };
}

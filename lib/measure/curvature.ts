// Written by hand: no library takes Hessians of a function that is given by its gradients in place.
/** Curvature of a loss from its gradients: Hessian-vector products, quadratic forms, and Hutchinson's trace. */
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

/** A loss whose gradient is taken where its parameters are. */
export interface Differentiable {
  /** May be written to. */
  readonly parameters: Float32Array;
  /** The gradient at the parameters as they are now; the array may be used again by the next call. */
  gradient(): Float32Array;
}

/** Consecutive parameters that belong together, such as a layer's. */
export interface ParameterGroup {
  readonly offset: number;
  readonly length: number;
}

/**
 * v^T H v of each group: the sum over its parameters of v (H v), with H v by the central difference of two gradients,
 * (g(w + e v) - g(w - e v)) / 2e, where e v is `difference` long. The sum over groups is v^T H v as a whole.
 *
 * For independent entries -1 and 1, a group's value has the trace of its own block of H as its mean (Hutchinson 1990),
 * because entries of other groups cancel on average.
 *
 * The parameters are afterwards what they were, bit by bit. Throws when v is 0.
 *
 * ```ts
 * import { deepStrictEqual } from "node:assert/strict";
 * import { quadraticForms } from "./curvature.ts";
 *
 * // 2 x^2 + 3 y^2 has the Hessian diag(4, 6).
 * const parameters = Float32Array.of(1, 1);
 * const gradient = () => Float32Array.of(4 * parameters[0]!, 6 * parameters[1]!);
 * const groups = [{ offset: 0, length: 1 }, { offset: 1, length: 1 }];
 * const vector = Float32Array.of(1, -1);
 * const forms = quadraticForms({ parameters, gradient }, vector, { groups, difference: Math.SQRT2 });
 * deepStrictEqual([...forms], [4, 6]);
 * ```
 */
export function quadraticForms(
  { parameters, gradient }: Differentiable,
  vector: Float32Array,
  { groups, difference }: { groups: readonly ParameterGroup[]; difference: number },
): Float64Array {
  const length = normOf(vector);
  if (!(length > 0)) throw new RangeError("Cannot take a curvature: needs a vector that is not 0");
  const step = difference / length;
  const given = parameters.slice();
  const at = (signed: number) => {
    vector.forEach((value, i) => parameters[i] = given[i]! + signed * value);
    return gradient();
  };
  try {
    const ahead = at(step).slice();
    const behind = at(-step);
    return Float64Array.from(groups, ({ offset, length }) => {
      let sum = 0;
      for (let i = offset; i < offset + length; i++) {
        sum += vector[i]! * (ahead[i]! - behind[i]!);
      }
      return sum / (2 * step);
    });
  } finally {
    parameters.set(given);
  }
}

/** A vector with -1 or 1, drawn from the seed, in the groups, and 0 elsewhere. */
export function signVector(
  length: number,
  { groups, seed }: { groups: readonly ParameterGroup[]; seed: number },
): Float32Array {
  const random = xoroshiro128plus(seed);
  const vector = new Float32Array(length);
  for (const { offset, length } of groups) {
    for (let i = offset; i < offset + length; i++) vector[i] = 2 * uniformInt(random, 0, 1) - 1;
  }
  return vector;
}

/** Euclidean norm, summed in float64. */
export function normOf(values: Float32Array): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return Math.sqrt(sum);
}

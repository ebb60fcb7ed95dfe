import type { Activation } from "../../config.ts";
import type { Operation } from "./operation.ts";

/** An activation at one value, and its derivative there. */
interface Point {
  readonly value: number;
  readonly slope: number;
}

/**
 * The activation of each value of the input: GELU (Hendrycks and Gimpel, arXiv 1606.08415), or its
 * approximation by tanh.
 */
export function gelu(input: Float64Array, kind: Exclude<Activation, "silu">): Operation {
  const at = kind === "gelu" ? exact : byTanh;
  const points = Array.from(input, at);
  return {
    value: Float64Array.from(points, ({ value }) => value),
    backward: (gradient) => gradient.map((dy, i) => dy * points[i]!.slope),
  };
}

/** x Phi(x), with the derivative Phi(x) + x phi(x). */
function exact(x: number): Point {
  const below = normalDistribution(x);
  return { value: x * below, slope: below + x * normalDensity(x) };
}

/** 0.5 x (1 + tanh u) with u = sqrt(2 / pi) (x + 0.044715 x^3). */
function byTanh(x: number): Point {
  const c = Math.sqrt(2 / Math.PI);
  const t = Math.tanh(c * (x + 0.044715 * x ** 3));
  const slope = 0.5 * (1 + t) + 0.5 * x * (1 - t ** 2) * c * (1 + 3 * 0.044715 * x ** 2);
  return { value: 0.5 * x * (1 + t), slope };
}

function normalDensity(x: number): number {
  return Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);
}

/**
 * Phi(x) = 1/2 + phi(x) (x + x^3 / 3 + x^5 / (3 5) + x^7 / (3 5 7) + ...), within 1e-15 (Marsaglia
 * 2004, Journal of Statistical Software 11(4)). By hand because simple-statistics gives 7 digits.
 */
function normalDistribution(x: number): number {
  if (Math.abs(x) > 9) return x > 0 ? 1 : 0;
  let [sum, before, term] = [x, NaN, x];
  for (let n = 3; sum !== before; n += 2) {
    before = sum;
    term *= x * x / n;
    sum += term;
  }
  return 0.5 + sum * normalDensity(x);
}

/** The standard normal distribution. By hand: the functions of simple-statistics are off in the fourth digit. */

/** The probability of a value up to `z`, by the series of G. Marsaglia 2004, "Evaluating the normal distribution". */
export function normalProbability(z: number): number {
  if (!(Math.abs(z) < 38)) return z > 0 ? 1 : z < 0 ? 0 : NaN;
  let sum = z;
  let term = z;
  for (let i = 3; sum + term !== sum; i += 2) {
    term *= z * z / i;
    sum += term;
  }
  return Math.min(Math.max(0.5 + sum * Math.exp(-z * z / 2) / Math.sqrt(2 * Math.PI), 0), 1);
}

/** The value that a probability in [0, 1] belongs to, by bisection. */
export function normalQuantile(probability: number): number {
  if (probability === 0 || probability === 1) return probability === 0 ? -Infinity : Infinity;
  let low = -38;
  let high = 38;
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (normalProbability(middle) < probability) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

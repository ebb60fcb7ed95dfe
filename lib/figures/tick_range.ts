/**
 * An axis for values that are only known when they are measured. Written by hand: Plot's scales
 * choose ticks, but no domain that ends on them.
 */

/** A domain that holds all values and 0, with about six round ticks. */
export function tickRange(
  values: readonly number[],
): { domain: [number, number]; ticks: number[] } {
  const low = Math.min(0, ...values);
  const high = Math.max(0, ...values);
  const unit = 10 ** Math.floor(Math.log10((high - low) / 2));
  const gap = unit * [0.5, 1, 2, 5, 10].find((factor) => (high - low) / (factor * unit) <= 7)!;
  const first = Math.floor(low / gap + 1e-9);
  const last = Math.ceil(high / gap - 1e-9);
  const ticks = Array.from(
    { length: last - first + 1 },
    (_, i) => Number((gap * (first + i)).toPrecision(12)),
  );
  return { domain: [ticks[0]!, ticks.at(-1)!], ticks };
}

/** What the figures of quantization methods share. */

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
  const ticks = Array.from({ length: last - first + 1 }, (_, i) => gap * (first + i));
  return { domain: [ticks[0]!, ticks.at(-1)!], ticks };
}

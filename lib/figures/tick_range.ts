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

/** A domain for a log axis that holds all values (above 0), from 1, 2 or 5 times a power of ten to another, with a tick at each power. */
export function logTickRange(
  values: readonly number[],
): { domain: [number, number]; ticks: number[] } {
  const round = (
    value: number,
    choose: (...of: number[]) => number,
    fits: (end: number) => boolean,
  ) => {
    const unit = 10 ** Math.floor(Math.log10(value));
    return choose(
      ...[1, 2, 5, 10].map((factor) => Number((factor * unit).toPrecision(1))).filter(fits),
    );
  };
  const low = Math.min(...values);
  const high = Math.max(...values);
  const domain: [number, number] = [
    round(low, Math.max, (end) => end <= low),
    round(high, Math.min, (end) => end >= high),
  ];
  const first = Math.ceil(Math.log10(domain[0]) - 1e-9);
  const last = Math.floor(Math.log10(domain[1]) + 1e-9);
  const ticks = Array.from({ length: last - first + 1 }, (_, i) => Number(`1e${first + i}`));
  return { domain, ticks };
}

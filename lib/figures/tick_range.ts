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

/**
 * A domain for a log axis that holds all values (above 0), from 1, 2 or 5 times a power of ten to another, with a tick at
 * each power, or at each 1, 2 and 5 where there are fewer than two powers.
 */
export function logTickRange(
  values: readonly number[],
): { domain: [number, number]; ticks: number[] } {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const [first, last] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
  const powers = Array.from({ length: last - first + 1 }, (_, i) => first + i);
  const round = powers.flatMap((power) => [1, 2, 5].map((digit) => Number(`${digit}e${power}`)));
  const domain: [number, number] = [
    round.findLast((end) => end <= low)!,
    round.find((end) => end >= high)!,
  ];
  const inside = round.filter((tick) => tick >= domain[0] && tick <= domain[1]);
  const tens = inside.filter((tick) => powers.some((power) => tick === Number(`1e${power}`)));
  return { domain, ticks: tens.length < 2 ? inside : tens };
}

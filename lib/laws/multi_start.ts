/**
 * Starts spread evenly over search ranges: the R-sequence (powers of the generalised golden ratio, M. Roberts
 * 2018, "The unreasonable effectiveness of quasirandom sequences"), shifted at random by the seed.
 * By hand: the pinned libraries hold no low-discrepancy sequence.
 */
import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

/** Where starts of one parameter are drawn from; a law's `Parameter` is one. */
export interface SearchRange {
  /** The ends of the range, both finite, the first below the second. */
  readonly search: readonly [number, number];
  /** Draw evenly in the logarithm (both ends positive), for a parameter known only to an order of magnitude. */
  readonly logarithmic?: boolean;
}

/** The middle of every range. */
export function middle(ranges: readonly SearchRange[]): Float64Array {
  return Float64Array.from(ranges, (range) => within(range, 0.5));
}

/** `count` starts; a longer list begins with the shorter one. */
export function spread(
  ranges: readonly SearchRange[],
  count: number,
  seed: number,
): Float64Array[] {
  // The one root above 1 of x^(d + 1) = x + 1, for d ranges.
  let root = 2;
  for (let i = 0; i < 40; i++) root = (1 + root) ** (1 / (ranges.length + 1));
  const generator = xoroshiro128plus(seed);
  const shifts = ranges.map(() => uniformFloat64(generator));
  return Array.from(
    { length: count },
    (_, i) =>
      Float64Array.from(
        ranges,
        (range, j) => within(range, (shifts[j]! + (i + 1) * root ** -(j + 1)) % 1),
      ),
  );
}

/** The point that lies `part` of the way through a range. */
function within({ search: [low, high], logarithmic }: SearchRange, part: number): number {
  return logarithmic ? low * (high / low) ** part : low + part * (high - low);
}

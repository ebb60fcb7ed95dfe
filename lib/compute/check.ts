/** Throws unless each size is a whole number of at least `least`. */
export function requireSizes(task: string, sizes: Record<string, number>, least: number): void {
  for (const [name, size] of Object.entries(sizes)) {
    if (!(Number.isInteger(size) && size >= least)) {
      throw new RangeError(
        `${task}: ${name} must be a whole number of at least ${least}: got ${size}`,
      );
    }
  }
}

/**
 * Throws when an array has fewer values than needed. A longer one is fine: only its beginning is
 * used.
 */
export function requireValues(
  task: string,
  name: string,
  array: ArrayLike<number>,
  needed: number,
): void {
  if (array.length < needed) {
    throw new RangeError(`${task}: ${name} needs ${needed} values: got ${array.length}`);
  }
}

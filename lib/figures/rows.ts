/** Rows of a Polars frame as plain objects with the columns that a figure draws. */
import type { DataFrame } from "nodejs-polars";

/**
 * The rows of a frame with these columns of numbers and of text.
 *
 * @throws {TypeError} when a column is missing, or a number is not finite; names column and row
 */
export function rowsOf<N extends string, T extends string = never>(
  frame: DataFrame,
  numbers: readonly N[],
  texts: readonly T[] = [],
): (Record<N, number> & Record<T, string>)[] {
  const missing = [...numbers, ...texts].filter((name) => !frame.columns.includes(name));
  if (missing.length > 0) {
    throw new TypeError(
      `Cannot draw this frame: needs the columns ${[...numbers, ...texts].join(", ")}: got no ${
        missing.join(", ")
      }`,
    );
  }
  return frame.toRecords().map((record, i) => {
    const row: Record<string, number | string> = {};
    for (const name of numbers) {
      row[name] = Number(record[name] ?? NaN);
      if (!Number.isFinite(row[name])) {
        throw new TypeError(
          `Cannot draw row ${i + 1} of this frame: needs a number in ${name}: got ${record[name]}`,
        );
      }
    }
    for (const name of texts) row[name] = String(record[name]);
    return row as Record<N, number> & Record<T, string>;
  });
}

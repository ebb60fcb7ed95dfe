/** The ways of holding rows out: sizes, late checkpoints and bit widths. */
import { distinct } from "./frame.ts";
import type { Columns, Variable } from "./law.ts";

/** What a split holds out. */
export type HeldOut = "largest size" | "each size" | "late checkpoints" | "each bit width";

/** One split of the rows of a table into those fitted and those predicted. */
export interface Split {
  readonly kind: HeldOut;
  /** What is held out, e.g. "size 11327027200". */
  readonly heldOut: string;
  readonly train: readonly number[];
  readonly test: readonly number[];
}

/** All splits that the table allows, in a fixed order, and for each kind that it does not, why. */
export function splitsOf(columns: Columns): { splits: Split[]; notes: string[] } {
  const splits: Split[] = [];
  const notes: string[] = [];

  function hold(kind: HeldOut, heldOut: string, isTest: (row: number) => boolean): void {
    const rows = Array.from({ length: columns.rows }, (_, row) => row);
    splits.push({
      kind,
      heldOut,
      train: rows.filter((row) => !isTest(row)),
      test: rows.filter(isTest),
    });
  }

  function valuesOf(variable: Variable, kinds: string): number[] {
    const values = distinct(columns[variable]);
    if (values.length === 0) notes.push(`No held-out ${kinds}: the table has no ${variable}`);
    if (values.length === 1) {
      notes.push(`No held-out ${kinds}: all rows have ${variable} ${values[0]}`);
    }
    return values.length > 1 ? values : [];
  }

  const sizes = valuesOf("size", "sizes");
  const largest = sizes.at(-1);
  if (largest !== undefined) {
    hold("largest size", `size ${largest}`, (row) => columns.size[row] === largest);
  }
  for (const size of sizes) {
    hold("each size", `size ${size}`, (row) => columns.size[row] === size);
  }

  const half = (valuesOf("tokens", "late checkpoints").at(-1) ?? 0) / 2;
  const late = (row: number) => columns.tokens[row]! > half;
  if (half > 0) hold("late checkpoints", `tokens above ${half}`, late);

  for (const bits of valuesOf("bits", "bit widths")) {
    hold("each bit width", `bits ${bits}`, (row) => columns.bits[row] === bits);
  }
  return { splits, notes };
}

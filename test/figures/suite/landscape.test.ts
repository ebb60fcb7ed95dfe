import { describe, expect, it } from "vitest";
import { lastRows, sharedRows } from "../../../lib/figures/suite/landscape.ts";

const rowsOf = (size: number, ...counts: number[]) => counts.map((tokens) => ({ size, tokens }));

describe("sizes that were not trained equally long", () => {
  it("are compared at the last token count that all of them have", () => {
    const rows = [...rowsOf(10, 1, 2, 4, 8), ...rowsOf(20, 1, 2, 4), ...rowsOf(30, 2, 3)];
    expect(sharedRows(rows)).toEqual([...rowsOf(10, 2), ...rowsOf(20, 2), ...rowsOf(30, 2)]);
    expect(lastRows(rows)).toEqual([...rowsOf(10, 8), ...rowsOf(20, 4), ...rowsOf(30, 3)]);
  });

  it("cannot be compared when they share none", () => {
    expect(() => sharedRows([...rowsOf(10, 1), ...rowsOf(20, 2)])).toThrow(
      /needs a token count that all of them have: got none/,
    );
  });
});

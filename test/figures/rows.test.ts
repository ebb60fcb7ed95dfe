import pl from "nodejs-polars";
import { expect, it } from "vitest";
import { rowsOf } from "../../lib/figures/rows.ts";

const frame = pl.DataFrame({ model: ["A", "B"], tokens: [1, 2], qid: [0.5, null] });

it("gives the columns that are asked for, as numbers and text", () => {
  expect(rowsOf(frame, ["tokens"], ["model"])).toEqual([
    { tokens: 1, model: "A" },
    { tokens: 2, model: "B" },
  ]);
});

it("names a column that is missing, and the row of a number that is", () => {
  expect(() => rowsOf(frame, ["tokens", "size"])).toThrow(
    "Cannot draw this frame: needs the columns tokens, size: got no size",
  );
  expect(() => rowsOf(frame, ["qid"])).toThrow(
    "Cannot draw row 2 of this frame: needs a number in qid: got null",
  );
});

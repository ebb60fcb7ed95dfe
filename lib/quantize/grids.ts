/** Formats that GPTQ can round to besides integers, by name. A new format is one entry here. */
import { fp4Grid } from "./fp4.ts";
import type { Grid } from "./grid.ts";
import { mxGrids } from "./mx.ts";
import { nf4Grid } from "./nf4.ts";

/** Makes a format's grid, with another block size than its own if one is given. */
export type MakeGrid = (group?: number) => Grid;

export const grids: Readonly<Record<string, MakeGrid>> = {
  nf4: (group = 64) => nf4Grid({ block: group, double: false }),
  fp4: (group = 64) => fp4Grid({ block: group, double: false }),
  ...mxGrids,
};

/** Formats that GPTQ can round to besides integers, by name. A new format is one entry here. */
import type { Grid } from "./grid.ts";

/** Makes a format's grid, with another block size than its own if one is given. */
export type MakeGrid = (group?: number) => Grid;

export const grids: Readonly<Record<string, MakeGrid>> = {};

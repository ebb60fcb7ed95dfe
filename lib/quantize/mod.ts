/** Quantization of weight matrices: methods, grids, packing and errors. */
export type * from "./method.ts";
export { defineMethod } from "./method.ts";
export { allowedValues, formatSpec, parseSpec, type Spec } from "./spec.ts";
export { methods } from "./registry.ts";
export { type Grid, integerGrid, type IntegerGridOptions, roundHalfEven } from "./grid.ts";
export { roundToGrid, rtn } from "./rtn.ts";

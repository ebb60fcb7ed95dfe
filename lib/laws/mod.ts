/** The laws of low-bit quantization: formulas, fits, uncertainty, comparison and inversion. */
export {
  type Columns,
  columnsFrom,
  type Law,
  namedParameters,
  type Parameter,
  parameterVector,
  type Point,
  type Response,
  type Variable,
} from "./law.ts";
export { perBitWidth } from "./per_bit_width.ts";
export { type FittedLaw, type Goal, predict, quantizedLoss, tokensFor } from "./predict.ts";
export { published, publishedSources } from "./published.ts";
export { findLaw, laws } from "./registry.ts";

/** The laws of low-bit quantization: formulas, fits, uncertainty, comparison and inversion. */
export { type Agreement, agreement, type MeasuredPoint, predictedRatio } from "./agreement.ts";
export { type Bootstrap, bootstrap, type BootstrapOptions } from "./bootstrap.ts";
export { compare, type Comparison } from "./compare.ts";
export {
  type DecayExponent,
  type DecayFit,
  type DecayForm,
  type DecayOptions,
  type DecayRow,
  type DecayTerm,
  fitDecay,
} from "./decay.ts";
export type { Described } from "./display.ts";
export { type PairSummary, summarizePairs, type TokenPair, tokenPairs } from "./equal_size.ts";
export { type Fit, fit } from "./fit.ts";
export type { ColumnNames, ColumnRole } from "./frame.ts";
export {
  type Columns,
  columnsFrom,
  type Law,
  LawError,
  namedParameters,
  type Parameter,
  parameterVector,
  type Point,
  type Response,
  type Variable,
} from "./law.ts";
export {
  leastSquares,
  type LeastSquaresOptions,
  type LeastSquaresResult,
  type LeastSquaresStatus,
  leastSquaresStatuses,
  type SearchRange,
} from "./least_squares.ts";
export {
  type ExponentName,
  type Exponents,
  type MetaAnalysis,
  metaAnalysis,
  type MetaOptions,
} from "./meta_analysis.ts";
export { linearFit } from "./linear_fit.ts";
export { type GroupedRows, type MixedModel, randomIntercept } from "./mixed_model.ts";
export { perBitWidth } from "./per_bit_width.ts";
export { holdParameters } from "./held.ts";
export { type FittedLaw, type Goal, predict, quantizedLoss, tokensFor } from "./predict.ts";
export { type FitOptions, type FitProblem, fitProblem } from "./problem.ts";
export { published, type PublishedSource, publishedSources } from "./published.ts";
export { type PublicChoice, publicFrame, type PublicPoint, publicPoints } from "./real_models.ts";
export { findLaw, laws } from "./registry.ts";
export { fitRounded, type PrintedNumber, type RoundedFit } from "./rounded.ts";
export { type FamilyPoint, sizeBits, type Transfer, transfer, transferError } from "./transfer.ts";

/** The second paper's predictor: from features of weights and landscape to the loss after quantization. */
export { type Feature, type FeatureGroup, features, featureSets, matrixOf } from "./features.ts";
export { type Forest, type ForestOptions, growForest } from "./forest.ts";
export {
  type Fold,
  foldsOf,
  type HeldOut,
  type HeldOutRow,
  predictHeldOut,
  trainFolds,
} from "./hold_out.ts";
export {
  type DependencePoint,
  type Importance,
  type ImportanceOptions,
  importances,
  partialDependence,
} from "./importance.ts";
export {
  degradationForest,
  featureForests,
  paperForest,
  type Predict,
  type Predictor,
  predictors,
  qidScale,
} from "./predictors.ts";
export {
  type Landscape,
  landscapes,
  noiseAt,
  type PredictorQuery,
  type PredictorRow,
  predictorRows,
  riseAt,
} from "./rows.ts";
export { type Estimate, type Prediction, rankQid, type Scores, scoresOf } from "./score.ts";
export {
  dependenceTable,
  heldOutPredictions,
  importanceTable,
  writePredictorTables,
} from "./tables.ts";
export { type Claim, claims, type Evidence, heldOutScores, riseExponent } from "./claims.ts";
export { type GptqGain, gptqGains } from "./gains.ts";

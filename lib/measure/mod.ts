/** Checkpoints quantized and measured: what each method costs in loss. */
export * from "./evaluate.ts";
export {
  type CheckpointEntry,
  checkpointsOf,
  readCheckpoint,
  suiteCheckpoints,
  withModel,
} from "./checkpoints.ts";
export { changeOf, type MatrixChange, weightChanges } from "./fluctuation.ts";
export { bookSequences, type LiveRow, measureLive } from "./live.ts";
export { readMethods, suiteMethods } from "./method_list.ts";
export {
  makePlan,
  type Plan,
  type PlanItem,
  type PlannedText,
  type PlanOptions,
  readPlan,
  writePlan,
} from "./plan.ts";
export {
  type LayerReport,
  type ModelReport,
  quantizeBlocks,
  type QuantizedBlock,
  type QuantizedModel,
  quantizeModel,
  type QuantizeModelOptions,
  type Sequences,
} from "./quantize_model.ts";
export { frameOf, type MeasuredRow, rowColumns } from "./rows.ts";
export { runStudy, type RunStudyOptions, type StudyProgress } from "./run_study.ts";
export { type ReadSequences, readSequences, type TextSequences } from "./sequences.ts";
export { gather, measureShare, partsFolder, type ShareOptions, stateOf } from "./study.ts";
export {
  type Differentiable,
  type ParameterGroup,
  quadraticForms,
  signVector,
} from "./curvature.ts";
export {
  type LandscapeFeature,
  type LandscapeText,
  measureLandscape,
  type MeasureLandscapeOptions,
  noiseWhere,
} from "./landscape.ts";
export {
  asGptq,
  describeFormat,
  type FormatDescription,
  type FormatSqnr,
  formatSqnrs,
  landscapeFormats,
  landscapeMethods,
} from "./landscape_formats.ts";
export { checkProtocol, type LandscapeProtocol, landscapeProtocol } from "./landscape_options.ts";
export {
  gatherLandscapes,
  type LandscapeRow,
  landscapeState,
  type LandscapeStudy,
  runLandscapes,
  type RunLandscapesOptions,
} from "./landscape_study.ts";

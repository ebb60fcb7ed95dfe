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
export { type HubRevisions, readHubCheckpoints, tokensOf } from "./hub_checkpoints.ts";
export { type KubernetesOptions, writeKubernetesJob } from "./kubernetes.ts";
export { type SlurmOptions, submitToSlurm } from "./slurm.ts";
export { type Submitted } from "./cluster.ts";
export { memoryOf, memoryOfPlan, type MemoryOptions } from "./memory.ts";
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
export {
  type ReadSequences,
  readSequences,
  readTokenSequences,
  type TextSequences,
} from "./sequences.ts";
export {
  gather,
  measureShare,
  partsFolder,
  reopenFailed,
  type ShareOptions,
  stateOf,
} from "./study.ts";
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

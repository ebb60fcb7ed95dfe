/** Text to checkpoints. */
export {
  buildCorpus,
  type BuildOptions,
  type BuildProgress,
  type CorpusManifest,
  type CorpusText,
  type PartRecord,
  readManifest,
  readText,
} from "./corpus/corpus.ts";
export { type HoldOut, textFiles, type TextName } from "./corpus/assemble.ts";
export { type Part, readRecipe, type Recipe } from "./corpus/recipe.ts";
export { type WrittenText } from "./corpus/text_writer.ts";
export { Batches, type BatchOptions } from "./batches.ts";
export { checkpointFolder, hasCheckpoint } from "./checkpoint.ts";
export { codeVersion } from "./code_version.ts";
export { type TrainProgress } from "./meter.ts";
export { configOf, type Run, runSize, tokensPerStep } from "./run.ts";
export { readRecord, type RunRecord } from "./run_record.ts";
export { rateAt, type Schedule } from "./schedule.ts";
export { type SideBySideOptions, type TrainEvent, trainSideBySide } from "./side_by_side.ts";
export {
  checkpointSteps,
  keptCheckpoints,
  peakRate,
  type SeriesName,
  seriesOf,
  suite,
  suiteRun,
  suiteSeries,
} from "./suite.ts";
export { progressOf, train, type TrainOptions } from "./train.ts";
export { trainingCurve, type TrainingStretch } from "./training_curve.ts";
export { type LogRow } from "./training_log.ts";

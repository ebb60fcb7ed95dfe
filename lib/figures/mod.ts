/** Figures: rows to stand-alone SVG, in one style. */
export { awqChannels, type AwqChannelsOptions } from "./awq_channels.ts";
export { awqGptq, type AwqGptqOptions } from "./awq_gptq.ts";
export { awqSearch, type AwqSearchOptions } from "./awq_search.ts";
export { type Along, curvesLaw, withExponent } from "./curves_law.ts";
export { type ExportedFigure, exportFigures, type ExportFiguresOptions } from "./export.ts";
export {
  exponentForest,
  type ExponentForestOptions,
  type ForestEstimate,
  forestEstimates,
  suiteEstimate,
} from "./exponent_forest.ts";
export { figure1, type Figure1Options } from "./figure_1.ts";
export { figure10Real, type Figure10RealOptions } from "./figure_10_real.ts";
export { figure11Real, type Figure11RealOptions } from "./figure_11_real.ts";
export { figure13 } from "./figure_13.ts";
export { figure2 } from "./figure_2.ts";
export { figure3, type Figure3Options } from "./figure_3.ts";
export { figure4, type Figure4Options } from "./figure_4.ts";
export { figure5, type Figure5Options } from "./figure_5.ts";
export { figure6, type Figure6Options } from "./figure_6.ts";
export { figure7, type Figure7Options } from "./figure_7.ts";
export { fittingSpace, type FittingSpaceOptions } from "./fitting_space.ts";
export { formats, type FormatsOptions } from "./formats.ts";
export { fourBitFormats, type FourBitFormatsOptions, fourBitSpecs } from "./four_bit_formats.ts";
export { gptqCalibration, type GptqCalibrationOptions } from "./gptq_calibration.ts";
export { gptqGain, type GptqGainOptions } from "./gptq_gain.ts";
export { correlatedHessian, gptqSteps, type GptqStepsOptions } from "./gptq_steps.ts";
export { groupSize, type GroupSizeOptions } from "./group_size.ts";
export { type Figure, figure, type FigureParts, type PanelRow } from "./layout.ts";
export { learningRateDecay, type LearningRateDecayOptions } from "./learning_rate_decay.ts";
export { figures, findFigure } from "./registry.ts";
export { ownTable, type OwnTableOptions } from "./own_table.ts";
export { perBitExponents, type PerBitExponentsOptions } from "./per_bit_exponents.ts";
export { realContours, type RealContoursOptions } from "./real_contours.ts";
export { realPredicted, type RealPredictedOptions } from "./real_predicted.ts";
export { salientChannels, type SalientChannelsOptions } from "./salient_channels.ts";
export { countLabel, type Provenance } from "./style.ts";
export { sixteenLevels, type SixteenLevelsOptions } from "./sixteen_levels.ts";
export { table1, type Table1Options } from "./table_1.ts";
export { type Claim, suiteClaims } from "./suite/claims.ts";
export { suiteFigure2, type SuiteFigure2Options } from "./suite/figure_2.ts";
export { suiteFigure3, type SuiteFigure3Options } from "./suite/figure_3.ts";
export { suiteFigure4, type SuiteFigure4Options } from "./suite/figure_4.ts";
export { suiteFigure5, type SuiteFigure5Options } from "./suite/figure_5.ts";
export { suiteFigure6, type SuiteFigure6Options } from "./suite/figure_6.ts";
export { suiteFigure7, type SuiteFigure7Options } from "./suite/figure_7.ts";
export {
  suiteFigure8,
  type SuiteFigure8Options,
  type TextPair,
  textPairs,
} from "./suite/figure_8.ts";
export {
  type MethodLaw,
  suiteFigure9,
  type SuiteFigure9Options,
  suiteMethodLaws,
  suiteMethodRows,
} from "./suite/figure_9.ts";
export {
  predictedFromOtherSizes,
  suiteFigure10,
  type SuiteFigure10Options,
} from "./suite/figure_10.ts";
export { fourBitMethods } from "./suite/series.ts";
export { suiteFigure11, type SuiteFigure11Options } from "./suite/figure_11.ts";
export { movedQid, suiteFigure12, type SuiteFigure12Options } from "./suite/figure_12.ts";
export { type Change, type Movement, movements } from "./suite/movement.ts";
export { suiteFigure14, type SuiteFigure14Options } from "./suite/figure_14.ts";
export {
  type BitnetContrast,
  bitnetContrasts,
  type BitnetRun,
  bitnetRuns,
  lossGap,
  type LossPoint,
} from "./suite/bitnet_curves.ts";
export {
  type Growth,
  type ScheduleLaws,
  scheduleLaws,
  suiteSchedule,
  type SuiteScheduleOptions,
} from "./suite/schedule.ts";
export {
  type DepthLaw,
  depthLaws,
  type DepthLine,
  depthLines,
  type DepthRow,
  depthRows,
  suiteDepth,
  type SuiteDepthOptions,
} from "./suite/depth.ts";
export {
  type SeedExponents,
  seedExponents,
  seedRows,
  type SeedSpread,
  seedSpreads,
  suiteSeeds,
  type SuiteSeedsOptions,
  typicalSpread,
} from "./suite/seeds.ts";
export {
  rateShare,
  type ScheduleColumns,
  type ScheduleRow,
  scheduleRows,
} from "./suite/schedules.ts";
export {
  type Foretold,
  foretold,
  suitePrediction,
  type SuitePredictionOptions,
} from "./suite/prediction.ts";
export {
  type SuiteCell,
  suiteCells,
  suiteTable1,
  type SuiteTable1Options,
  suiteTargets,
} from "./suite/table_1.ts";
export { twoBitGrid, type TwoBitGridOptions } from "./two_bit_grid.ts";
export { worseThanRandom, type WorseThanRandomOptions } from "./worse_than_random.ts";
export { landscapeProfiles, type LandscapeProfilesOptions } from "./suite/landscape_profiles.ts";
export { landscapeSqnr } from "./suite/landscape_sqnr.ts";
export { landscapeGain } from "./suite/landscape_gain.ts";
export { landscapePredicted, type LandscapePredictedOptions } from "./suite/landscape_predicted.ts";
export {
  landscapeImportance,
  type LandscapeImportanceOptions,
} from "./suite/landscape_importance.ts";
export {
  landscapeDependence,
  type LandscapeDependenceOptions,
} from "./suite/landscape_dependence.ts";
export { landscapePareto, type ParetoPoint, paretoPoints } from "./suite/landscape_pareto.ts";
export { landscapeBoth, type LandscapeBothOptions } from "./suite/landscape_both.ts";
export { type LandscapeFigureOptions, type LandscapeFigureRow } from "./suite/landscape.ts";

/** All figures by name. To add one: write its file, and add it to the list below. */
import { closest } from "fastest-levenshtein";
import { awqChannels } from "./awq_channels.ts";
import { awqGptq } from "./awq_gptq.ts";
import { awqSearch } from "./awq_search.ts";
import { exponentForest } from "./exponent_forest.ts";
import { figure1 } from "./figure_1.ts";
import { figure10Real } from "./figure_10_real.ts";
import { figure11Real } from "./figure_11_real.ts";
import { figure13 } from "./figure_13.ts";
import { figure2 } from "./figure_2.ts";
import { figure3 } from "./figure_3.ts";
import { figure4 } from "./figure_4.ts";
import { figure5 } from "./figure_5.ts";
import { figure6 } from "./figure_6.ts";
import { figure7 } from "./figure_7.ts";
import { fittingSpace } from "./fitting_space.ts";
import { formats } from "./formats.ts";
import { fourBitFormats } from "./four_bit_formats.ts";
import { gptqCalibration } from "./gptq_calibration.ts";
import { gptqGain } from "./gptq_gain.ts";
import { gptqSteps } from "./gptq_steps.ts";
import { groupSize } from "./group_size.ts";
import type { Figure } from "./layout.ts";
import { learningRateDecay } from "./learning_rate_decay.ts";
import { perBitExponents } from "./per_bit_exponents.ts";
import { realContours } from "./real_contours.ts";
import { realPredicted } from "./real_predicted.ts";
import { salientChannels } from "./salient_channels.ts";
import { sixteenLevels } from "./sixteen_levels.ts";
import { suiteFigure2 } from "./suite/figure_2.ts";
import { suiteFigure3 } from "./suite/figure_3.ts";
import { suiteFigure4 } from "./suite/figure_4.ts";
import { suiteFigure5 } from "./suite/figure_5.ts";
import { suiteFigure6 } from "./suite/figure_6.ts";
import { suiteFigure7 } from "./suite/figure_7.ts";
import { suiteFigure8 } from "./suite/figure_8.ts";
import { suiteFigure9 } from "./suite/figure_9.ts";
import { suiteFigure10 } from "./suite/figure_10.ts";
import { suiteFigure11 } from "./suite/figure_11.ts";
import { suiteFigure12 } from "./suite/figure_12.ts";
import { suiteFigure14 } from "./suite/figure_14.ts";
import { landscapeBoth } from "./suite/landscape_both.ts";
import { landscapeDependence } from "./suite/landscape_dependence.ts";
import { landscapeGain } from "./suite/landscape_gain.ts";
import { landscapeImportance } from "./suite/landscape_importance.ts";
import { landscapePareto } from "./suite/landscape_pareto.ts";
import { landscapePredicted } from "./suite/landscape_predicted.ts";
import { landscapeProfiles } from "./suite/landscape_profiles.ts";
import { landscapeSqnr } from "./suite/landscape_sqnr.ts";
import { suiteDepth } from "./suite/depth.ts";
import { suitePrediction } from "./suite/prediction.ts";
import { suiteSchedule } from "./suite/schedule.ts";
import { suiteSeeds } from "./suite/seeds.ts";
import { suiteTable1 } from "./suite/table_1.ts";
import { table1 } from "./table_1.ts";
import { twoBitGrid } from "./two_bit_grid.ts";
import { worseThanRandom } from "./worse_than_random.ts";

/** The figures by name, which is their file's name in `figures/`, in reading order. */
export const figures: Readonly<Record<string, () => Figure>> = {
  "two-bit-grid": twoBitGrid,
  "figure-2": figure2,
  "figure-3": figure3,
  "figure-4": figure4,
  "figure-5": figure5,
  "figure-6": figure6,
  "figure-7": figure7,
  "fitting-space": fittingSpace,
  "learning-rate-decay": learningRateDecay,
  "per-bit-exponents": perBitExponents,
  "table-1": table1,
  "figure-1": figure1,
  "worse-than-random": worseThanRandom,
  "figure-13": figure13,
  "gptq-steps": gptqSteps,
  "gptq-gain": gptqGain,
  "gptq-calibration": gptqCalibration,
  "sixteen-levels": sixteenLevels,
  formats,
  "four-bit-formats": fourBitFormats,
  "group-size": groupSize,
  "salient-channels": salientChannels,
  "awq-search": awqSearch,
  "awq-channels": awqChannels,
  "awq-gptq": awqGptq,
  "suite-figure-2": suiteFigure2,
  "suite-figure-3": suiteFigure3,
  "suite-figure-4": suiteFigure4,
  "suite-figure-5": suiteFigure5,
  "suite-seeds": suiteSeeds,
  "suite-figure-6": suiteFigure6,
  "suite-figure-7": suiteFigure7,
  "suite-table-1": suiteTable1,
  "suite-figure-10": suiteFigure10,
  "suite-figure-11": suiteFigure11,
  "suite-prediction": suitePrediction,
  "suite-figure-8": suiteFigure8,
  "suite-figure-9": suiteFigure9,
  "suite-figure-12": suiteFigure12,
  "suite-schedule": suiteSchedule,
  "suite-depth": suiteDepth,
  "suite-figure-14": suiteFigure14,
  "real-predicted": realPredicted,
  "real-contours": realContours,
  "figure-11-real": figure11Real,
  "figure-10-real": figure10Real,
  "exponent-forest": exponentForest,
  "landscape-profiles": landscapeProfiles,
  "landscape-sqnr": landscapeSqnr,
  "landscape-gptq-gain": landscapeGain,
  "landscape-predicted": landscapePredicted,
  "landscape-importance": landscapeImportance,
  "landscape-dependence": landscapeDependence,
  "landscape-pareto": landscapePareto,
  "landscape-both-papers": landscapeBoth,
};

/** The function that draws the figure of that name; an unknown name is an error that gives the nearest. */
export function findFigure(name: string): () => Figure {
  const found = Object.hasOwn(figures, name) ? figures[name] : undefined;
  if (found !== undefined) return found;
  const names = Object.keys(figures);
  throw new RangeError(
    `Cannot find the figure "${name}": did you mean "${closest(name, names)}"? Figures: ${
      names.join(", ")
    }`,
  );
}

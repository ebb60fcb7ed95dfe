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
  "real-predicted": realPredicted,
  "real-contours": realContours,
  "figure-11-real": figure11Real,
  "figure-10-real": figure10Real,
  "exponent-forest": exponentForest,
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

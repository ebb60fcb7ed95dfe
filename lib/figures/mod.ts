/** Figures: rows to stand-alone SVG, in one style. */
export { type Along, curvesLaw, withExponent } from "./curves_law.ts";
export { type ExportedFigure, exportFigures, type ExportFiguresOptions } from "./export.ts";
export { figure1, type Figure1Options } from "./figure_1.ts";
export { figure13 } from "./figure_13.ts";
export { figure2 } from "./figure_2.ts";
export { figure3, type Figure3Options } from "./figure_3.ts";
export { figure4, type Figure4Options } from "./figure_4.ts";
export { figure5, type Figure5Options } from "./figure_5.ts";
export { figure6, type Figure6Options } from "./figure_6.ts";
export { figure7, type Figure7Options } from "./figure_7.ts";
export { fittingSpace, type FittingSpaceOptions } from "./fitting_space.ts";
export { type Figure, figure, type FigureParts, type PanelRow } from "./layout.ts";
export { learningRateDecay, type LearningRateDecayOptions } from "./learning_rate_decay.ts";
export { figures, findFigure } from "./registry.ts";
export { perBitExponents, type PerBitExponentsOptions } from "./per_bit_exponents.ts";
export { table1, type Table1Options } from "./table_1.ts";
export { twoBitGrid, type TwoBitGridOptions } from "./two_bit_grid.ts";
export { worseThanRandom, type WorseThanRandomOptions } from "./worse_than_random.ts";

/**
 * A real transformer, small enough for a notebook: its weights, and the inputs a text gives them.
 */
export { type FormatSqnr, formatSqnr, type WeightsKind } from "./format_sqnr.ts";
export { encoderInputs, type Sequence } from "./forward.ts";
export {
  type CalibratedLayer,
  calibratedLayer,
  type LayerInputs,
  type LayerSqnr,
  type OutputSqnr,
} from "./layer.ts";
export { tokenize } from "./pieces.ts";
export { type Encoder, type EncoderMatrix, loadEncoder, type MatrixKind } from "./weights.ts";

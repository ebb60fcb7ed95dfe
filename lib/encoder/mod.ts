/** A real transformer, small enough for a notebook: its weights, and the inputs a text gives them. */
export { encoderInputs, type Sequence } from "./forward.ts";
export { tokenize } from "./pieces.ts";
export { type EncoderInputs, type LicenceInputs, licenceInputs } from "./text.ts";
export { type Encoder, type EncoderMatrix, loadEncoder, type MatrixKind } from "./weights.ts";

/** Checkpoints on a disk. */
export { bitsOfDtype, type Dtype, type TensorInfo } from "./header.ts";
export { bytesOf, decodeFloats, encodeFloats, type FloatDtype, isFloat } from "./dtype.ts";
export { type Integers, SafetensorsFile } from "./safetensors.ts";
export { openWeights } from "./sharded.ts";
export { SafetensorsError } from "./strict_json.ts";
export type { Tensor, Weights } from "./weights.ts";
export { type TensorToWrite, writeSafetensors } from "./write_safetensors.ts";

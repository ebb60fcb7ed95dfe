/** Checkpoints on a disk. */
export { bitsOfDtype, type Dtype, type TensorInfo } from "./header.ts";
export { bytesOf, decodeFloats, encodeFloats, type FloatDtype, isFloat } from "./dtype.ts";
export { SafetensorsFile, type TensorToWrite, writeSafetensors } from "./safetensors.ts";

/** Quantization of weight matrices: methods, grids, packing and errors. */
export type * from "./method.ts";
export { defineMethod } from "./method.ts";
export { allowedValues, formatSpec, parseSpec, type Spec } from "./spec.ts";
export { methods } from "./registry.ts";
export { type QuantizationError, quantize, type Quantized, storedBits } from "./quantize.ts";
export {
  type FindScales,
  type Grid,
  integerGrid,
  type IntegerGridOptions,
  roundHalfEven,
  type Steps,
  type StoredScales,
} from "./grid.ts";
export { grids, type MakeGrid } from "./grids.ts";
export { roundToGrid, rtn } from "./rtn.ts";
export { awq, type AwqLayer, awqOnLinears, awqWithScales } from "./awq.ts";
export {
  type AwqLinears,
  type AwqOptions,
  type AwqScales,
  searchClip,
  searchScales,
} from "./awq_search.ts";
export {
  type AwqBlock,
  type AwqMapping,
  awqMappings,
  awqOnBlock,
  type ModuleOutput,
} from "./awq_block.ts";
export { hqq } from "./hqq.ts";
export { useKernel } from "./kernel.ts";
export { gptq, gptqOnGrid, type GptqOptions } from "./gptq.ts";
export { factorHessian, type FactorOptions, type HessianFactor } from "./factor.ts";
export { HessianAccumulator, hessianError, hessianOf } from "./hessian.ts";
export { pack, type Packed, packedBytes, unpack } from "./packing.ts";
export { addErrors, type ErrorSums, errorSums, mseOf, sqnr, sqnrOf } from "./sqnr.ts";
export {
  castElements,
  type CastOptions,
  decodeElement,
  type Element,
  elements,
  encodeElement,
  type Rounding,
} from "./elements.ts";
export {
  type BitnetActivations,
  type BitnetWeightOptions,
  type BitnetWeights,
  quantizeActivations,
  quantizeWeights,
} from "./bitnet.ts";
export { mxElements, type MxName } from "./mx.ts";

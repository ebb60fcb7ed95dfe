// What the module exports; lib/compute/module.ts declares the same to TypeScript.

export { accumulate, choleskyBlock, invertBlock, mirror } from "./cholesky";
export { decodeLevels, roundLevels } from "./codebook";
export { gemmF32, gemmF64 } from "./gemm";
export { gptqBlock, packFactor, packStrip, unpackCodes, unpackStrip } from "./gptq";
export { HEAP } from "./memory";
export { decodeUniform, ranges, roundUniform } from "./rtn";
export { addSquares, addSums } from "./sums";

// The operations of a transformer beside its matrix products; lib/compute/network_exports.ts
// declares them.
export { adamW, sumOfSquares } from "./adamw";
export { roundActivations, signWeights, ternaryWeights } from "./bitlinear";
export { geluBackward, geluForward, geluTanhForward } from "./gelu";
export { layerNormBackward, layerNormForward, rmsNormBackward, rmsNormForward } from "./layer_norm";
export { joinHeads, siluGate } from "./llama";
export { rotaryBackward, rotaryForward } from "./rotary";
export { addBiases, addColumnSums, gatherRows, scatterRows } from "./rows";
export { crossEntropy, softmaxBackward, softmaxForward } from "./softmax";

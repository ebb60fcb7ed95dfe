// What the module exports; lib/compute/module.ts declares the same to TypeScript.

export { accumulate, choleskyBlock, invertBlock, mirror } from "./cholesky";
export { roundLevels } from "./codebook";
export { gemmF32, gemmF64 } from "./gemm";
export { gptqBlock, packFactor, packStrip, unpackCodes, unpackStrip } from "./gptq";
export { HEAP } from "./memory";
export { ranges, roundUniform } from "./rtn";

/**
 * Matrix kernels: products, Hessians, factorisations, rounding and the column loop of GPTQ in
 * WebAssembly SIMD, with the system's BLAS for the products if wanted, and a pool of workers to run
 * layers side by side.
 */

export { loadKernel } from "./kernel.ts";
export { mapPool } from "./pool.ts";
export { PoolError } from "./pool_message.ts";
export type * from "./network_types.ts";
export type * from "./types.ts";

import { loadBlas } from "./blas.ts";
import { cholesky, inverseFactor, invertLower } from "./cholesky.ts";
import { gemm } from "./gemm.ts";
import { gptq } from "./gptq.ts";
import { hessian } from "./hessian.ts";
import { type Machine, startModule, wasmMultiply, wasmMultiplySingle } from "./machine.ts";
import { networkKernel } from "./network.ts";
import { decode, ranges, round } from "./round.ts";
import { squares, sums } from "./sums.ts";
import type { KernelOptions, MatrixKernel } from "./types.ts";

/**
 * Loads the kernels. A BLAS library is first checked on products of both precisions and all forms.
 *
 * Throws when a BLAS library is asked for and none is there, or none that computes right.
 *
 * ```ts
 * import { deepStrictEqual } from "node:assert/strict";
 * import { loadKernel } from "./mod.ts";
 *
 * const kernel = loadKernel();
 * const c = new Float32Array(4);
 * kernel.gemm({ a: Float32Array.of(1, 2, 3, 4), b: Float32Array.of(0, 1, 1, 0), c, m: 2, n: 2, k: 2 });
 * deepStrictEqual([...c], [2, 1, 4, 3]);
 * ```
 */
export function loadKernel(options: KernelOptions = {}): MatrixKernel {
  const { backend = "wasm", memory = 2 ** 30, library } = options;
  const { arena, wasm } = startModule(memory);
  const blas = backend === "blas" ? loadBlas(library) : undefined;
  const multiply = blas?.multiply ?? wasmMultiply(arena, wasm);
  const multiplySingle = blas?.multiplySingle ?? wasmMultiplySingle(wasm);
  const machine: Machine = { arena, wasm, multiply, multiplySingle };
  return {
    backend,
    library: blas?.library ?? "WebAssembly",
    float32: (length) => arena.float32(length),
    float64: (length) => arena.float64(length),
    uint8: (length) => arena.uint8(length),
    int32: (length) => arena.int32(length),
    scope: (body) => arena.scope(body),
    gemm: (product) => gemm(machine, product),
    hessian: (options) => hessian(machine, options),
    cholesky: (square) => cholesky(machine, square),
    invertLower: (square) => invertLower(machine, square),
    inverseFactor: (square) => inverseFactor(machine, square),
    ranges: (options) => ranges(machine, options),
    round: (options) => round(machine, options),
    decode: (options) => decode(machine, options),
    gptq: (options) => gptq(machine, options),
    sums: (values) => sums(machine, values),
    squares: (x, y) => squares(machine, x, y),
    network: networkKernel(machine),
  };
}

import { readFileSync } from "node:fs";
import { Arena } from "./memory.ts";
import type { NetworkExports } from "./network_exports.ts";
import type { Product } from "./types.ts";

/** An address in the kernel's memory, in bytes. */
type Address = number;

/** The exports of `assembly/index.ts`, which documents them. Strides and sizes count elements. */
export interface Exports extends NetworkExports {
  readonly HEAP: { readonly value: number };
  gemmF32: WasmGemm;
  gemmF64: WasmGemm;
  choleskyBlock(a: Address, lda: number, n: number): number;
  invertBlock(a: Address, lda: number, n: number, x: Address): void;
  accumulate(
    ...args: [
      h: Address,
      ldh: number,
      s: Address,
      lds: number,
      rows: number,
      columns: number,
      scale: number,
      beta: number,
    ]
  ): void;
  mirror(a: Address, n: number): void;
  ranges(values: Address, groups: number, width: number, minimum: Address, maximum: Address): void;
  roundUniform(
    ...args: [
      values: Address,
      groups: number,
      width: number,
      scales: Address,
      factors: Address,
      zeros: Address,
      maxq: number,
      codes: Address,
    ]
  ): void;
  roundLevels(
    ...args: [
      values: Address,
      groups: number,
      width: number,
      scales: Address,
      factors: Address,
      thresholds: Address,
      count: number,
      names: Address,
      codes: Address,
    ]
  ): void;
  decodeUniform(
    ...args: [
      codes: Address,
      groups: number,
      width: number,
      scales: Address,
      zeros: Address,
      unit: number,
      output: Address,
    ]
  ): void;
  decodeLevels(
    ...args: [
      codes: Address,
      groups: number,
      width: number,
      scales: Address,
      levels: Address,
      count: number,
      output: Address,
    ]
  ): void;
  addSums(x: Address, length: number, sums: Address): void;
  addSquares(x: Address, y: Address, length: number, sums: Address): void;
  packStrip(w: Address, columns: number, count: number, strip: Address): void;
  unpackStrip(
    ...args: [
      strip: Address,
      start: number,
      width: number,
      count: number,
      w: Address,
      ldw: number,
    ]
  ): void;
  unpackCodes(strip: Address, columns: number, count: number, codes: Address): void;
  packFactor(u: Address, n: number, slices: Address): void;
  gptqBlock(
    ...args: [
      strip: Address,
      rows: number,
      n: number,
      factor: Address,
      start: number,
      end: number,
      groups: Address,
      scales: Address,
      zeros: Address,
      maxq: number,
      levels: Address,
      thresholds: Address,
      count: number,
      names: Address,
      codes: Address,
      errors: Address,
    ]
  ): number;
}

type WasmGemm = (
  ...args: [
    transposeA: number,
    transposeB: number,
    m: number,
    n: number,
    k: number,
    alpha: number,
    a: Address,
    lda: number,
    b: Address,
    ldb: number,
    beta: number,
    c: Address,
    ldc: number,
  ]
) => void;

/** A matrix product with every option filled in and checked, and no size 0. */
export type FullProduct =
  | Required<Product<Float32Array>>
  | Required<Product<Float64Array>>;

/** Computes a product in place; the arrays may lie anywhere. */
export type Multiply = (product: FullProduct) => void;

/**
 * A product in f32 without any checks, for operations that have checked their arrays, which lie in
 * the memory, and call it often. The order is that of BLAS: which of A and B are transposed (T),
 * sizes, and each matrix with the length of its stored rows.
 */
export type MultiplySingle = (
  form: "NN" | "NT" | "TN",
  m: number,
  n: number,
  k: number,
  alpha: number,
  a: Float32Array,
  lda: number,
  b: Float32Array,
  ldb: number,
  beta: number,
  c: Float32Array,
  ldc: number,
) => void;

/** What every kernel works with. */
export interface Machine {
  readonly arena: Arena;
  readonly wasm: Exports;
  readonly multiply: Multiply;
  readonly multiplySingle: MultiplySingle;
}

let compiled: WebAssembly.Module | undefined;

/** A memory of `bytes` and an instance of the compiled module over it. */
export function startModule(bytes: number): { arena: Arena; wasm: Exports } {
  compiled ??= new WebAssembly.Module(readFileSync(new URL("./kernels.wasm", import.meta.url)));
  const arena = new Arena(bytes);
  const instance = new WebAssembly.Instance(compiled, { env: { memory: arena.memory } });
  const wasm = instance.exports as object as Exports;
  arena.reserve(wasm.HEAP.value);
  return { arena, wasm };
}

/** Matrix products by the WebAssembly module. */
export function wasmMultiply(arena: Arena, wasm: Exports): Multiply {
  return (product) =>
    arena.scope(() => {
      const { m, n, k, transposeA, transposeB, alpha, lda, ldb, beta, ldc } = product;
      // No more than the product reaches: the arrays may go on for long.
      const whole = product.c.subarray(0, (m - 1) * ldc + n);
      const a = arena.bring(
        product.a.subarray(0, transposeA ? (k - 1) * lda + m : (m - 1) * lda + k),
      );
      const b = arena.bring(
        product.b.subarray(0, transposeB ? (n - 1) * ldb + k : (k - 1) * ldb + n),
      );
      const c = arena.bring(whole);
      const gemm = product.c instanceof Float32Array ? wasm.gemmF32 : wasm.gemmF64;
      gemm(
        ...[Number(transposeA), Number(transposeB), m, n, k, alpha, a.byteOffset, lda] as const,
        ...[b.byteOffset, ldb, beta, c.byteOffset, ldc] as const,
      );
      if (c !== whole) whole.set(c);
    });
}

/** The same, unchecked. */
export function wasmMultiplySingle(wasm: Exports): MultiplySingle {
  // Written out, because spreading arguments would cost more than a small product.
  // deno-fmt-ignore
  return (form, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc) =>
    wasm.gemmF32(
      Number(form === "TN"), Number(form === "NT"), m, n, k,
      alpha, a.byteOffset, lda, b.byteOffset, ldb, beta, c.byteOffset, ldc,
    );
}

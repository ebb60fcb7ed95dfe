// Matrix products by the system's BLAS, through its C interface (CBLAS) with 32-bit sizes.

import type { FullProduct, Multiply, MultiplySingle } from "./machine.ts";
import { testMultiply } from "./self_test.ts";

/** CBLAS's codes. */
const [rowMajor, plain, transposed] = [101, 111, 112];

/**
 * Names under which systems install a BLAS with CBLAS in it, one-threaded builds of OpenBLAS first.
 */
const names: Record<string, readonly string[]> = {
  darwin: [
    "/System/Library/Frameworks/Accelerate.framework/Accelerate",
    "/opt/homebrew/opt/openblas/lib/libopenblas.dylib",
    "/usr/local/opt/openblas/lib/libopenblas.dylib",
  ],
  linux: ["libopenblas.so.0", "libopenblas.so", "libmkl_rt.so", "libblis.so.4", "libcblas.so.3"],
  windows: ["libopenblas.dll", "openblas.dll"],
};

const gemmParameters = (number: "f32" | "f64") =>
  [
    ...["i32", "i32", "i32", "i32", "i32", "i32"] as const,
    ...[number, "buffer", "i32", "buffer", "i32", number, "buffer", "i32"] as const,
  ] as const;

const symbols = {
  cblas_sgemm: { parameters: gemmParameters("f32"), result: "void" },
  cblas_dgemm: { parameters: gemmParameters("f64"), result: "void" },
  openblas_set_num_threads: { parameters: ["i32"], result: "void", optional: true },
} as const;

/** Values in the kernel's memory, which is never shared. */
type Memory = Float32Array<ArrayBuffer>;

/** Products by a BLAS library. */
export interface Blas {
  /** Its name. */
  readonly library: string;
  readonly multiply: Multiply;
  readonly multiplySingle: MultiplySingle;
}

/**
 * Opens a BLAS library, sets it to one thread where it has a call for that (a pool of workers is
 * what uses the other cores, and one thread gives the same bytes every time), and tests it.
 *
 * Throws with what was tried, and why each library was refused, when none serves.
 */
export function loadBlas(library?: string): Blas {
  const candidates = library === undefined ? names[Deno.build.os] ?? [] : [library];
  const refused: string[] = [];
  for (const name of candidates) {
    try {
      const blas = openBlas(name);
      testMultiply(name, blas.multiply);
      return blas;
    } catch (error) {
      refused.push(error instanceof Error ? error.message : String(error));
    }
  }
  throw new Error(
    `Cannot use a BLAS library: install OpenBLAS, name one with \`library\`, or use the backend "wasm":\n` +
      refused.map((reason) => `- ${reason}`).join("\n"),
  );
}

function openBlas(library: string): Blas {
  const { symbols: blas } = Deno.dlopen(library, symbols);
  blas.openblas_set_num_threads?.(1);
  const multiply: Multiply = (product) => {
    const { m, n, k, transposeA, transposeB, lda, ldb, ldc, alpha, beta } = product;
    const [opA, opB] = [transposeA ? transposed : plain, transposeB ? transposed : plain];
    const gemm = isSingle(product) ? blas.cblas_sgemm : blas.cblas_dgemm;
    const { a, b, c } = product as { a: BufferSource; b: BufferSource; c: BufferSource };
    gemm(rowMajor, opA, opB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
  };
  // Written out, because spreading arguments would cost more than a small product.
  // deno-fmt-ignore
  const multiplySingle: MultiplySingle =
    (form, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc) =>
      blas.cblas_sgemm(
        rowMajor, form === "TN" ? transposed : plain, form === "NT" ? transposed : plain,
        m, n, k, alpha, a as Memory, lda, b as Memory, ldb, beta, c as Memory, ldc,
      );
  return { library, multiply, multiplySingle };
}

function isSingle(product: FullProduct): boolean {
  return product.c instanceof Float32Array;
}

/** The matrix kernels that all methods compute on. */
import { loadKernel, type MatrixKernel } from "../compute/mod.ts";

let loaded: MatrixKernel | undefined;

/** The kernels: WebAssembly with 4 GiB of reserved memory, unless `useKernel` chose others. */
export function kernel(): MatrixKernel {
  // Reserved pages cost nothing until they are touched.
  return loaded ??= loadKernel({ memory: 65535 * 65536 });
}

/** Has all methods compute on these kernels from now on, for example on the system's BLAS. */
export function useKernel(kernel: MatrixKernel): void {
  loaded = kernel;
}

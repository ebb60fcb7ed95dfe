import { loadKernel } from "../../../lib/compute/mod.ts";

const kernel = loadKernel({ memory: 2 ** 24 });

/** A task for the pool's tests: rounds a layer in the worker's own kernel and returns arrays of its memory. */
export default function roundLayer({ weights }: { weights: Float32Array }) {
  return kernel.scope(() => {
    const output = kernel.float32(weights.length);
    const scale = Float32Array.of(0.25);
    kernel.round({ values: weights, width: weights.length, grid: { maxq: 7 }, scale, output });
    return { output, bytes: weights.buffer.byteLength };
  });
}

import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { compileKernels } from "../../lib/compute/build.ts";

it("kernels.wasm comes from its source, byte for byte (else run: deno task wasm)", async () => {
  const kept = readFileSync(new URL("../../lib/compute/kernels.wasm", import.meta.url));
  expect(await compileKernels()).toEqual(new Uint8Array(kept));
});

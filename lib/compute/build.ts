import asc from "assemblyscript/asc";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Pages of 64 KiB that the module asks for at least. */
export const smallestPages = 64;

const source = fileURLToPath(new URL("./assembly/", import.meta.url));

/**
 * Compiles `assembly/` to the WebAssembly module that `kernels.wasm` holds. The same source gives
 * the same bytes.
 *
 * Throws with the compiler's messages when the source has an error.
 */
export async function compileKernels(): Promise<Uint8Array> {
  let bytes: Uint8Array | undefined;
  const { error, stderr } = await asc.main(
    [
      ...["index.ts", "--outFile", "kernels.wasm", "--runtime", "stub"],
      ...["-O3", "--noAssert", "--importMemory", "--zeroFilledMemory"],
      // The smallest memory that the host may give. Below it the engine need not check constant
      // offsets, which makes products a fifth faster.
      ...["--initialMemory", String(smallestPages)],
      // Constants come after the scratch space of a fixed place in memory.ts.
      ...["--memoryBase", "4096"],
      ...["--enable", "simd", "--enable", "relaxed-simd"],
    ],
    {
      readFile: (name) => readSource(name),
      writeFile: (_name, contents) => {
        if (contents instanceof Uint8Array) bytes = contents;
      },
      listFiles: () => [],
    },
  );
  if (error || !bytes) throw new Error(`Cannot compile the kernels:\n${stderr.toString()}`);
  return bytes;
}

/** The compiler also asks for files that may not be there, such as a configuration. */
function readSource(name: string): string | null {
  try {
    return readFileSync(source + name, "utf8");
  } catch {
    return null;
  }
}

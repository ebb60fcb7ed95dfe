import { Command } from "commander";
import { writeFileSync } from "node:fs";
import { compileKernels } from "../compute/build.ts";

const target = new URL("../compute/kernels.wasm", import.meta.url);

await new Command("deno task wasm")
  .description(
    "Compile lib/compute/assembly/ (AssemblyScript) to lib/compute/kernels.wasm, which is kept in the repository.",
  )
  .addHelpText("after", "\nExample:\n  deno task wasm && deno task test test/compute")
  .action(async () => {
    const bytes = await compileKernels();
    writeFileSync(target, bytes);
    console.log(`Wrote lib/compute/kernels.wasm: ${bytes.length} bytes`);
  })
  .parseAsync();

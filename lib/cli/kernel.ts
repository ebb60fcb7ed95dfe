/** `deno task kernel`: registers the Deno kernel with Jupyter. */

import { Command } from "commander";
import { join } from "node:path";
import { runDeno } from "../notebook/mod.ts";

const OPEN = `Open the notebooks with

  jupyter lab notebooks/

or in VS Code with its Jupyter extension: choose the kernel "Deno". Both execute, show and save the
same files as "deno task notebooks".`;

if (import.meta.main) {
  await new Command("deno task kernel")
    .description("Registers the Deno kernel with Jupyter, for this user, and says where.")
    .addHelpText("after", "\nExample:\n  deno task kernel && jupyter lab notebooks/")
    .allowExcessArguments(false)
    .parseAsync();
  try {
    await register();
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    Deno.exit(1);
  }
}

async function register(): Promise<void> {
  const { ok, stdout, stderr } = await runDeno(["jupyter", "--install", "--force"]);
  const said = stdout + stderr;
  const [, folder] = said.match(/ at (.*?)\.?$/m) ?? [];
  if (!ok || folder === undefined) {
    throw new Error(`Cannot register the Deno kernel: ${said.trim()}`);
  }
  const spec = JSON.parse(await Deno.readTextFile(join(folder, "kernel.json")));
  console.log(`Registered the kernel "${spec.display_name}" in ${folder}`);
  console.log(`It runs ${spec.argv[0]}`);
  if (spec.argv[0].includes("_npx")) {
    console.log("That is a copy of npx, which npm may remove: run this again if the kernel fails");
  }
  if (!await hasJupyterLab()) {
    console.log('\nJupyterLab is not on the PATH: install it with, say, "pipx install jupyterlab"');
  }
  console.log(`\n${OPEN}`);
}

async function hasJupyterLab(): Promise<boolean> {
  try {
    const { success } = await new Deno.Command("jupyter", {
      args: ["lab", "--version"],
      stdout: "null",
      stderr: "null",
    }).output();
    return success;
  } catch {
    return false;
  }
}

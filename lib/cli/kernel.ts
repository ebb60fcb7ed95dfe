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
  const said = (stdout + stderr).trim();
  const [, folder] = said.match(/ installed successfully at (.*?)\.?$/m) ?? [];
  if (!ok || folder === undefined) throw new Error(`Cannot register the Deno kernel: ${said}`);
  const { argv, display_name } = JSON.parse(await Deno.readTextFile(join(folder, "kernel.json")));
  console.log(`Registered the kernel "${display_name}" in ${folder}`);
  console.log(`It runs ${argv[0]}`);
  if (argv[0].includes("_npx")) {
    console.log("npx may remove that copy of Deno: run this again should the kernel not start");
  }
  const found = await kernelsOfJupyter();
  if (!found) {
    console.log('\nJupyter is not on the PATH: install it with, say, "pipx install jupyterlab"');
  } else if (!Object.hasOwn(found, "deno")) {
    throw new Error(
      `Jupyter does not look there, but knows ${Object.keys(found).join(", ") || "no kernel"}: ` +
        `run "jupyter kernelspec install --user ${folder}"`,
    );
  }
  console.log(`\n${OPEN}`);
}

/** The kernels that Jupyter finds, by name; nothing if there is no Jupyter. */
async function kernelsOfJupyter(): Promise<Record<string, unknown> | undefined> {
  try {
    const command = new Deno.Command("jupyter", { args: ["kernelspec", "list", "--json"] });
    const { success, stdout } = await command.output();
    return success ? JSON.parse(new TextDecoder().decode(stdout)).kernelspecs : undefined;
  } catch {
    return undefined;
  }
}

import { dirname } from "node:path";
import { describe, expect, it } from "vitest";
import { Kernel, KernelError } from "../../lib/notebook/mod.ts";
import { KernelProcess } from "../../lib/notebook/kernel_process.ts";
import { canListProcesses, processesWith, until } from "./fixtures/processes.ts";

/** What a kernel prints while it executes `code`. */
async function printed(kernel: Kernel, code: string): Promise<string> {
  let text = "";
  await kernel.execute(code, {
    timeout: 30,
    onMessage: ({ type, content }) => {
      if (type === "stream") text += content.text;
    },
  });
  return text;
}

describe("Kernel", () => {
  it("keeps what cells define, and starts fresh each time", async () => {
    await using first = await Kernel.start();
    await using second = await Kernel.start();
    await printed(first, "const x = 1;");
    expect(await printed(first, "console.log(typeof x)")).toBe("number\n");
    expect(await printed(second, "console.log(typeof x)")).toBe("undefined\n");
  });

  it("asks for no input: there is nobody to give it", async () => {
    await using kernel = await Kernel.start();
    expect(await printed(kernel, 'console.log(prompt("name?"), confirm("sure?"))')).toBe(
      "null false\n",
    );
  });

  it("starts many at a time on ports that do not collide", async () => {
    const kernels = await Promise.all(Array.from({ length: 6 }, () => Kernel.start()));
    const texts = await Promise.all(
      kernels.map((kernel, n) => printed(kernel, `console.log(${n})`)),
    );
    expect(texts).toEqual(kernels.map((_, n) => `${n}\n`));
    await Promise.all(kernels.map((kernel) => kernel.close()));
  });

  it("says that it cannot start, and why", async () => {
    await expect(Kernel.start({ cwd: "/no/such/folder" })).rejects.toThrow(/no\/such\/folder/);
  });

  it("cannot be used after its end", async () => {
    const kernel = await Kernel.start();
    await kernel.close();
    await expect(kernel.execute("1")).rejects.toThrow(KernelError);
  });

  it.skipIf(Deno.build.os === "windows")(
    "keeps its key to this user, and removes it",
    async () => {
      const process = KernelProcess.start(undefined);
      const { file } = process;
      expect((await Deno.stat(file)).mode! & 0o777).toBe(0o600);
      expect((await Deno.stat(dirname(file))).mode! & 0o777).toBe(0o700);
      await process.kill();
      await expect(Deno.stat(dirname(file))).rejects.toThrow(Deno.errors.NotFound);
    },
  );

  it.skipIf(!canListProcesses)("takes with it what its cells have started", async () => {
    const kernel = await Kernel.start();
    const seconds = `9876.${kernel.pid}`;
    await printed(kernel, `new Deno.Command("sleep", { args: ["${seconds}"] }).spawn();`);
    await until(async () => (await processesWith(seconds)).length > 0);
    await kernel.close();
    await until(async () => (await processesWith(seconds)).length === 0);
  });
});

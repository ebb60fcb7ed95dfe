/** `deno task bench`: times our code beside named peers in the same run. */
import { Command } from "commander";
import { readdirSync } from "node:fs";
import { cpus } from "node:os";
import process from "node:process";
import type { Benchmark, BenchRow } from "./bench.ts";

if (import.meta.main) {
  const names = readdirSync(import.meta.dirname!)
    .filter((file) => file.endsWith(".bench.ts"))
    .map((file) => file.slice(0, -".bench.ts".length))
    .sort();
  const command = new Command("deno task bench")
    .description(
      "Times our code beside named peers, on the same data and with as many threads.\n" +
        "A peer that is not installed is left out. Times are medians; a ratio below 1 means that ours is faster.",
    )
    .argument("[names...]", `benchmarks to run, of: ${names.join(", ")} (default: all)`)
    .addHelpText("after", `\nExample:\n  deno task bench ${names[0] ?? ""}`)
    .parse();
  const unknown = command.args.filter((name) => !names.includes(name));
  if (unknown.length > 0) {
    console.error(`There is no benchmark ${unknown.join(", ")}: there are ${names.join(", ")}`);
    process.exit(1);
  }
  await runAll(command.args.length > 0 ? command.args : names);
}

/** Runs benchmarks one after another; one that fails does not stop the others. */
async function runAll(names: readonly string[]): Promise<void> {
  const processors = cpus();
  console.log(
    `${processors[0]?.model.trim() ?? "Unknown processor"}, ${processors.length} threads; ` +
      `Deno ${Deno.version.deno}, V8 ${Deno.version.v8}`,
  );
  for (const name of names) {
    console.log(`\n${name}`);
    try {
      const module: { default: Benchmark } = await import(`./${name}.bench.ts`);
      console.log(table(await module.default()));
    } catch (error) {
      console.error(error instanceof Error ? error.message : error);
      process.exitCode = 1;
    }
  }
}

/** Rows as aligned columns; without any peer, ours alone. */
function table(rows: readonly BenchRow[]): string {
  const peers = rows.some(({ peer }) => peer !== undefined);
  const head = ["", "ours", ...(peers ? ["peer", "", "ours / peer"] : ["", "", ""]), ""];
  const cells = rows.map(({ name, ours, peer, note = "" }) => [
    name,
    duration(ours),
    peer?.name ?? "",
    peer === undefined ? "" : duration(peer.milliseconds),
    peer === undefined ? "" : (ours / peer.milliseconds).toFixed(2),
    note,
  ]);
  const all = [head, ...cells];
  const widths = head.map((_, i) => Math.max(...all.map((row) => row[i]!.length)));
  const right = [1, 3, 4];
  return all.map((row) =>
    row.map((cell, i) => right.includes(i) ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!))
      .join("  ").trimEnd()
  ).join("\n");
}

/** A time in milliseconds, to three digits. */
function duration(milliseconds: number): string {
  const digits = milliseconds >= 100 ? 0 : milliseconds >= 10 ? 1 : milliseconds >= 1 ? 2 : 3;
  return `${milliseconds.toFixed(digits)} ms`;
}

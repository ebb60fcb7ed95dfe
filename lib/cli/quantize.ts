/** `deno task quantize`: quantizes the matrices of a safetensors file. */
import { Command } from "commander";
import { statSync } from "node:fs";
import {
  addErrors,
  allowedValues,
  formatSpec,
  type Method,
  methods,
  mseOf,
  parseSpec,
  sqnrOf,
} from "../quantize/mod.ts";
import { type LayerRow, quantizeFile, unquantized } from "./quantize_file.ts";

interface Flags {
  method?: string;
  calibration?: string;
  include?: string[];
  exclude?: string[];
  packed?: true;
  list?: true;
}

const examples = `
A method is its name, then its options: "gptq:bits=3,group=128", or a preset and options:
"gptq:paper,bits=3". --list shows them all.

Examples:
  deno task quantize model.safetensors model-4bit.safetensors --method rtn:bits=4,group=128
  deno task quantize model.safetensors out.safetensors --method gptq:paper,bits=3 \\
    --calibration hessians.safetensors`;

if (import.meta.main) {
  await new Command("deno task quantize")
    .description("Quantizes the matrices of a safetensors file and copies its other tensors.")
    .argument("[input]", "the safetensors file to read")
    .argument("[output]", "the safetensors file to write")
    .option("--method <spec>", "what to do, such as gptq:bits=4")
    .option("--calibration <file>", "safetensors file with LAYER.hessian or LAYER.input")
    .option(
      "--include <glob>",
      `tensors to quantize, repeatable (default: all matrices but ${unquantized.join(" ")})`,
      append,
    )
    .option("--exclude <glob>", "tensors to leave as they are, repeatable", append)
    .option("--packed", "write packed codes, scales and zero points instead of weights")
    .option("--list", "list the methods with their options")
    .addHelpText("after", examples)
    .allowExcessArguments(false)
    .action((input: string | undefined, output: string | undefined, flags: Flags) => {
      try {
        run(input, output, flags);
      } catch (error) {
        console.error(`error: ${error instanceof Error ? error.message : String(error)}`);
        Deno.exit(1);
      }
    })
    .parseAsync();
}

function append(glob: string, globs: string[] = []): string[] {
  return [...globs, glob];
}

function run(input: string | undefined, output: string | undefined, flags: Flags): void {
  if (flags.list) return console.log(Object.values(methods).map(describe).join("\n\n"));
  const { method, list: _, ...options } = flags;
  if (input === undefined || output === undefined || method === undefined) {
    throw new Error("Give INPUT, OUTPUT and --method, or --list (see --help)");
  }
  const rows = quantizeFile(input, output, {
    ...options,
    method,
    progress: ({ name, shape, index, count }) =>
      console.error(`[${index}/${count}] ${name} [${shape.join(", ")}]`),
  });
  console.log(`${formatSpec(parseSpec(method, methods))}\n\n${reportTable(rows)}\n`);
  console.log(`${output}: ${statSync(output).size} bytes, from ${statSync(input).size} bytes`);
}

/** A method as --list shows it. */
export function describe({ name, title, source, needs, options, presets }: Method): string {
  const lines = [`${name}  ${title} (${source})`];
  if (needs !== "nothing") lines.push(`    needs ${needs === "hessian" ? "Hessians" : needs}`);
  for (const [key, option] of Object.entries(options)) {
    lines.push(`    ${key}=${option.default}  ${option.meaning}: ${allowedValues(option)}`);
  }
  for (const [preset, values] of Object.entries(presets)) {
    const text = Object.entries(values).map(([key, value]) => `${key}=${value}`).join(",");
    lines.push(`    preset ${preset}  ${text}`);
  }
  return lines.join("\n");
}

/** One line a layer and one of all together. */
export function reportTable(rows: readonly LayerRow[]): string {
  const weights = rows.reduce((sum, { error }) => sum + error.count, 0);
  const bits = rows.reduce((sum, row) => sum + row.bitsPerWeight * row.error.count, 0);
  const total = { error: addErrors(rows.map(({ error }) => error)), bitsPerWeight: bits / weights };
  const cells = [
    ["tensor", "shape", "bits/weight", "SQNR (dB)", "MSE"],
    ...rows.map((row) => [row.name, row.shape.join(" x "), ...numbers(row)]),
    [`all ${rows.length}`, `${weights} weights`, ...numbers(total)],
  ];
  const widths = cells[0]!.map((_, i) => Math.max(...cells.map((row) => row[i]!.length)));
  const pad = (text: string, i: number) =>
    i < 2 ? text.padEnd(widths[i]!) : text.padStart(widths[i]!);
  return cells.map((row) => row.map(pad).join("  ").trimEnd()).join("\n");
}

function numbers({ bitsPerWeight, error }: Pick<LayerRow, "bitsPerWeight" | "error">): string[] {
  const sqnr = sqnrOf(error);
  return [
    bitsPerWeight.toFixed(3),
    Number.isFinite(sqnr) ? sqnr.toFixed(2) : "no error",
    mseOf(error).toExponential(3),
  ];
}

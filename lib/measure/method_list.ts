/** Lists of methods as they are given on a command line. */
import { formatSpec } from "../quantize/mod.ts";
import { checkMethod } from "./quantize_model.ts";

/**
 * Reads method specs of which an option may have several values, "gptq:paper,bits=2,3,4" or "gptq:paper:bits=2,3,4", into
 * one canonical spec for each combination, each once. Throws when a method or option is unknown, as `parseSpec` does.
 *
 * ```ts
 * import { deepStrictEqual } from "node:assert/strict";
 * import { readMethods } from "./mod.ts";
 *
 * deepStrictEqual(readMethods(["rtn:group=32,bits=2,3", "nf4"]), [
 *   "rtn:bits=2,group=32",
 *   "rtn:bits=3,group=32",
 *   "nf4",
 * ]);
 * ```
 */
export function readMethods(specs: readonly string[]): string[] {
  return [...new Set(specs.flatMap(combinations).map((spec) => formatSpec(checkMethod(spec))))];
}

function combinations(spec: string): string[] {
  const [name = "", ...rest] = spec.trim().split(":");
  const words = rest.join(",").split(",").map((word) => word.trim());
  if (rest.length === 0) return [name];
  // A word right after a `key=value` that is neither a pair nor the first word is another value of that key.
  const choices: string[][] = [];
  for (const word of words) {
    const last = choices.at(-1);
    const key = last?.[0]?.split("=")[0];
    if (!word.includes("=") && last?.[0]?.includes("=")) last.push(`${key}=${word}`);
    else choices.push([word]);
  }
  const all = choices.reduce<string[][]>(
    (lists, values) => lists.flatMap((list) => values.map((value) => [...list, value])),
    [[]],
  );
  return all.map((options) => `${name}:${options.join(",")}`);
}

/**
 * What every checkpoint of the miniature suite is measured with, the most telling first. Groups have 32 weights, so that
 * every width has whole groups; `paper` is the preset of arXiv 2411.17691.
 */
export const suiteMethods: readonly string[] = readMethods([
  "gptq:paper,group=32,bits=2,3,4,8",
  "rtn:paper,group=32,bits=2,3,4,8",
  "nf4",
  "fp4",
  "int8",
  "mxint2",
  "mxint3",
  "mxint4",
  "mxint6",
  "mxint8",
  "mxfp4",
  "hqq:group=32,bits=2,3,4",
  "awq:group=32,bits=2,3,4",
]);

/** The formats of the second paper's grid, what describes each, and what rounding to it does to weights. */
import type { LanguageModel } from "../model/mod.ts";
import {
  addErrors,
  errorSums,
  formatSpec,
  mxElements,
  type MxName,
  parseSpec,
  quantize,
  type Spec,
  sqnrOf,
} from "../quantize/mod.ts";
import { methods } from "../quantize/mod.ts";
import { quantizedSlots } from "./landscape_model.ts";
import { readMethods } from "./method_list.ts";

/** Every format as rounding to nearest: MX integers and floats, integers in groups with a 16-bit scale, NF4. */
export const landscapeFormats: readonly string[] = readMethods([
  "mxint2:block=32,128",
  "mxint3:block=32,128",
  "mxint4:block=32,128",
  "mxint6:block=32,128",
  "mxfp4:block=16,32",
  "mxfp6_e2m3",
  "mxfp6_e3m2",
  "mxfp8_e4m3",
  "mxfp8_e5m2",
  "rtn:paper,group=16,32,bits=2,3,4",
  "nf4:block=32",
]);

/** Each format by rounding to nearest and by GPTQ: the methods of the grid. */
export const landscapeMethods: readonly string[] = [
  ...landscapeFormats,
  ...landscapeFormats.map(asGptq),
];

/** GPTQ on the grid of a format, with the damping of paper A's preset. */
export function asGptq(format: string): string {
  const { method, options } = parseSpec(format, methods);
  const spec = method.name === "rtn"
    ? `gptq:bits=${options.bits},group=${options.group},symmetric=${options.symmetric},damping=0.1`
    : `gptq:grid=${method.name},group=${options.block},damping=0.1`;
  return formatSpec(parseSpec(spec, methods));
}

/** What describes a number format. */
export interface FormatDescription {
  /** The format as rounding to nearest, the same for RTN and GPTQ. */
  readonly format: string;
  /** For people: "MXINT3, blocks of 128". */
  readonly title: string;
  /** Bits of an element. */
  readonly elementBits: number;
  /** Of these, bits of the exponent. */
  readonly exponentBits: number;
  /** Weights that share a scale. */
  readonly block: number;
  /** Whether the scale is a power of two (MX). */
  readonly powerOfTwo: boolean;
}

/** Describes the format of a method's spec, be it by rounding to nearest or by GPTQ. Throws on other methods. */
export function describeFormat(method: string): FormatDescription {
  const spec = parseSpec(method, methods);
  const { name, block, bits } = formatOf(spec);
  if (name === "int") {
    const format = formatSpec(
      parseSpec(`rtn:bits=${bits},group=${block},symmetric=${spec.options.symmetric}`, methods),
    );
    const title = `INT${bits}, groups of ${block}`;
    return { format, title, elementBits: bits, exponentBits: 0, block, powerOfTwo: false };
  }
  const format = formatSpec(parseSpec(`${name}:block=${block}`, methods));
  const title = `${name.toUpperCase().replace("_", " ")}, blocks of ${block}`;
  if (!Object.hasOwn(mxElements, name)) {
    return { format, title, elementBits: 4, exponentBits: 0, block, powerOfTwo: false };
  }
  const element = mxElements[name as MxName];
  const exponentBits = element.kind === "float" ? element.bits - 1 - element.mantissaBits : 0;
  return { format, title, elementBits: element.bits, exponentBits, block, powerOfTwo: true };
}

function formatOf({ method, options }: Spec): { name: string; block: number; bits: number } {
  const bits = Number(options.bits);
  const known = method.name === "rtn" || method.name === "gptq" || method.name === "nf4" ||
    Object.hasOwn(mxElements, method.name);
  const block = Number(options.group ?? options.block);
  if (!known || !Number.isInteger(block)) {
    throw new Error(
      `Cannot describe the format of ${method.name}: needs rtn or gptq with a group, nf4 or an MX format`,
    );
  }
  const name = method.name === "gptq"
    ? String(options.grid)
    : method.name === "rtn"
    ? "int"
    : method.name;
  return { name, block, bits };
}

/** The SQNR of rounding one layer, or the whole model, to a format. It is exact: nothing is sampled. */
export interface FormatSqnr {
  readonly format: string;
  /** A linear map, or "model". */
  readonly layer: string;
  /** dB. */
  readonly sqnr: number;
  readonly weights: number;
  /** Sum of squared weights. */
  readonly energy: number;
}

/** The SQNR of each format by rounding to nearest, of each linear map of the blocks and of all together. */
export async function formatSqnrs(
  { config, source }: LanguageModel,
  formats: readonly string[] = landscapeFormats,
): Promise<FormatSqnr[]> {
  const layers = await Promise.all(
    quantizedSlots(config).map(async ({ name, shape }) => {
      const { data } = await source.tensor(name);
      return { name, weights: { rows: shape[0]!, columns: shape[1]!, data } };
    }),
  );
  return formats.flatMap((format) => {
    const errors = layers.map(({ weights }) =>
      errorSums(weights.data, quantize(weights, format).weights)
    );
    const row = (layer: string, error: typeof errors[0]): FormatSqnr => ({
      ...{ format, layer, sqnr: sqnrOf(error), weights: error.count, energy: error.signal },
    });
    return [
      row("model", addErrors(errors)),
      ...layers.map(({ name }, i) => row(name, errors[i]!)),
    ];
  });
}

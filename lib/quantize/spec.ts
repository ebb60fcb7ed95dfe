/** Method specs: "gptq:bits=3,group=128" to a method and its options, and back. */
import { closest } from "fastest-levenshtein";
import type { Method, Option, OptionValue } from "./method.ts";

/** A method and the value of each of its options. */
export interface Spec {
  readonly method: Method;
  readonly options: Readonly<Record<string, OptionValue>>;
}

/**
 * Reads a spec: the method's name, then after a colon its options as `name=value`, separated by
 * commas. A word without `=` names a preset, and must come first. Options left out take the
 * preset's value, or else their default.
 *
 * Throws when the method, the preset or an option is unknown (naming the nearest known one), is
 * given twice, or has a value that is not allowed.
 *
 * ```ts
 * import { deepStrictEqual, strictEqual } from "node:assert/strict";
 * import { formatSpec, methods, parseSpec } from "./mod.ts";
 *
 * const spec = parseSpec("rtn:group=64,bits=3", methods);
 * strictEqual(spec.options.bits, 3);
 * strictEqual(formatSpec(spec), "rtn:bits=3,group=64");
 * deepStrictEqual(parseSpec(formatSpec(spec), methods), spec);
 * ```
 */
export function parseSpec(text: string, methods: Readonly<Record<string, Method>>): Spec {
  const [name = "", ...rest] = text.trim().split(":");
  const method = lookUp(name, methods, "quantization method");
  const options: Record<string, OptionValue> = {};
  for (const [key, option] of Object.entries(method.options)) options[key] = option.default;
  const given = new Set<string>();
  const items = rest.length === 0 ? [] : rest.join(":").split(",");
  for (const [index, raw] of items.entries()) {
    const item = raw.trim();
    const equals = item.indexOf("=");
    if (equals < 0) {
      if (item === "") throw new Error(`Cannot read "${text}": an option is empty`);
      const preset = lookUp(item, method.presets, `preset of ${name}`);
      if (index > 0) throw new Error(`Cannot read "${text}": put the preset "${item}" first`);
      Object.assign(options, preset);
      continue;
    }
    const key = item.slice(0, equals).trim();
    const option = lookUp(key, method.options, `option of ${name}`);
    if (given.has(key)) throw new Error(`Cannot read "${text}": "${key}" is given twice`);
    given.add(key);
    options[key] = readValue(item.slice(equals + 1).trim(), option, `${name}: ${key}`);
  }
  return { method, options };
}

/**
 * Writes a spec in its canonical form: the options that differ from their defaults, in the order
 * of the method's schema. `parseSpec` reads it back to the same options.
 */
export function formatSpec(spec: Spec): string {
  const changed = Object.entries(spec.method.options)
    .filter(([key, option]) => spec.options[key] !== option.default)
    .map(([key]) => `${key}=${spec.options[key]}`);
  return changed.length === 0 ? spec.method.name : `${spec.method.name}:${changed.join(",")}`;
}

/** What an option allows, for a person: "a whole number from 1 to 8, or 16". */
export function allowedValues(option: Option): string {
  switch (option.kind) {
    case "flag":
      return "true or false";
    case "choice":
      return listOr(option.allowed);
    case "number":
      return `a number from ${option.minimum} to ${option.maximum}`;
    case "integer": {
      const range = option.maximum === Number.MAX_SAFE_INTEGER
        ? `a whole number of at least ${option.minimum}`
        : `a whole number from ${option.minimum} to ${option.maximum}`;
      return listOr([range, ...(option.also ?? []).map(String), ...(option.words ?? [])]);
    }
  }
}

function readValue(text: string, option: Option, where: string): OptionValue {
  const bad = () =>
    new Error(`Bad value for ${where}: needs ${allowedValues(option)}: got ${text || "nothing"}`);
  switch (option.kind) {
    case "flag":
      if (text !== "true" && text !== "false") throw bad();
      return text === "true";
    case "choice":
      if (!option.allowed.includes(text)) throw bad();
      return text;
    case "number":
    case "integer": {
      if (option.kind === "integer" && option.words?.includes(text)) return text;
      const value = text === "" ? NaN : Number(text);
      const whole = option.kind === "number" || Number.isInteger(value);
      const inRange = value >= option.minimum && value <= option.maximum;
      const also = option.kind === "integer" && (option.also ?? []).includes(value);
      if (!whole || !(inRange || also)) throw bad();
      return value;
    }
  }
}

function lookUp<T>(name: string, known: Readonly<Record<string, T>>, what: string): T {
  const found = Object.hasOwn(known, name) ? known[name] : undefined;
  if (found !== undefined) return found;
  const names = Object.keys(known);
  const hint = names.length === 0
    ? "there are none"
    : `did you mean "${closest(name, names)}"? Known: ${names.join(", ")}`;
  throw new Error(`Unknown ${what} "${name}": ${hint}`);
}

function listOr(words: readonly string[]): string {
  return words.length < 2
    ? words.join("")
    : `${words.slice(0, -1).join(", ")} or ${words[words.length - 1]}`;
}

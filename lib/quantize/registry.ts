/** Every quantization method by name. A new method is one file and one entry here. */
import { awq } from "./awq.ts";
import { gptq } from "./gptq.ts";
import { hqq } from "./hqq.ts";
import type { Method } from "./method.ts";
import { rtn } from "./rtn.ts";

export const methods: Readonly<Record<string, Method>> = byName([
  rtn,
  gptq,
  awq,
  hqq,
]);

function byName(list: readonly Method[]): Record<string, Method> {
  return Object.fromEntries(list.map((method) => [method.name, method]));
}

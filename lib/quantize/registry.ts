/** Every quantization method by name. A new method is one file and one entry here. */
import { awq } from "./awq.ts";
import { bitnet } from "./bitnet.ts";
import { fp4 } from "./fp4.ts";
import { gptq } from "./gptq.ts";
import { hqq } from "./hqq.ts";
import { int8 } from "./int8.ts";
import type { Method } from "./method.ts";
import { mxMethods } from "./mx.ts";
import { nf4 } from "./nf4.ts";
import { rtn } from "./rtn.ts";

export const methods: Readonly<Record<string, Method>> = byName([
  rtn,
  gptq,
  awq,
  hqq,
  nf4,
  fp4,
  int8,
  bitnet,
  ...mxMethods,
]);

function byName(list: readonly Method[]): Record<string, Method> {
  return Object.fromEntries(list.map((method) => [method.name, method]));
}

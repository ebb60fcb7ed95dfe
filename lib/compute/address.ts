import type { Arena, NumericArray } from "./memory.ts";

/**
 * Gives the addresses of the arrays of some options, by name, once each is found to lie in the
 * kernel's memory and to hold as many values as needed. An array that is left out has the address
 * 0.
 */
export function addresses<Options extends object>(arena: Arena, options: Options) {
  return (name: keyof Options & string, needed: number): number => {
    const array = options[name] as NumericArray | undefined;
    if (array === undefined) return 0;
    if (!arena.holds(array)) {
      throw new TypeError(
        `Cannot use ${name}: it must lie in the kernel's memory: make it with kernel.float32`,
      );
    }
    if (array.length < needed) {
      throw new RangeError(`Cannot use ${name}: it needs ${needed} values: got ${array.length}`);
    }
    return array.byteOffset;
  };
}

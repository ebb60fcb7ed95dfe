import { InvalidArgumentError } from "commander";

/** Reads bit widths with commas between. */
export function bitList(text: string): number[] {
  const bits = text.split(",").map(Number);
  if (bits.every((value) => value > 0 && Number.isFinite(value))) return bits;
  throw new InvalidArgumentError("needs numbers above 0, such as 2,3,4");
}

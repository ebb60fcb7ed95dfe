/** All laws by name. To add one: write its file, and add it to the list below. */
import { closest } from "fastest-levenshtein";
import { bits } from "./bits.ts";
import { chinchilla } from "./chinchilla.ts";
import { type Described, describeLaw, display } from "./display.ts";
import { type Law, LawError } from "./law.ts";
import { loss16 } from "./loss16.ts";
import { perBitWidthLaw } from "./per_bit_width.ts";
import { precision } from "./precision.ts";
import { size } from "./size.ts";
import { sizeToken } from "./size_token.ts";
import { token } from "./token.ts";
import { unified } from "./unified.ts";

const all: readonly Law[] = [
  token,
  size,
  bits,
  sizeToken,
  unified,
  perBitWidthLaw,
  precision,
  loss16,
  chinchilla,
];

/** The laws by name, in reading order. */
export const laws: Readonly<Record<string, Law & Described>> = Object.fromEntries(
  all.map((law) => [law.name, display(law, describeLaw)]),
);

/** The law of that name, or the law itself; an unknown name is an error that gives the nearest. */
export function findLaw(law: Law | string): Law {
  if (typeof law !== "string") return law;
  const found = Object.hasOwn(laws, law) ? laws[law] : undefined;
  if (found !== undefined) return found;
  const names = Object.keys(laws);
  throw new LawError(
    `Cannot find the law "${law}": did you mean "${closest(law, names)}"? Laws: ${
      names.join(", ")
    }`,
  );
}

/** What a corpus is made of: packages by name and version, and how text is taken out of each. */
import { readFileSync } from "node:fs";
import { type FormatName, formats } from "./formats.ts";

/** One package, and the files of it that hold text. */
export interface Part {
  readonly name: string;
  readonly version: string;
  readonly from: "debian" | "npm";
  readonly format: FormatName;
  /** Glob patterns of the files, from the package's root. */
  readonly files: readonly string[];
  /** Glob patterns of files that are left out. */
  readonly except?: readonly string[];
  readonly licence: string;
}

/** A corpus: the text to train on, and the text of another domain to test on. */
export interface Recipe {
  /** Raised when the code takes other text out of the same packages. */
  readonly extraction: number;
  /** Bytes of the chunks of which some are held out. */
  readonly chunkBytes: number;
  /** Share of the chunks that make the test text of the same domain. */
  readonly heldOut: number;
  readonly train: readonly Part[];
  readonly outOfDomain: readonly Part[];
}

/** Reads and checks a recipe; errors name the entry. */
export function readRecipe(path: string | URL): Recipe {
  const recipe = JSON.parse(readFileSync(path, "utf8")) as Recipe;
  const fail = (where: string, needs: string, got: unknown) => {
    throw new Error(`Bad recipe ${path}: ${where}: needs ${needs}: got ${JSON.stringify(got)}`);
  };
  const { extraction, chunkBytes, heldOut } = recipe;
  if (!Number.isInteger(extraction)) fail("extraction", "a whole number", extraction);
  if (!(Number.isInteger(chunkBytes) && chunkBytes > 0)) fail("chunkBytes", "bytes", chunkBytes);
  if (!(heldOut >= 0 && heldOut < 1)) fail("heldOut", "a share from 0 to below 1", heldOut);
  const names = new Set<string>();
  for (const list of ["train", "outOfDomain"] as const) {
    if (!Array.isArray(recipe[list])) fail(list, "a list of packages", recipe[list]);
    for (const { name, version, from, format, files } of recipe[list]) {
      const where = `${list}, ${name}`;
      if (!/^[a-z0-9][a-z0-9.+-]*$/.test(name)) fail(list, "a package's name", name);
      if (names.has(name)) fail(where, "each package once", name);
      names.add(name);
      if (typeof version !== "string" || version === "") fail(where, "a version", version);
      if (from !== "debian" && from !== "npm") fail(where, "from debian or npm", from);
      if (!Object.hasOwn(formats, format)) fail(where, Object.keys(formats).join(", "), format);
      if (!Array.isArray(files) || files.length === 0) fail(where, "patterns of files", files);
    }
  }
  return recipe;
}

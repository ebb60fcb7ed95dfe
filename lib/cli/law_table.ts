/** A table of one's own as the rows that a law is fitted to. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { basename, extname } from "node:path";
import pl from "nodejs-polars";
import type { Provenance } from "../figures/mod.ts";
import {
  type Bootstrap,
  bootstrap,
  findLaw,
  holdParameters,
  type Law,
  published,
  type Variable,
} from "../laws/mod.ts";

/** Which rows of a table are used, and how the law is fitted. */
export interface TableOptions {
  readonly law: string;
  /** A method by its name, "gptq", or its spec without the bits, "gptq:group=32". */
  readonly method?: string;
  readonly test?: string;
  readonly bits?: readonly number[];
  readonly space?: "raw" | "log";
  readonly by?: "row" | "model";
  readonly resamples?: number;
}

/** The rows of a table that a law is fitted to. */
export interface LawTable {
  readonly name: string;
  readonly sha256: string;
  readonly law: Law;
  readonly frame: pl.DataFrame;
  readonly by: "row" | { readonly cluster: string };
  /** That of all rows; measured where the table does not say. */
  readonly provenance: Provenance;
  /** What was chosen, left out or held, for the reader. */
  readonly notes: readonly string[];
}

type TableRow = Readonly<Record<string, number | string | null>>;

const parameterOf: Record<Variable, RegExp> = {
  size: /^sizeExponent$/,
  tokens: /^tokenExponent$/,
  bits: /^bitExponent$/,
};

/**
 * Reads a table (Parquet or CSV) with the columns that the law needs, size, tokens, bits and qid or loss16, and where it
 * has them method, method_name, test_set, error and model, by which rows are chosen. Throws with the choices when it is not
 * clear which rows are meant.
 */
export function readLawTable(path: string, options: TableOptions): LawTable {
  const found = findLaw(options.law);
  const table = readTable(path);
  const notes: string[] = [];
  const needed = [...found.variables, found.response];
  const missing = needed.filter((name) => !table.columns.includes(name));
  if (missing.length > 0) {
    throw new Error(
      `Cannot fit the ${found.name} law to ${path}: it needs the columns ${needed.join(", ")}: ` +
        `got ${table.columns.join(", ")}`,
    );
  }
  let rows = (table.toRecords() as TableRow[]).map((row) => ({
    ...row,
    ...Object.fromEntries(needed.map((name) => [name, toNumber(row[name])])),
  })) as TableRow[];
  const keep = (test: (row: TableRow) => boolean, what: (left: number) => string) => {
    const kept = rows.filter(test);
    if (kept.length < rows.length) notes.push(what(rows.length - kept.length));
    rows = kept;
  };
  const positive = (name: string) => (row: TableRow) => Number(row[name]) > 0;
  const isWhole = (row: TableRow) =>
    row[found.response] !== null && found.variables.every((name) => positive(name)(row));
  if (found.response === "qid") rows = choose(rows, options, { columns: table.columns, notes });
  else rows = onePerCheckpoint(rows, options, { columns: table.columns, notes });
  keep(
    isWhole,
    (left) => `${rowsOf(left)} left out: no ${found.response}, size, tokens or bits above 0`,
  );
  if (found.variables.includes("bits")) {
    const wanted = options.bits ?? [2, 3, 4];
    keep(
      ({ bits }) => wanted.includes(Number(bits)),
      (left) => `${rowsOf(left)} left out: other bits than ${wanted.join(", ")} (--bits)`,
    );
  }
  const held = heldOf(found, rows, notes);
  const law = Object.keys(held).length > 0 ? holdParameters(found, held) : found;
  const models = new Set(rows.map(({ model }) => model ?? null));
  const clusters = models.has(null) ? 0 : models.size;
  const byModel = (options.by ?? (clusters >= 4 ? "model" : "row")) === "model";
  notes.push(
    byModel
      ? `intervals: whole models are drawn again (${clusters} of them)`
      : "intervals: single rows are drawn again; rows of one model are not independent, so they are too narrow",
  );
  const columns = [...new Set([...needed, ...(clusters > 0 ? ["model"] : [])])];
  const frame = pl.DataFrame(
    columns.map((name) =>
      pl.Series(name, rows.map((row) => row[name]), name === "model" ? pl.Utf8 : pl.Float64)
    ),
  );
  return {
    name: basename(path, extname(path)),
    sha256: createHash("sha256").update(readFileSync(path)).digest("hex"),
    ...{ law, frame, notes, provenance: provenanceOf(rows) },
    by: byModel ? { cluster: "model" } : "row",
  };
}

/** Fits the law of a table, with intervals. */
export function fitTable({ law, frame, by }: LawTable, options: TableOptions): Bootstrap {
  const { space, resamples = 1000 } = options;
  return bootstrap(law, frame, { by, resamples, ...(space && { space }) });
}

/** The smallest and largest value of each variable of a table's law. */
export function rangesOf(
  { law, frame }: Pick<LawTable, "law" | "frame">,
): Partial<Record<Variable, readonly [number, number]>> {
  return Object.fromEntries(law.variables.map((name) => {
    const values = [...frame.getColumn(name).toArray()] as number[];
    return [name, [Math.min(...values), Math.max(...values)] as const];
  }));
}

function rowsOf(count: number): string {
  return `${count} ${count === 1 ? "row" : "rows"}`;
}

function provenanceOf(rows: readonly TableRow[]): Provenance {
  const named = new Set(rows.map(({ provenance }) => provenance ?? "measured"));
  const [first] = named;
  const known = ["published", "digitised", "measured", "predicted"] as const;
  const found = known.find((name) => name === first);
  if (named.size === 1 && found) return found;
  throw new Error(
    `Cannot fit rows of different provenance: needs one of ${known.join(", ")}: got ${
      [...named].join(", ")
    }`,
  );
}

function readTable(path: string): pl.DataFrame {
  if (!existsSync(path)) throw new Error(`No table ${path}`);
  const kind = extname(path).toLowerCase();
  if (kind === ".parquet") return pl.readParquet(path);
  if (kind === ".csv") return pl.readCSV(path, { inferSchemaLength: 0 });
  throw new Error(`Cannot read ${path}: needs a .parquet or a .csv file`);
}

/** A number of a Parquet column, or of a CSV, whose cells are read as text. */
function toNumber(value: unknown): number | null {
  const number = typeof value === "string" && value.trim() === "" ? NaN : Number(value ?? NaN);
  return Number.isFinite(number) ? number : null;
}

interface Choice {
  readonly columns: readonly string[];
  readonly notes: string[];
}

/** The rows of one method on one text. */
function choose(rows: TableRow[], options: TableOptions, { columns, notes }: Choice): TableRow[] {
  let chosen = rows;
  if (columns.includes("method")) {
    const familyOf = ({ method }: TableRow) => withoutBits(String(method));
    const names = [...new Set(chosen.map(familyOf))].sort();
    const nameOf = (family: string) => family.split(":")[0]!;
    const wanted = options.method ??
      (names.some((name) => nameOf(name) === "gptq") ? "gptq" : undefined);
    const matching = names.filter((name) =>
      wanted === undefined || name === withoutBits(wanted) || nameOf(name) === wanted
    );
    if (matching.length !== 1) {
      const what = matching.length === 0 ? `no rows of ${wanted}` : `several methods`;
      throw new Error(
        `Cannot tell which rows to fit: ${what}: give --method with one of ${names.join(", ")}`,
      );
    }
    chosen = chosen.filter((row) => familyOf(row) === matching[0]);
    notes.push(`method: ${matching[0]}${others(names, matching[0]!)}`);
  }
  return ofOneText(chosen, options, { columns, notes });
}

/** The rows of one text, once for each checkpoint: the 16-bit loss is the same for all methods. */
function onePerCheckpoint(rows: TableRow[], options: TableOptions, choice: Choice): TableRow[] {
  const seen = new Set<string>();
  return ofOneText(rows, options, choice).filter(({ model, revision, size, tokens }) => {
    const key = JSON.stringify([model, revision, size, tokens]);
    return !seen.has(key) && seen.add(key);
  });
}

function ofOneText(
  rows: TableRow[],
  options: TableOptions,
  { columns, notes }: Choice,
): TableRow[] {
  if (!columns.includes("test_set")) return rows;
  const names = [...new Set(rows.map(({ test_set }) => String(test_set)))].sort();
  const wanted = options.test ?? names[0]!;
  if (!names.includes(wanted)) {
    throw new Error(`No rows of the text ${wanted}: give --test with one of ${names.join(", ")}`);
  }
  notes.push(`text: ${wanted}${others(names, wanted)}`);
  return rows.filter(({ test_set }) => test_set === wanted);
}

function others(names: readonly string[], chosen: string): string {
  const rest = names.filter((name) => name !== chosen);
  return rest.length === 0 ? "" : ` (there are also ${rest.join(", ")})`;
}

/** A spec without its bits: "gptq:bits=3,group=32" and "gptq:group=32" are one method. */
function withoutBits(spec: string): string {
  const [name = "", ...rest] = spec.split(":");
  const options = rest.join(",").split(",").filter((word) => word && !word.startsWith("bits="));
  return options.length === 0 ? name : `${name}:${options.join(",")}`;
}

/** Exponents of variables of which the table holds one value, at their published values. */
function heldOf(law: Law, rows: readonly TableRow[], notes: string[]): Record<string, number> {
  const held: Record<string, number> = {};
  for (const variable of law.variables) {
    const values = new Set(rows.map((row) => row[variable]));
    const parameter = law.parameters.find(({ name }) => parameterOf[variable].test(name))?.name;
    const known: Record<string, number> = published.unified;
    if (law.response !== "qid" || values.size !== 1 || parameter === undefined) continue;
    held[parameter] = known[parameter]!;
    notes.push(
      `${parameter} is held at the published ${known[parameter]}: the rows hold one ${variable}, ${
        [...values][0]
      }`,
    );
  }
  return held;
}

/** A Polars frame read as the columns of a law, with every fault of the input said. */
import { closest } from "fastest-levenshtein";
import type pl from "nodejs-polars";
import {
  type Columns,
  columnsFrom,
  gather,
  type Law,
  LawError,
  type Response,
  selectRows,
  type Variable,
} from "./law.ts";

/** What a column of a frame may stand for. */
export type ColumnRole = Variable | Response;

/** The frame's names for the columns of a law, where they differ: `{ tokens: "D", qid: "delta" }`. */
export type ColumnNames = Partial<Record<ColumnRole, string>>;

/** The rows of a frame as a law reads them. */
export interface Observations {
  readonly columns: Columns;
  /** The observed response of each row, in nats per token. */
  readonly observed: Float64Array;
}

const roles: readonly ColumnRole[] = ["size", "tokens", "bits", "qid", "loss16"];

/**
 * Reads what `law` needs from `frame`, in the frame's order of rows.
 *
 * Errors: a column that is missing or not of numbers; a value that is null, NaN or infinite; a
 * size, tokens or bits that is not positive. Rows are counted from 0.
 *
 * @param also variables to read beside those of the law, where the frame has them
 */
export function readFrame(
  law: Law,
  frame: pl.DataFrame,
  options: { columns?: ColumnNames; also?: readonly Variable[] } = {},
): Observations {
  const names = options.columns ?? {};
  for (const role of Object.keys(names)) {
    if (!(roles as readonly string[]).includes(role)) {
      throw new LawError(
        `Cannot map the columns for the ${law.name} law: "${role}" is none of ${roles.join(", ")}`,
      );
    }
  }
  const present = (options.also ?? []).filter((variable) =>
    !law.variables.includes(variable) && frame.columns.includes(names[variable] ?? variable)
  );
  const values: Partial<Record<Variable, Float64Array>> = {};
  for (const variable of [...law.variables, ...present]) {
    const column = numbers(law, frame, variable, names);
    const faults = rowsWhere(column, (value) => !(value > 0));
    if (faults.length > 0) {
      throw new LawError(
        `Cannot fit the ${law.name} law: needs positive ${variable}: column "${
          names[variable] ?? variable
        }" is not in ${listRows(faults)}`,
      );
    }
    values[variable] = column;
  }
  const observed = numbers(law, frame, law.response, names);
  return { columns: columnsFrom(values), observed };
}

/** The observations of the rows at `indices`. */
export function selectObservations(
  { columns, observed }: Observations,
  indices: readonly number[],
): Observations {
  return { columns: selectRows(columns, indices), observed: gather(observed, indices) };
}

/** Indices of the values that meet a condition. */
export function rowsWhere(
  column: Float64Array,
  condition: (value: number) => boolean,
): number[] {
  const rows: number[] = [];
  for (let i = 0; i < column.length; i++) if (condition(column[i]!)) rows.push(i);
  return rows;
}

/** "row 3", or "3 rows (3, 5, 8; counted from 0)", the first five of them. */
export function listRows(rows: readonly number[]): string {
  const shown = rows.slice(0, 5).join(", ");
  const more = rows.length > 5 ? `, ... ${rows.length - 5} more` : "";
  return `${rows.length} ${rows.length === 1 ? "row" : "rows"} (${shown}${more}; counted from 0)`;
}

/** The different values of a column, in ascending order. */
export function distinct(column: Float64Array): number[] {
  return [...new Set(column)].sort((a, b) => a - b);
}

function numbers(
  law: Law,
  frame: pl.DataFrame,
  role: ColumnRole,
  names: ColumnNames,
): Float64Array {
  const name = names[role] ?? role;
  if (!frame.columns.includes(name)) {
    const has = frame.columns.length === 0
      ? "the table has no columns"
      : `the table has ${frame.columns.join(", ")}`;
    const near = frame.columns.length === 0 ? "COLUMN" : closest(name, frame.columns);
    throw new LawError(
      `Cannot fit the ${law.name} law: no column "${name}": ${has}: map one with { columns: { ${role}: "${near}" } }`,
    );
  }
  const series = frame.getColumn(name);
  if (!series.isNumeric()) {
    throw new LawError(
      `Cannot fit the ${law.name} law: column "${name}" holds ${series.dtype.variant}: needs numbers`,
    );
  }
  // Int64 columns come as BigInt, and a missing value as null, which becomes NaN here.
  const column = Float64Array.from(
    series.toArray() as (number | bigint | null)[],
    (value) => value === null ? NaN : Number(value),
  );
  const faults = rowsWhere(column, (value) => !Number.isFinite(value));
  if (faults.length > 0) {
    throw new LawError(
      `Cannot fit the ${law.name} law: column "${name}" is null, NaN or infinite in ${
        listRows(faults)
      }: drop these rows first`,
    );
  }
  return column;
}

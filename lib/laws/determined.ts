/** Whether the rows of a table can determine every parameter of a law; checked before it is fitted. */
import { distinct } from "./frame.ts";
import { type Columns, type Law, LawError, type Variable } from "./law.ts";

/**
 * A Jacobian column counts as a combination of others when less than this share of its length is
 * left after they are taken out. Sizes and tokens rounded to whole numbers stay well below it when
 * one is a power of the other; a true spread of 1 % in D leaves more than 1e-4.
 */
const tolerance = 1e-8;

const nouns: Record<Variable, readonly [string, string]> = {
  size: ["size", "sizes"],
  tokens: ["token count", "token counts"],
  bits: ["bit width", "bit widths"],
};

/**
 * Throws where the rows cannot determine a parameter: no row depends on it, or its effect is a
 * combination of the effects of others (all rows of one size, tokens a fixed power of size).
 * Looks at the derivatives of the logarithm of the prediction in the middle of the search ranges,
 * orthogonalised column by column.
 */
export function checkDetermined(law: Law, columns: Columns): void {
  const { rows } = columns;
  const width = law.parameters.length;
  const jacobian = logJacobian(law, columns);
  const basis: { direction: Float64Array; parameter: number }[] = [];
  for (let j = 0; j < width; j++) {
    const column = Float64Array.from({ length: rows }, (_, i) => jacobian[i * width + j]!);
    const involved = rowsOf(column);
    const length = norm(column);
    if (length === 0) {
      throw new LawError(
        `Cannot fit the ${law.name} law: no row depends on ${law.parameters[j]!.name}`,
      );
    }
    for (let i = 0; i < rows; i++) column[i]! /= length;
    const used = new Set<number>();
    for (let pass = 0; pass < 2; pass++) {
      for (const { direction, parameter } of basis) {
        let dot = 0;
        for (let i = 0; i < rows; i++) dot += direction[i]! * column[i]!;
        for (let i = 0; i < rows; i++) column[i]! -= dot * direction[i]!;
        if (Math.abs(dot) > Math.sqrt(tolerance)) used.add(parameter);
      }
    }
    const left = norm(column);
    if (left < tolerance) {
      const others = [...used].map((parameter) => law.parameters[parameter]!.name).join(", ");
      throw new LawError(
        `Cannot fit the ${law.name} law: the rows cannot determine ${
          law.parameters[j]!.name
        } apart from ${others}: ${reason(law, columns, involved)}`,
      );
    }
    for (let i = 0; i < rows; i++) column[i]! /= left;
    basis.push({ direction: column, parameter: j });
  }
}

function logJacobian(law: Law, columns: Columns): Float64Array {
  const theta = Float64Array.from(
    law.parameters,
    ({ search: [low, high], logarithmic }) =>
      logarithmic ? Math.sqrt(low * high) : (low + high) / 2,
  );
  const values = new Float64Array(columns.rows);
  const jacobian = new Float64Array(columns.rows * theta.length);
  law.evaluate(theta, columns, values, jacobian);
  for (let i = 0; i < jacobian.length; i++) {
    jacobian[i]! /= values[Math.floor(i / theta.length)]!;
  }
  return jacobian;
}

/** Euclidean length, of columns too long to be spread into arguments. */
function norm(column: Float64Array): number {
  let sum = 0;
  for (const value of column) sum += value * value;
  return Math.sqrt(sum);
}

function rowsOf(column: Float64Array): number[] {
  return [...column.keys()].filter((i) => column[i] !== 0);
}

/** How many different values the rows hold of each variable, which is what to change. */
function reason(law: Law, columns: Columns, rows: readonly number[]): string {
  const counts = law.variables.map((variable) => {
    const values = distinct(Float64Array.from(rows, (row) => columns[variable][row]!));
    const [one, many] = nouns[variable];
    return values.length === 1 ? `1 ${one} (${values[0]})` : `${values.length} ${many}`;
  });
  return `the ${rows.length} rows that depend on it hold ${
    counts.join(", ")
  }, too few to tell them apart: add rows where these vary independently, or fit a law without it`;
}

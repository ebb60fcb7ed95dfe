/**
 * One exponent shared by several curves, with a scale for each curve: how a single exponent of
 * Ouyang et al. 2024 (Eq. 5 to 7) is estimated from curves at different sizes, tokens or bit widths.
 */
import type { DataFrame } from "nodejs-polars";
import { columnsFrom, findLaw, type Law, type Point, type Variable } from "../laws/mod.ts";
import { rowsOf } from "./rows.ts";

/** The variable along which the curves run. */
export type Along = "tokens" | "size" | "bits";

const forms = {
  tokens: { law: "token", sign: 1, reference: 1e11 },
  size: { law: "size", sign: -1, reference: 1e9 },
  bits: { law: "bits", sign: -1, reference: 3 },
} as const;

const variables: readonly Variable[] = ["size", "tokens", "bits"];

/**
 * The law QiD = k_c (x / r)^e over the curves c of `frame`: the rows that share the variables other
 * than x = `along`. Its first parameter is the exponent; the others are the QiD of a curve at r (100B
 * tokens, 1B parameters or 3 bits), in nats per token.
 */
export function curvesLaw(along: Along, frame: DataFrame): Law {
  const { law: base, sign, reference } = forms[along];
  const exponent = findLaw(base).parameters[1]!;
  const others = variables.filter((variable) => variable !== along);
  const keyOf = (at: Point) => others.map((variable) => at[variable]).join(" ");
  const keys = [...new Set(rowsOf(frame, others).map(keyOf))];
  const indices = new Map(keys.map((key, i) => [key, i]));
  const width = keys.length + 1;
  return {
    name: `${base}-curves`,
    title: `${findLaw(base).title}, a scale for each curve`,
    source: findLaw(base).source,
    latex: findLaw(base).latex.replace(/\bk\b/, "k_c"),
    variables,
    response: "qid",
    parameters: [
      exponent,
      ...keys.map((key, i) => ({
        name: `scale${i}`,
        symbol: `k_{${i}}`,
        unit: "nats per token",
        lower: 0,
        upper: Infinity,
        search: [1e-4, 1e2] as const,
        logarithmic: true,
        meaning: `QiD at ${along} ${reference}, ${others.join(" and ")} ${key}`,
      })),
    ],
    linear: keys.map((_, i) => i + 1),
    evaluate(theta, columns, values, jacobian) {
      jacobian?.fill(0);
      const power = sign * theta[0]!;
      for (let row = 0; row < columns.rows; row++) {
        const curve = indices.get(others.map((variable) => columns[variable][row]).join(" "));
        if (curve === undefined) throw new RangeError("Cannot predict for a curve without rows");
        const distance = Math.log(columns[along][row]! / reference);
        const shape = Math.exp(power * distance);
        values[row] = theta[curve + 1]! * shape;
        if (jacobian === undefined) continue;
        jacobian[row * width] = values[row]! * sign * distance;
        jacobian[row * width + curve + 1] = shape;
      }
    },
  };
}

/**
 * The scale of each curve by least squares on QiD with a given exponent, as the parameters of
 * {@link curvesLaw}: what a published exponent says where its paper prints no scale.
 */
export function withExponent(
  law: Law,
  frame: DataFrame,
  exponent: number,
): Record<string, number> {
  const rows = rowsOf(frame, ["size", "tokens", "bits", "qid"]);
  const columns = columnsFrom({
    size: rows.map(({ size }) => size),
    tokens: rows.map(({ tokens }) => tokens),
    bits: rows.map(({ bits }) => bits),
  });
  const width = law.parameters.length;
  const theta = new Float64Array(width).fill(1);
  theta[0] = exponent;
  const values = new Float64Array(rows.length);
  const jacobian = new Float64Array(rows.length * width);
  law.evaluate(theta, columns, values, jacobian);
  const parameters: Record<string, number> = { [law.parameters[0]!.name]: exponent };
  for (let j = 1; j < width; j++) {
    let cross = 0;
    let square = 0;
    rows.forEach(({ qid }, i) => {
      const shape = jacobian[i * width + j]!;
      cross += shape * qid;
      square += shape * shape;
    });
    parameters[law.parameters[j]!.name] = cross / square;
  }
  return parameters;
}

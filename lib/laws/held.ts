/** A law some of whose parameters are not fitted but held at known values. */
import { type Columns, type Law, LawError, type Point } from "./law.ts";

/** The law without the parameters that are held, by name. Throws when it has no such parameter, or no other. */
export function holdParameters(law: Law, held: Readonly<Record<string, number>>): Law {
  const names = law.parameters.map(({ name }) => name);
  for (const [name, value] of Object.entries(held)) {
    if (!names.includes(name) || !Number.isFinite(value)) {
      throw new LawError(
        `Cannot hold ${name} of the ${law.name} law at ${value}: needs a number for one of ${
          names.join(", ")
        }`,
      );
    }
  }
  const free = names.flatMap((name, index) => Object.hasOwn(held, name) ? [] : [index]);
  if (free.length === 0) {
    throw new LawError(`Cannot hold all parameters of the ${law.name} law: nothing is left to fit`);
  }
  const [all, width] = [names.length, free.length];
  const whole = (theta: Float64Array) => {
    const values = Float64Array.from(names, (name) => held[name] ?? NaN);
    free.forEach((index, j) => values[index] = theta[j]!);
    return values;
  };
  const { tokensFor, forBits: _, ...rest } = law;
  const kept = Object.entries(held).map(([name, value]) => `${name} held at ${value}`).join(", ");
  return {
    ...rest,
    title: `${law.title} (${kept})`,
    parameters: free.map((index) => law.parameters[index]!),
    linear: law.linear.flatMap((index) => free.includes(index) ? [free.indexOf(index)] : []),
    evaluate(theta: Float64Array, columns: Columns, values: Float64Array, jacobian?: Float64Array) {
      if (jacobian === undefined) return law.evaluate(whole(theta), columns, values);
      const full = new Float64Array(columns.rows * all);
      law.evaluate(whole(theta), columns, values, full);
      for (let row = 0; row < columns.rows; row++) {
        free.forEach((index, j) => jacobian[row * width + j] = full[row * all + index]!);
      }
    },
    ...(tokensFor && {
      tokensFor: (theta: Float64Array, response: number, at: Point) =>
        tokensFor(whole(theta), response, at),
    }),
  };
}

import type { Columns, Law, Parameter, Point } from "./law.ts";

const parameters: readonly Parameter[] = [
  {
    name: "irreducible",
    symbol: "E",
    unit: "nats per token",
    lower: 0,
    upper: Infinity,
    search: [0.1, 4],
    meaning: "loss that neither size nor tokens remove",
  },
  {
    name: "sizeScale",
    symbol: "A",
    unit: "nats per token",
    lower: 0,
    upper: Infinity,
    search: [1, 1e5],
    logarithmic: true,
    meaning: "scale of the loss due to limited size",
  },
  {
    name: "sizeExponent",
    symbol: "\\alpha",
    unit: "1",
    lower: 1e-3,
    upper: 5,
    search: [0.05, 1],
    meaning: "how fast the loss falls with model size",
  },
  {
    name: "tokenScale",
    symbol: "B",
    unit: "nats per token",
    lower: 0,
    upper: Infinity,
    search: [1, 1e5],
    logarithmic: true,
    meaning: "scale of the loss due to limited tokens",
  },
  {
    name: "tokenExponent",
    symbol: "\\beta",
    unit: "1",
    lower: 1e-3,
    upper: 5,
    search: [0.05, 1],
    meaning: "how fast the loss falls with training tokens",
  },
];

function evaluate(
  theta: Float64Array,
  columns: Columns,
  values: Float64Array,
  jacobian?: Float64Array,
): void {
  const [irreducible, sizeScale, sizeExponent, tokenScale, tokenExponent] =
    theta as unknown as Five;
  for (let row = 0; row < columns.rows; row++) {
    const lnSize = columns.lnSize[row]!;
    const lnTokens = columns.lnTokens[row]!;
    const sizePower = Math.exp(-sizeExponent * lnSize);
    const tokenPower = Math.exp(-tokenExponent * lnTokens);
    values[row] = irreducible + sizeScale * sizePower + tokenScale * tokenPower;
    if (jacobian === undefined) continue;
    const at = row * 5;
    jacobian[at] = 1;
    jacobian[at + 1] = sizePower;
    jacobian[at + 2] = -sizeScale * sizePower * lnSize;
    jacobian[at + 3] = tokenPower;
    jacobian[at + 4] = -tokenScale * tokenPower * lnTokens;
  }
}

type Five = readonly [number, number, number, number, number];

function tokensFor(theta: Float64Array, response: number, at: Point): number {
  const [irreducible, sizeScale, sizeExponent, tokenScale, tokenExponent] =
    theta as unknown as Five;
  const rest = response - irreducible - sizeScale * Math.pow(at.size!, -sizeExponent);
  return Math.pow(tokenScale / rest, 1 / tokenExponent);
}

/**
 * The loss of a model over size N and tokens D, in nats per token, as a floor and two power laws.
 * Hoffmann et al. 2022 (arXiv 2203.15556), Eq. 2 and Appendix D.3.
 */
export const chinchilla: Law = {
  name: "chinchilla",
  title: "Chinchilla loss law",
  source: "Hoffmann et al. 2022, arXiv 2203.15556, Approach 3",
  latex: String.raw`\mathrm{Loss}(N, D) = E + \frac{A}{N^{\alpha}} + \frac{B}{D^{\beta}}`,
  variables: ["size", "tokens"],
  response: "loss16",
  parameters,
  linear: [0, 1, 3],
  evaluate,
  tokensFor,
};

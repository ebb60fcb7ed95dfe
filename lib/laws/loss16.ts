import type { Columns, Law, Parameter, Point } from "./law.ts";

const parameters: readonly Parameter[] = [
  {
    name: "sizeScale",
    symbol: "N_c",
    unit: "parameters",
    lower: 1,
    upper: 1e60,
    search: [1e12, 1e24],
    logarithmic: true,
    meaning: "size at which size alone gives a loss of 1",
  },
  {
    name: "sizeExponent",
    symbol: "\\alpha_N",
    unit: "1",
    lower: 1e-6,
    upper: 5,
    search: [0.01, 0.5],
    logarithmic: true,
    meaning: "how fast the loss falls with model size",
  },
  {
    name: "tokenScale",
    symbol: "D_c",
    unit: "tokens",
    lower: 1,
    upper: 1e60,
    search: [1e8, 1e18],
    logarithmic: true,
    meaning: "tokens at which tokens alone give a loss of 1",
  },
  {
    name: "tokenExponent",
    symbol: "\\alpha_D",
    unit: "1",
    lower: 1e-6,
    upper: 5,
    search: [0.01, 1],
    logarithmic: true,
    meaning: "how fast the loss falls with training tokens",
  },
];

function evaluate(
  theta: Float64Array,
  columns: Columns,
  values: Float64Array,
  jacobian?: Float64Array,
): void {
  const [sizeScale, sizeExponent, tokenScale, tokenExponent] = theta as unknown as Four;
  const ratio = sizeExponent / tokenExponent;
  for (let row = 0; row < columns.rows; row++) {
    const lnSizeRatio = Math.log(sizeScale) - columns.lnSize[row]!;
    const sizeTerm = Math.exp(ratio * lnSizeRatio);
    const tokenTerm = tokenScale / columns.tokens[row]!;
    const sum = sizeTerm + tokenTerm;
    const value = Math.exp(tokenExponent * Math.log(sum));
    values[row] = value;
    if (jacobian === undefined) continue;
    const sizeShare = sizeTerm / sum;
    const at = row * 4;
    jacobian[at] = value * sizeShare * sizeExponent / sizeScale;
    jacobian[at + 1] = value * sizeShare * lnSizeRatio;
    jacobian[at + 2] = value * (tokenTerm / sum) * tokenExponent / tokenScale;
    jacobian[at + 3] = value * (Math.log(sum) - sizeShare * lnSizeRatio * ratio);
  }
}

type Four = readonly [number, number, number, number];

function tokensFor(theta: Float64Array, response: number, at: Point): number {
  const [sizeScale, sizeExponent, tokenScale, tokenExponent] = theta as unknown as Four;
  const sizeTerm = Math.pow(sizeScale / at.size!, sizeExponent / tokenExponent);
  return tokenScale / (Math.pow(response, 1 / tokenExponent) - sizeTerm);
}

/**
 * The loss of the 16-bit model over size N and tokens D, in nats per token. Kaplan et al. 2020
 * (arXiv 2001.08361, Eq. 1.5), with the constants fitted anew in Ouyang et al. 2024, Eq. 3.
 *
 * In a table with a row for each bit width the same loss stands several times: fit the rows of one
 * bit width, or the standard errors come out too small.
 */
export const loss16: Law = {
  name: "loss16",
  title: "16-bit loss law",
  source:
    "Ouyang et al. 2024, arXiv 2411.17691, Eq. 3; form of Kaplan et al. 2020, arXiv 2001.08361",
  latex: String
    .raw`\mathrm{Loss}_{16}(N, D) = \left[\left(\frac{N_c}{N}\right)^{\alpha_N / \alpha_D} + \frac{D_c}{D}\right]^{\alpha_D}`,
  variables: ["size", "tokens"],
  response: "loss16",
  parameters,
  linear: [],
  evaluate,
  tokensFor,
};

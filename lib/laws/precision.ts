import type { Columns, Law, Parameter, Point } from "./law.ts";
import { scale, sizeExponent, tokenExponent } from "./power_law.ts";

const bitScale: Parameter = {
  name: "bitScale",
  symbol: "\\gamma_P",
  unit: "bits per weight",
  lower: 1e-2,
  upper: 1e3,
  search: [0.2, 3],
  logarithmic: true,
  meaning: "bits that lower QiD by a factor of e",
};

const parameters: readonly Parameter[] = [
  { ...scale, symbol: "C_T" },
  { ...tokenExponent, symbol: "\\gamma_D" },
  { ...sizeExponent, symbol: "\\gamma_N" },
  bitScale,
];

type Four = readonly [number, number, number, number];

function evaluate(
  theta: Float64Array,
  columns: Columns,
  values: Float64Array,
  jacobian?: Float64Array,
): void {
  const [factor, byTokens, bySize, byBits] = theta as unknown as Four;
  for (let row = 0; row < columns.rows; row++) {
    const lnTokens = columns.lnTokens[row]!;
    const lnSize = columns.lnSize[row]!;
    const bits = columns.bits[row]!;
    const product = Math.exp(byTokens * lnTokens - bySize * lnSize - bits / byBits);
    const value = factor * product;
    values[row] = value;
    if (jacobian === undefined) continue;
    const at = row * 4;
    jacobian[at] = product;
    jacobian[at + 1] = value * lnTokens;
    jacobian[at + 2] = -value * lnSize;
    jacobian[at + 3] = value * bits / (byBits * byBits);
  }
}

function tokensFor(theta: Float64Array, response: number, at: Point): number {
  const [factor, byTokens, bySize, byBits] = theta as unknown as Four;
  const ln = Math.log(response / factor) + bySize * Math.log(at.size!) + at.bits! / byBits;
  return Math.exp(ln / byTokens);
}

/**
 * QiD over tokens D, size N and bit width P, exponential in P. The post-training law of Kumar et
 * al. 2024 (arXiv 2411.04330).
 */
export const precision: Law = {
  name: "precision",
  title: "Precision law",
  source: "Kumar et al. 2024, arXiv 2411.04330, post-training quantization",
  latex: String
    .raw`\delta_\mathrm{PTQ}(N, D, P) = C_T\, \frac{D^{\gamma_D}}{N^{\gamma_N}}\, e^{-P / \gamma_P}`,
  variables: ["tokens", "size", "bits"],
  response: "qid",
  parameters,
  linear: [0],
  evaluate,
  tokensFor,
};

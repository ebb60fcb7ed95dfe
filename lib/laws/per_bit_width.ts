import { type Columns, type Law, LawError, type Point } from "./law.ts";
import { sizeToken } from "./size_token.ts";

/** The bit widths of the paper's tables and figures. */
const paperBits = [2, 3, 4];

/**
 * One size-token law per bit width, which is what the projections of Ouyang et al. 2024 (Table 1 and
 * Figure 1) follow. The parameters carry the bit width in their names: `scale3`,
 * `tokenExponent3`, `sizeExponent3`. A bit width that is not in `bits` has no prediction: that is
 * an error.
 *
 * Fitted together, the bit widths share one residual variance: where it differs between them (in raw
 * space it does), take standard errors from a fit of the size-token law to each, or from a bootstrap.
 *
 * @param bits the bit widths, in bits per weight; sorted and without repetition in the law
 */
export function perBitWidth(bits: readonly number[]): Law {
  const widths = [...new Set(bits)].sort((a, b) => a - b);
  if (widths.length === 0) {
    throw new LawError(
      "Cannot build the per-bit-width law: needs at least 1 bit width: got none",
    );
  }
  const inner = sizeToken.parameters.length;
  const width = widths.length * inner;

  function indexOf(bitWidth: number | undefined): number {
    const index = widths.findIndex((candidate) => candidate === bitWidth);
    if (index < 0) {
      throw new LawError(
        `Cannot predict at ${bitWidth} bits: the per-bit-width law has parameters for ${
          widths.join(", ")
        } bits only`,
      );
    }
    return index;
  }

  function evaluate(
    theta: Float64Array,
    columns: Columns,
    values: Float64Array,
    jacobian?: Float64Array,
  ): void {
    jacobian?.fill(0);
    for (let row = 0; row < columns.rows; row++) {
      const at = indexOf(columns.bits[row]) * inner;
      const lnSize = columns.lnSize[row]!;
      const lnTokens = columns.lnTokens[row]!;
      const product = Math.exp(theta[at + 1]! * lnTokens - theta[at + 2]! * lnSize);
      const value = theta[at]! * product;
      values[row] = value;
      if (jacobian === undefined) continue;
      jacobian[row * width + at] = product;
      jacobian[row * width + at + 1] = value * lnTokens;
      jacobian[row * width + at + 2] = -value * lnSize;
    }
  }

  function tokensFor(theta: Float64Array, response: number, at: Point): number {
    const start = indexOf(at.bits) * inner;
    return sizeToken.tokensFor!(theta.slice(start, start + inner), response, at);
  }

  return {
    name: "per-bit-width",
    title: "Per-bit-width laws",
    source:
      "Ouyang et al. 2024, arXiv 2411.17691, Table 1 and Figure 1 (inferred from their numbers)",
    latex: String.raw`\Delta_q\mathrm{Loss}(N, D, P) = k_P\, \frac{D^{\beta_P}}{N^{\alpha_P}}`,
    variables: ["tokens", "size", "bits"],
    response: "qid",
    parameters: widths.flatMap((bitWidth) =>
      sizeToken.parameters.map((parameter) => ({
        ...parameter,
        name: `${parameter.name}${bitWidth}`,
        symbol: `${parameter.symbol}_{${bitWidth}}`,
        meaning: `${parameter.meaning}, at ${bitWidth} bits`,
      }))
    ),
    linear: widths.map((_, i) => i * inner),
    evaluate,
    tokensFor,
  };
}

/** The registry's entry: the paper's bit widths, or those of the table that it is fitted to. */
export const perBitWidthLaw: Law = { ...perBitWidth(paperBits), forBits: perBitWidth };

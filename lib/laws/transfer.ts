/** Laws fitted to one family of models and tested on the others. */
import type { DataFrame } from "nodejs-polars";
import pl from "nodejs-polars";
import { median, rootMeanSquare } from "simple-statistics";
import type { MeasuredPoint } from "./agreement.ts";
import { fit } from "./fit.ts";
import { LawError } from "./law.ts";
import { bitFactor, powerLaw, sizeFactor } from "./power_law.ts";

/** A point of a family. */
export interface FamilyPoint extends MeasuredPoint {
  readonly family: string;
}

/** What a law fitted to one family says of another. */
export type Transfer = {
  readonly trained: string;
  readonly tested: string;
  /** Rows fitted, and rows tested. */
  readonly rowsTrained: number;
  readonly rows: number;
  /** Median of predicted / measured. */
  readonly ratio: number;
  /** Root of the mean squared ln(predicted / measured). */
  readonly error: number;
};

/** QiD = k / (N^alpha P^gamma) at one number of training tokens. */
export const sizeBits = powerLaw({
  name: "size-bits",
  title: "Size-bit law",
  source: "Ouyang et al. 2024, arXiv 2411.17691, Eq. 8 at one D",
  latex: String.raw`\Delta_q\mathrm{Loss}(N, P) = \frac{k}{N^{\alpha} P^{\gamma}}`,
}, [sizeFactor, bitFactor]);

/**
 * Fits scale, size and bit exponent to each family in turn (least squares of ln QiD) and tests on each
 * other family. A family has one number of training tokens, or nearly, so its own rows cannot tell how
 * QiD grows with D: `tokenExponent` carries a fit from one D to another (0: as if tokens did not count).
 *
 * A family with fewer than two sizes, two bit widths or five rows trains nothing.
 */
export function transfer(
  points: readonly FamilyPoint[],
  options: { tokenExponent: number },
): Transfer[] {
  const { tokenExponent } = options;
  if (!Number.isFinite(tokenExponent)) {
    throw new LawError(`Cannot transfer laws: needs a finite token exponent: got ${tokenExponent}`);
  }
  const families = [...new Set(points.map(({ family }) => family))];
  const of = (family: string) => points.filter((point) => point.family === family);
  return families.flatMap((trained) => {
    const own = of(trained);
    const distinct = (name: "size" | "bits") => new Set(own.map((point) => point[name])).size;
    if (own.length < 5 || distinct("size") < 2 || distinct("bits") < 2) return [];
    const fitted = fit(sizeBits, atOneD(own, tokenExponent), { space: "log" });
    return families.filter((tested) => tested !== trained).map((tested) => {
      const logs = of(tested).map(({ size, tokens, bits, qid }) =>
        Math.log(fitted.predict({ size, bits }) * (tokens / unit) ** tokenExponent / qid)
      );
      return {
        trained,
        tested,
        rowsTrained: own.length,
        rows: logs.length,
        ratio: Math.exp(median(logs)),
        error: rootMeanSquare(logs),
      };
    });
  });
}

/** Tokens to which QiD is carried before a fit. */
const unit = 1e12;

function atOneD(points: readonly FamilyPoint[], tokenExponent: number): DataFrame {
  return pl.DataFrame({
    size: points.map(({ size }) => size),
    bits: points.map(({ bits }) => bits),
    qid: points.map(({ qid, tokens }) => qid / (tokens / unit) ** tokenExponent),
  });
}

/** The typical error of transfers, over all rows tested: root mean square of ln(predicted / measured). */
export function transferError(transfers: readonly Transfer[]): number {
  const rows = transfers.reduce((sum, one) => sum + one.rows, 0);
  return Math.sqrt(transfers.reduce((sum, one) => sum + one.error ** 2 * one.rows, 0) / rows);
}
